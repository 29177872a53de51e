package io.github.bts4j.core.torch.djl;

import io.github.bts4j.core.constraint.Constraint;
import io.github.bts4j.core.generate.EndTokens;
import io.github.bts4j.core.generate.GenerationConfig;
import io.github.bts4j.core.generate.Penalties;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Reads generation options from the arguments of DJL criteria, as numbers or strings. Other arguments are refused. */
final class GenerationArguments {
    private static final int MAX_NEW_TOKENS = 128;

    private static final List<String> NAMES = List.of("max_new_tokens", "temperature", "top_k", "top_p", "min_p", "repetition_penalty",
            "presence_penalty", "frequency_penalty", "seed");

    private final Map<String, Object> arguments = new LinkedHashMap<>();

    GenerationArguments(Map<String, Object> arguments) {
        if (arguments != null) {
            this.arguments.putAll(arguments);
        }
        List<String> unknown = this.arguments.keySet().stream().filter(name -> !NAMES.contains(name)).toList();
        if (!unknown.isEmpty()) {
            throw new IllegalArgumentException("Unknown arguments " + unknown + "; text generation supports " + NAMES);
        }
    }

    GenerationConfig config() {
        return new GenerationConfig(Math.toIntExact(whole("max_new_tokens", MAX_NEW_TOKENS)), number("temperature", 0), Math.toIntExact(whole("top_k", 0)),
                number("top_p", 1), number("min_p", 0),
                new Penalties(number("repetition_penalty", 1), number("presence_penalty", 0), number("frequency_penalty", 0), Map.of()),
                whole("seed", 0), EndTokens.OF_MODEL, List.of(), Constraint.NONE);
    }

    private long whole(String name, long absent) {
        Object value = arguments.getOrDefault(name, absent);
        try {
            return Long.parseLong(value.toString());
        } catch (NumberFormatException e) {
            throw new IllegalArgumentException("Argument " + name + " = " + value + " is not a whole number", e);
        }
    }

    private double number(String name, double absent) {
        Object value = arguments.getOrDefault(name, absent);
        try {
            return Double.parseDouble(value.toString());
        } catch (NumberFormatException e) {
            throw new IllegalArgumentException("Argument " + name + " = " + value + " is not a number", e);
        }
    }
}
