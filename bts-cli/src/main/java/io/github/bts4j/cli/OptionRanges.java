package io.github.bts4j.cli;

import java.lang.reflect.AnnotatedElement;
import java.math.BigDecimal;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import picocli.CommandLine;
import picocli.CommandLine.Model.ArgSpec;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.ParseResult;

/** Checks numbers, and reports them with the option's name. */
final class OptionRanges {
    private static final List<Class<?>> WHOLE = List.of(int.class, long.class, Integer.class, Long.class);
    private static final List<Class<?>> REAL = List.of(double.class, Double.class);

    private OptionRanges() {}

    static boolean isNumber(ArgSpec argument) {
        return WHOLE.contains(argument.type()) || REAL.contains(argument.type());
    }

    static Optional<Within> of(ArgSpec argument) {
        return argument.userObject() instanceof AnnotatedElement field ? Optional.ofNullable(field.getAnnotation(Within.class)) : Optional.empty();
    }

    /** Refuses the first number that is out of range. */
    static void check(ParseResult parsed) {
        for (ParseResult result = parsed; result != null; result = result.subcommand()) {
            CommandLine command = result.commandSpec().commandLine();
            for (OptionSpec option : result.matchedOptions()) {
                Optional<Within> range = of(option);
                if (range.isPresent() && option.getValue() instanceof Number number && !holds(range.get(), number.doubleValue())) {
                    throw new ParameterException(command, outside(option, number.toString(), number.doubleValue(), range.get()), option, number.toString());
                }
            }
        }
    }

    private static boolean holds(Within range, double value) {
        return (range.above() ? value > range.least() : value >= range.least()) && (range.below() ? value < range.most() : value <= range.most());
    }

    /** Describes why a text is not a valid number for an option. */
    static String unreadable(ArgSpec option, String value) {
        BigDecimal number;
        try {
            number = new BigDecimal(value);
        } catch (NumberFormatException e) {
            return name(option) + " " + value + " is not a " + (WHOLE.contains(option.type()) ? "whole " : "") + "number" + of(option).map(range -> "; allowed: " + text(range)).orElse("");
        }
        return of(option).filter(range -> !holds(range, number.doubleValue())).map(range -> outside(option, value, number.doubleValue(), range))
                .orElse(name(option) + " " + value + (number.stripTrailingZeros().scale() > 0 ? " is not a whole number" : " is out of range")
                        + of(option).map(range -> "; allowed: " + text(range)).orElse(""));
    }

    private static String outside(ArgSpec option, String value, double number, Within range) {
        String how = Double.isNaN(number) ? " is not a number"
                : number < range.least() ? " is below " + text(range.least()) : number > range.most() ? " is above " + text(range.most()) : " is not " + text(range);
        return name(option) + " " + value + how + "; allowed: " + text(range);
    }

    /** Such as {@code 1 to 100}. */
    static String text(Within range) {
        String least = (range.above() ? "above " : "") + text(range.least());
        return range.most() == Double.POSITIVE_INFINITY ? (range.above() ? least : least + " or more") + ", also Infinity"
                : least + (range.above() || range.below() ? " and " + (range.below() ? "below " : "up to ") : " to ") + text(range.most());
    }

    private static String text(double number) {
        return number == Math.rint(number) && Math.abs(number) < 1e15 ? Long.toString((long) number) : String.format(Locale.ROOT, "%s", number);
    }

    static String name(ArgSpec argument) {
        return argument instanceof OptionSpec option ? option.longestName() : argument.paramLabel();
    }
}
