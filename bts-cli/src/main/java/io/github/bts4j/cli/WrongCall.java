package io.github.bts4j.cli;

import io.github.bts4j.examples.Suggestion;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.stream.Collectors;
import picocli.CommandLine;
import picocli.CommandLine.MissingParameterException;
import picocli.CommandLine.Model.ArgSpec;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.UnmatchedArgumentException;

/** Turns a usage error into one line with the option, its value and the allowed values. */
final class WrongCall {
    private WrongCall() {}

    static String line(ParameterException failure, RunFile run) {
        CommandLine command = failure.getCommandLine();
        String name = command.getCommandSpec().qualifiedName();
        return name + ": " + Failure.oneLine(message(failure, run)) + "; " + name + " --help shows more";
    }

    private static String message(ParameterException failure, RunFile run) {
        if (failure instanceof MissingParameterException missing) {
            return run.missing(missing.getMissing(), missing(missing));
        }
        if (failure instanceof UnmatchedArgumentException unmatched) {
            return unmatched(unmatched);
        }
        ArgSpec argument = failure.getArgSpec();
        if (argument == null) {
            return failure.getMessage();
        }
        String value = failure.getValue();
        return run.placed(argument, value == null || failure.getMessage().startsWith("--") ? withoutLabel(failure.getMessage(), argument) : unreadable(argument, value));
    }

    private static String unreadable(ArgSpec argument, String value) {
        Class<?> type = argument.auxiliaryTypes().length > 0 && argument.isMultiValue() ? argument.auxiliaryTypes()[0] : argument.type();
        if (OptionRanges.isNumber(argument)) {
            return OptionRanges.unreadable(argument, value);
        }
        String known = type.isEnum() ? Arrays.stream(type.getEnumConstants()).map(constant -> constant.toString().toLowerCase(Locale.ROOT)).collect(Collectors.joining(", "))
                : type == boolean.class || type == Boolean.class ? "true, false" : "";
        return OptionRanges.name(argument) + " " + Failure.shown(value) + (known.isEmpty() ? " is not a " + (type == java.nio.file.Path.class ? "path" : "valid value") : " must be one of " + known);
    }

    private static String missing(MissingParameterException failure) {
        List<ArgSpec> arguments = failure.getMissing();
        return arguments.isEmpty() ? failure.getMessage() : arguments.stream().map(OptionRanges::name).collect(Collectors.joining(" and ")) + (arguments.size() == 1 ? " is missing" : " are missing");
    }

    private static String unmatched(UnmatchedArgumentException failure) {
        CommandSpec spec = failure.getCommandLine().getCommandSpec();
        String first = failure.getUnmatched().get(0);
        if (failure.isUnknownOption()) {
            String name = first.replaceFirst("=.*", "");
            List<String> known = new ArrayList<>();
            spec.options().forEach(option -> known.addAll(List.of(option.names())));
            return "there is no option " + Failure.shown(name) + Suggestion.of(name, known);
        }
        if (spec.parent() == null) {
            return "there is no command " + Failure.shown(first) + Suggestion.of(first, spec.subcommands().keySet());
        }
        return Failure.shown(first) + " is one argument too many: the command takes " + (spec.positionalParameters().isEmpty() ? "options only"
                : spec.positionalParameters().stream().map(ArgSpec::paramLabel).collect(Collectors.joining(", ")));
    }

    /** Recognises messages about an option without a value. */
    private static String withoutLabel(String message, ArgSpec argument) {
        return message.startsWith("Missing required parameter") || message.startsWith("Expected parameter") ? OptionRanges.name(argument) + " has no value" : message;
    }
}
