package io.github.bts4j.cli;

import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.dataformat.yaml.YAMLFactory;
import io.github.bts4j.core.support.JsonProblem;
import io.github.bts4j.examples.PlainYaml;
import io.github.bts4j.examples.Suggestion;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import picocli.CommandLine;
import picocli.CommandLine.Model.ArgSpec;
import picocli.CommandLine.Model.OptionSpec;

/**
 * A YAML file of options in a command's arguments: {@code bts stitch run.yaml steps=200}. Keys are the command's long options without dashes, and the names
 * of its positional parameters; a list repeats an option, a map repeats it with {@code key=value}. Overrides of the form {@code key=value} replace values of
 * the file.
 *
 * @param arguments the arguments with options instead of the file
 * @param file its name, empty if there is no file
 * @param values the value of each key and where it comes from: file and line, or the override
 */
record RunFile(String[] arguments, String file, Map<String, List<Entry>> values) {
    private static final Pattern OVERRIDE = Pattern.compile("([a-z][a-z0-9-]*)=(.*)", Pattern.DOTALL);
    private static final Pattern OPTION = Pattern.compile("--([a-z][a-z0-9-]*)");

    /** One value of the file, with its line. */
    record Entry(String text, String place) {}

    /**
     * Replaces a YAML file after a command's name, and the overrides after it, by options.
     *
     * @throws IllegalArgumentException naming file, line and key of an error
     */
    static RunFile expand(String[] arguments, CommandLine bts) {
        if (arguments.length < 2 || !arguments[1].matches(".*\\.ya?ml") || !bts.getSubcommands().containsKey(arguments[0])) {
            return new RunFile(arguments, "", Map.of());
        }
        CommandLine command = bts.getSubcommands().get(arguments[0]);
        if (command.getCommand() instanceof ExperimentCommand) {
            return new RunFile(arguments, "", Map.of()); // its file is an argument of its own
        }
        Map<String, List<Entry>> values = read(Path.of(arguments[1]));
        values.forEach((key, entries) -> checkKey(key, entries.get(0).place(), command));
        List<String> rest = new ArrayList<>();
        for (String argument : Arrays.asList(arguments).subList(2, arguments.length)) {
            var override = OVERRIDE.matcher(argument);
            if (override.matches() && rest.isEmpty()) {
                checkKey(override.group(1), "override " + argument, command);
                values.put(override.group(1), List.of(new Entry(override.group(2), "override " + argument)));
            } else {
                rest.add(argument);
            }
        }
        List<String> expanded = new ArrayList<>(List.of(arguments[0]));
        Map<String, List<Entry>> positional = new LinkedHashMap<>();
        command.getCommandSpec().positionalParameters().forEach(parameter -> positional.put(name(parameter.paramLabel()), List.of()));
        values.forEach((key, entries) -> {
            if (positional.replace(key, entries) == null) {
                entries.forEach(entry -> expanded.add(option(key, entry, command)));
            }
        });
        positional.values().forEach(entries -> entries.forEach(entry -> expanded.add(entry.text())));
        expanded.addAll(rest);
        return new RunFile(expanded.toArray(String[]::new), arguments[1], values);
    }

    private static String option(String key, Entry entry, CommandLine command) {
        if (isFlag(key, command) && !Set.of("true", "false").contains(entry.text())) {
            throw new IllegalArgumentException(entry.place() + ": " + key + " = " + entry.text() + ", must be true or false");
        }
        return "--" + key + "=" + entry.text();
    }

    /** Adds the line of the option's key to a message; without a run file, the message is unchanged. */
    String placed(ArgSpec argument, String message) {
        String key = key(argument);
        return values.containsKey(key) ? place(key, message) + ": " + (message.startsWith("--" + key) ? "" : key + ": ") + message : message;
    }

    /** Like {@link #placed}, for a message that begins with the option. */
    String placed(String message) {
        var option = OPTION.matcher(message);
        return option.lookingAt() && values.containsKey(option.group(1)) ? place(option.group(1), message) + ": " + message : message;
    }

    /** Of several values of a key, the one that the message mentions. */
    private String place(String key, String message) {
        List<Entry> entries = values.get(key);
        return entries.stream().filter(entry -> message.contains(entry.text())).findFirst().orElse(entries.get(0)).place();
    }

    private static String key(ArgSpec argument) {
        return argument instanceof OptionSpec option ? option.longestName().replaceFirst("^--", "") : name(argument.paramLabel());
    }

    /** Required keys that are missing. */
    String missing(List<ArgSpec> arguments, String message) {
        return file.isEmpty() ? message : file + ": " + arguments.stream().map(argument -> "the key '" + key(argument) + "' is missing").collect(Collectors.joining(", "));
    }

    private static void checkKey(String key, String where, CommandLine command) {
        if (command.getCommandSpec().findOption("--" + key) == null && !isPositional(key, command)) {
            Set<String> known = new TreeSet<>();
            command.getCommandSpec().args().forEach(argument -> known.add(key(argument)));
            known.removeAll(Set.of("help", "version", "debug"));
            throw new IllegalArgumentException(where + ": the key '" + key + "' is not known" + Suggestion.of(key, known) + "; " + command.getCommandName() + " knows "
                    + String.join(", ", known));
        }
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
        Map<String, List<Entry>> values = new LinkedHashMap<>();
        try (JsonParser yaml = new YAMLFactory().createParser(PlainYaml.open(file))) {
            if (yaml.nextToken() != JsonToken.START_OBJECT) {
                throw new IllegalArgumentException(file + ":1: a run file is a map of options, such as 'steps: 200'");
            }
            Map<String, Integer> lines = new HashMap<>();
            while (yaml.nextToken() == JsonToken.FIELD_NAME) {
                String key = yaml.currentName();
                int line = yaml.currentLocation().getLineNr();
                if (lines.putIfAbsent(key, line) != null) {
                    throw new IllegalArgumentException(file + ":" + line + ": the key '" + key + "' is already in line " + lines.get(key));
                }
                values.put(key, entries(file, key, yaml));
            }
        } catch (com.fasterxml.jackson.core.JsonProcessingException e) {
            throw new IllegalArgumentException(file + ":" + e.getLocation().getLineNr() + ": invalid YAML: " + JsonProblem.withoutPlace(e), e);
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
            return List.of(new Entry(scalar(file, key, yaml), file + ":" + yaml.currentLocation().getLineNr()));
        }
        boolean map = token == JsonToken.START_OBJECT;
        while ((token = yaml.nextToken()) != JsonToken.END_ARRAY && token != JsonToken.END_OBJECT) {
            String prefix = "";
            if (map) {
                prefix = yaml.currentName() + "=";
                token = yaml.nextToken();
            }
            if (!token.isScalarValue()) {
                throw new IllegalArgumentException(file + ":" + yaml.currentLocation().getLineNr() + ": " + key + " is nested too deeply: use a value, a list or a map of values");
            }
            entries.add(new Entry(prefix + scalar(file, key, yaml), file + ":" + yaml.currentLocation().getLineNr()));
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
