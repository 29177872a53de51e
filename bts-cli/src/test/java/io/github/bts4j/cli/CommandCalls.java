package io.github.bts4j.cli;

import static org.junit.jupiter.api.Assertions.assertAll;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.PrintWriter;
import java.io.StringWriter;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.function.Executable;
import picocli.CommandLine.Model.ArgSpec;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.Model.PositionalParamSpec;

/**
 * Calls of commands in which one thing is wrong, and what they have to print: one line, in the command line's terms, and the documented status. The commands and their options
 * are those of the command line's own description, so that a new one is tried as well.
 *
 * @param inputs what the right values are taken from
 */
record CommandCalls(DamagedInputs inputs) {
    private static final Pattern CAMEL_CASE = Pattern.compile("(?<![\\w./-])[a-z]+[A-Z]\\w*");
    private static final Pattern JAVA = Pattern.compile("\tat |\\b(java|ai\\.djl|io\\.github|com\\.fasterxml|picocli)\\.|\\w+Exception\\b|\\w+Error\\b(?! rate)|[A-Z]\\w+\\[\\w+=|REDACTED|ResumeChange");
    private static final int SHOWN = 700;

    record Result(int status, String out, String err) {}

    /** One call of a command: what is wrong with it, and which statuses are right. */
    record Call(String what, List<String> arguments, List<Integer> statuses) {}

    static Stream<String> commands() {
        PrintWriter nowhere = new PrintWriter(new StringWriter());
        return Bts.line(nowhere, nowhere).getSubcommands().keySet().stream();
    }

    static CommandSpec spec(String command) {
        PrintWriter nowhere = new PrintWriter(new StringWriter());
        return Bts.line(nowhere, nowhere).getSubcommands().get(command).getCommandSpec();
    }

    static Result bts(List<String> arguments) {
        StringWriter out = new StringWriter();
        StringWriter err = new StringWriter();
        return new Result(Bts.run(arguments.toArray(String[]::new), new PrintWriter(out), new PrintWriter(err)), out.toString(), err.toString());
    }

    /** A right value of every argument that a command needs; of a kind that is not known here, the test has to be told. */
    private String valueOf(CommandSpec spec, ArgSpec argument) {
        String label = argument.paramLabel();
        if (argument instanceof OptionSpec option) {
            return switch (option.longestName()) {
                case "--out" -> inputs.folder.resolve("made").resolve(spec.name()).toString();
                case "--data" -> "code=" + inputs.text;
                case "--expert" -> "code=" + inputs.expert;
                case "--model" -> inputs.expert.toString();
                default -> throw new AssertionError(spec.name() + " needs " + option.longestName() + ": say here what a right value is");
            };
        }
        return switch (label) {
            case "MODEL", "HUB", "PATH" -> (spec.name().equals("export") ? inputs.stitched : inputs.seed).toString();
            case "STITCH" -> inputs.stitched.toString();
            case "OUT" -> inputs.folder.resolve("made").resolve(spec.name()).toString();
            case "DIR" -> inputs.folder.toString();
            case "PROMPT" -> "int";
            case "NAME" -> spec.name().equals("add-expert") ? "law" : "code";
            case "METHOD" -> "linear";
            case "COMMAND" -> "stitch";
            case "FILE" -> inputs.folder.resolve("experiment.yaml").toString();
            default -> throw new AssertionError(spec.name() + " needs " + label + ": say here what a right value is");
        };
    }

    /** A call with other values for some arguments; those that are null are left out. */
    List<String> call(CommandSpec spec, ArgSpec changed, String value) {
        List<String> call = new ArrayList<>(List.of(spec.name()));
        for (PositionalParamSpec parameter : spec.positionalParameters()) {
            int times = Math.max(1, parameter.arity().min());
            for (int i = 0; i < times; i++) {
                call.add(parameter == changed && i == 0 ? value : valueOf(spec, parameter));
            }
        }
        for (OptionSpec option : spec.options()) {
            if (option == changed) {
                call.add(option.longestName() + "=" + value);
            } else if (option.required()) {
                call.add(option.longestName() + "=" + valueOf(spec, option));
            }
        }
        return call;
    }

    static void assertOneLine(Call call) {
        Result result = bts(call.arguments());
        String shown = call.what() + ": " + String.join(" ", call.arguments()) + "\n -> " + result.status() + "\n" + result.out() + result.err();
        assertTrue(call.statuses().contains(result.status()), shown);
        if (result.status() == 0) {
            return;
        }
        List<String> lines = result.err().lines().filter(line -> !line.contains(": skipped ")).toList();
        assertEquals(1, lines.size(), shown);
        String line = lines.get(0);
        assertTrue(line.startsWith("bts"), shown);
        assertTrue(line.length() < SHOWN, shown);
        String own = line;
        for (String argument : call.arguments()) { // paths and values may look like anything
            own = own.replace(argument, "").replace(argument.replaceFirst("^[^=]*=", ""), "");
        }
        own = own.replaceAll("(/[\\w.:-]+)+/?", "").replaceAll("'[^']*'", "");
        Matcher camel = CAMEL_CASE.matcher(own);
        assertFalse(camel.find(), () -> "a library's word: " + camel.group() + "\n" + shown);
        Matcher java = JAVA.matcher(own);
        assertFalse(java.find(), () -> "a word of Java: " + java.group() + "\n" + shown);
    }

    static void assertOneLines(List<Call> calls) {
        assertAll(calls.stream().map(call -> (Executable) () -> assertOneLine(call)));
    }

    static List<ArgSpec> arguments(CommandSpec spec, java.util.function.Predicate<ArgSpec> which) {
        List<ArgSpec> found = new ArrayList<>(spec.positionalParameters());
        found.addAll(spec.options());
        return found.stream().filter(which).toList();
    }
}
