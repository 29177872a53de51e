package io.github.bts4j.train;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * One value that differs between a saved run and the current one.
 *
 * @param part the part it belongs to: {@link #CONFIGURATION}, {@link #DATA}, or an entry of {@link Trainable#identity()}
 * @param name the value within the part, such as {@code learningRate.peak}; empty if the part is one value
 * @param saved the saved run's value, {@code absent} if it has none
 * @param now the current value, {@code absent} if there is none
 */
public record RunDifference(String part, String name, String saved, String now) {
    /** The part that {@link ResumeChange#CONFIGURATION} allows to change. */
    public static final String CONFIGURATION = "configuration";
    /** The part that {@link ResumeChange#DATA} allows to change. */
    public static final String DATA = "data (fingerprint of the datamix)";

    private static final String ABSENT = "absent";
    private static final Pattern RECORD = Pattern.compile("(\\w*)\\[(.*)]", Pattern.DOTALL);
    private static final Pattern VALIDATION = Pattern.compile("(.*) validation: (.*)", Pattern.DOTALL);

    /** The differences between a saved run and the current one. */
    static List<RunDifference> between(RunState saved, String configuration, String data, Map<String, String> model) {
        List<RunDifference> differences = new ArrayList<>(between(CONFIGURATION, saved.config(), configuration));
        differences.addAll(between(DATA, saved.data(), data));
        Map<String, String> before = RunKernels.without(saved.model());
        TreeSet<String> names = new TreeSet<>(before.keySet());
        names.addAll(model.keySet());
        names.forEach(name -> differences.addAll(between(name, before.getOrDefault(name, ABSENT), model.getOrDefault(name, ABSENT))));
        return differences;
    }

    /** The differences between two values of a part; records are compared component by component. */
    static List<RunDifference> between(String part, String saved, String now) {
        if (saved.equals(now)) {
            return List.of();
        }
        Map<String, String> before = values(saved);
        Map<String, String> after = values(now);
        Set<String> names = new LinkedHashSet<>(before.keySet());
        names.addAll(after.keySet());
        List<RunDifference> differences = new ArrayList<>();
        for (String name : names) {
            String old = before.getOrDefault(name, ABSENT);
            String present = after.getOrDefault(name, ABSENT);
            if (!Objects.equals(old, present)) {
                differences.add(new RunDifference(part, name, old, present));
            }
        }
        return differences.isEmpty() ? List.of(new RunDifference(part, "", saved, now)) : differences; // such as a different order only
    }

    /**
     * Whether a run may be resumed in spite of it.
     *
     * @param allowed the changes that are requested
     * @return always false for a part of the model
     */
    public boolean isAllowedBy(Set<ResumeChange> allowed) {
        return part.equals(CONFIGURATION) && allowed.contains(ResumeChange.CONFIGURATION) || part.equals(DATA) && allowed.contains(ResumeChange.DATA);
    }

    /** {@return the difference in words: part and name with both values} */
    public String text() {
        return part + (name.isEmpty() ? "" : " " + name) + ": saved " + saved + ", now " + now;
    }

    private static Map<String, String> values(String text) {
        Map<String, String> values = new LinkedHashMap<>();
        Matcher configuration = VALIDATION.matcher(text);
        if (!configuration.matches()) {
            put(values, "", text);
            return values;
        }
        put(values, "", configuration.group(1));
        for (String each : configuration.group(2).split(", ")) {
            int space = each.indexOf(' ');
            values.put("validation" + (space < 0 ? "" : "." + each.substring(0, space)), each.substring(space + 1));
        }
        return values;
    }

    /** Splits a record's text; the type of a nested record is a value too. */
    private static void put(Map<String, String> values, String name, String text) {
        Matcher record = RECORD.matcher(text);
        if (!record.matches()) {
            values.put(name, text);
            return;
        }
        if (!name.isEmpty() && !record.group(1).isEmpty()) {
            values.put(name, record.group(1));
        }
        List<String> parts = split(record.group(2));
        for (int i = 0; i < parts.size(); i++) {
            int at = parts.get(i).indexOf('=');
            boolean named = at > 0 && parts.get(i).substring(0, at).matches("\\w+");
            String key = named ? parts.get(i).substring(0, at) : Integer.toString(i);
            put(values, name.isEmpty() ? key : name + "." + key, named ? parts.get(i).substring(at + 1) : parts.get(i));
        }
    }

    /** At the commas outside of brackets. */
    private static List<String> split(String text) {
        List<String> parts = new ArrayList<>();
        int depth = 0;
        int begin = 0;
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            depth += c == '[' || c == '{' ? 1 : c == ']' || c == '}' ? -1 : 0;
            if (c == ',' && depth == 0 && text.startsWith(", ", i)) {
                parts.add(text.substring(begin, i));
                begin = i + 2;
            }
        }
        if (begin < text.length()) {
            parts.add(text.substring(begin));
        }
        return parts;
    }

    /** Throws if a difference is not allowed. */
    static void refuse(Path checkpoint, List<RunDifference> differences, Set<ResumeChange> allowed) {
        List<RunDifference> refused = differences.stream().filter(difference -> !difference.isAllowedBy(allowed)).toList();
        if (!refused.isEmpty()) {
            throw new ResumeException(checkpoint, refused);
        }
    }
}
