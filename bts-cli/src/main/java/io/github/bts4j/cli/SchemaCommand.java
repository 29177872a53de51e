package io.github.bts4j.cli;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.github.bts4j.core.support.JsonReader;
import java.util.Collection;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.ArgSpec;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.Model.PositionalParamSpec;
import picocli.CommandLine.Parameters;

@Command(name = "schema", description = "Print the JSON schema of a command's run file, for editors that check YAML.",
        footer = {"", "Example:", "  bts schema stitch"})
final class SchemaCommand extends OutputCommand {
    private static final List<String> RUNS = List.of("train", "stitch", "train-stitches");
    private static final Set<String> NO_OPTIONS_OF_A_RUN = Set.of("help", "version", "debug");

    @Parameters(paramLabel = "COMMAND", description = "train, stitch or train-stitches.")
    private String command;

    @Override
    public Integer call() {
        CommandLine described = spec().parent().subcommands().get(command);
        if (described == null || !RUNS.contains(command)) {
            throw new IllegalArgumentException("There is no run file for '" + command + "': only for " + String.join(", ", RUNS));
        }
        ObjectNode schema = JsonReader.object().put("$schema", "https://json-schema.org/draft/2020-12/schema")
                .put("title", "bts " + command).put("type", "object").put("additionalProperties", false);
        ObjectNode properties = schema.putObject("properties");
        ArrayNode required = schema.putArray("required");
        for (PositionalParamSpec parameter : described.getCommandSpec().positionalParameters()) {
            add(properties, required, parameter.paramLabel().toLowerCase(Locale.ROOT).replace('_', '-'), parameter);
        }
        for (OptionSpec option : described.getCommandSpec().options()) {
            String name = option.longestName().replaceFirst("^--", "");
            if (!NO_OPTIONS_OF_A_RUN.contains(name)) {
                add(properties, required, name, option);
            }
        }
        output().println(schema.toPrettyString());
        return 0;
    }

    private static void add(ObjectNode properties, ArrayNode required, String name, ArgSpec argument) {
        ObjectNode property = properties.putObject(name).put("description", String.join(" ", argument.description()).replace("${DEFAULT-VALUE}", String.valueOf(argument.defaultValue())));
        Class<?> type = argument.type();
        if (Collection.class.isAssignableFrom(type)) {
            // a value, a list of values, or a map whose entries become key=value
            ArrayNode forms = property.putArray("anyOf");
            forms.addObject().put("type", "string");
            forms.addObject().put("type", "array").putObject("items").putArray("type").add("string").add("number");
            forms.addObject().put("type", "object").putObject("additionalProperties").putArray("type").add("string").add("number");
        } else if (type.isEnum()) {
            ArrayNode values = property.putArray("enum");
            for (Object value : type.getEnumConstants()) {
                values.add(value.toString().toLowerCase(Locale.ROOT));
            }
        } else if (type == boolean.class) {
            property.put("type", "boolean");
        } else if (List.<Class<?>>of(int.class, long.class, Integer.class, Long.class).contains(type)) {
            property.put("type", "integer");
        } else if (type == double.class || type == Double.class) {
            property.put("type", "number");
        } else {
            property.put("type", "string");
        }
        if (argument.required()) {
            required.add(name);
        }
    }
}
