package io.github.bts4j.examples.cli;

import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.dataformat.yaml.YAMLFactory;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Pattern;
import picocli.CommandLine;
import picocli.CommandLine.Model.OptionSpec;

/**
 * A YAML file of options in a command's arguments: {@code bts stitch run.yaml steps=200}. Keys are the command's long options without dashes, and the names
 * of its positional parameters; a list repeats an option, a map repeats it with {@code key=value}. Later overrides of the form {@code key=value} replace what
 * the file says. Not for instances.
 */
final class RunFile {
    private static final Pattern OVERRIDE = Pattern.compile("([a-z][a-z0-9-]*)=(.*)", Pattern.DOTALL);

    private RunFile() {}

    /** One value of the file, with its line. */
    private record Entry(String text, int line) {}

    /**
     * Replaces a YAML file behind a command's name, and the overrides behind it, by options.
     *
     * @throws IllegalArgumentException naming file, line and key of what is wrong
     */
    static String[] expand(String[] arguments, CommandLine bts) {
        if (arguments.length < 2 || !arguments[1].matches(".*\\.ya?ml") || !bts.getSubcommands().containsKey(arguments[0])) {
            return arguments;
        }
        CommandLine command = bts.getSubcommands().get(arguments[0]);
        if (command.getCommand() instanceof ExperimentCommand) {
            return arguments; // its file is an argument of its own
        }
        Path file = Path.of(arguments[1]);
        Map<String, List<Entry>> values = read(file);
        List<String> rest = new ArrayList<>();
        for (String argument : Arrays.asList(arguments).subList(2, arguments.length)) {
            var override = OVERRIDE.matcher(argument);
            if (override.matches() && rest.isEmpty()) {
                checkKey(override.group(1), "override " + argument, command);
                values.put(override.group(1), List.of(new Entry(override.group(2), 0)));
            } else {
                rest.add(argument);
            }
        }
        List<String> expanded = new ArrayList<>(List.of(arguments[0]));
        List<String> positional = new ArrayList<>();
        values.forEach((key, entries) -> {
            checkKey(key, file + ":" + entries.get(0).line(), command);
            for (Entry entry : entries) {
                if (isPositional(key, command)) {
                    positional.add(entry.text());
                } else if (isFlag(key, command) && !Set.of("true", "false").contains(entry.text())) {
                    throw new IllegalArgumentException(file + ":" + entry.line() + ": " + key + " = " + entry.text() + ", must be true or false");
                } else {
                    expanded.add("--" + key + "=" + entry.text());
                }
            }
        });
        expanded.addAll(positional);
        expanded.addAll(rest);
        return expanded.toArray(String[]::new);
    }

    private static void checkKey(String key, String where, CommandLine command) {
        if (command.getCommandSpec().findOption("--" + key) == null && !isPositional(key, command)) {
            Set<String> known = new TreeSet<>();
            command.getCommandSpec().options().forEach(option -> known.add(option.longestName().replaceFirst("^--", "")));
            command.getCommandSpec().positionalParameters().forEach(parameter -> known.add(name(parameter.paramLabel())));
            known.removeAll(Set.of("help", "version", "debug"));
            throw new IllegalArgumentException(where + ": the key '" + key + "' is not known" + nearest(key, known) + "; " + command.getCommandName() + " knows "
                    + String.join(", ", known));
        }
    }

    private static String nearest(String key, Set<String> known) {
        return known.stream().filter(name -> distance(key, name) <= 2).findFirst().map(name -> ", did you mean '" + name + "'?").orElse("");
    }

    /** Levenshtein's. */
    private static int distance(String a, String b) {
        int[] row = new int[b.length() + 1];
        Arrays.setAll(row, j -> j);
        for (int i = 1; i <= a.length(); i++) {
            int diagonal = row[0];
            row[0] = i;
            for (int j = 1; j <= b.length(); j++) {
                int above = row[j];
                row[j] = Math.min(Math.min(row[j], row[j - 1]) + 1, diagonal + (a.charAt(i - 1) == b.charAt(j - 1) ? 0 : 1));
                diagonal = above;
            }
        }
        return row[b.length()];
    }

    private static boolean isPositional(String key, CommandLine command) {
        return command.getCommandSpec().positionalParameters().stream().anyMatch(parameter -> name(parameter.paramLabel()).equals(key));
    }

    private static String name(String label) {
        return label.toLowerCase(java.util.Locale.ROOT).replace('_', '-');
    }

    private static boolean isFlag(String key, CommandLine command) {
        OptionSpec option = command.getCommandSpec().findOption("--" + key);
        return option.arity().max() == 0;
    }

    private static Map<String, List<Entry>> read(Path file) {
        Map<String, List<Entry>> values = new java.util.LinkedHashMap<>();
        try (JsonParser yaml = new YAMLFactory().createParser(Files.newBufferedReader(file))) {
            if (yaml.nextToken() != JsonToken.START_OBJECT) {
                throw new IllegalArgumentException(file + ":1: a run file is a map of options, such as 'steps: 200'");
            }
            Map<String, Integer> lines = new HashMap<>();
            while (yaml.nextToken() == JsonToken.FIELD_NAME) {
                String key = yaml.currentName();
                int line = yaml.currentLocation().getLineNr();
                if (lines.putIfAbsent(key, line) != null) {
                    throw new IllegalArgumentException(file + ":" + line + ": the key '" + key + "' is there already, in line " + lines.get(key));
                }
                values.put(key, entries(file, key, yaml));
            }
        } catch (com.fasterxml.jackson.core.JsonProcessingException e) {
            throw new IllegalArgumentException(file + ":" + e.getLocation().getLineNr() + ": no valid YAML: " + e.getOriginalMessage(), e);
        } catch (IOException e) {
            throw new IllegalArgumentException(Files.exists(file) ? file + " cannot be read: " + e.getMessage() : file + " does not exist", e);
        }
        return values;
    }

    /** A scalar, a list of scalars, or a map of scalars. */
    private static List<Entry> entries(Path file, String key, JsonParser yaml) throws IOException {
        JsonToken token = yaml.nextToken();
        List<Entry> entries = new ArrayList<>();
        if (token.isScalarValue()) {
            return List.of(new Entry(scalar(file, key, yaml), yaml.currentLocation().getLineNr()));
        }
        boolean map = token == JsonToken.START_OBJECT;
        while ((token = yaml.nextToken()) != JsonToken.END_ARRAY && token != JsonToken.END_OBJECT) {
            String prefix = "";
            if (map) {
                prefix = yaml.currentName() + "=";
                token = yaml.nextToken();
            }
            if (!token.isScalarValue()) {
                throw new IllegalArgumentException(file + ":" + yaml.currentLocation().getLineNr() + ": " + key + " is nested too deeply: a value, a list or a map is needed");
            }
            entries.add(new Entry(prefix + scalar(file, key, yaml), yaml.currentLocation().getLineNr()));
        }
        if (entries.isEmpty()) {
            throw new IllegalArgumentException(file + ":" + yaml.currentLocation().getLineNr() + ": " + key + " is empty");
        }
        return entries;
    }

    private static String scalar(Path file, String key, JsonParser yaml) throws IOException {
        if (yaml.currentToken() == JsonToken.VALUE_NULL) {
            throw new IllegalArgumentException(file + ":" + yaml.currentLocation().getLineNr() + ": " + key + " has no value");
        }
        return yaml.getText();
    }
}
