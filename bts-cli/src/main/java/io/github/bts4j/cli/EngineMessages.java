package io.github.bts4j.cli;

import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Turns the messages of libtorch and DJL, which have stack traces, into one line. */
final class EngineMessages {
    private static final Pattern ALLOCATION = Pattern.compile("allocate memory: you tried to allocate (\\d+) bytes");
    private static final Pattern CUDA = Pattern.compile("CUDA out of memory\\. Tried to allocate ([\\d.]+ \\w+)");
    private static final Pattern ERROR = Pattern.compile("(?m)^\\s*(?:\\w*Error|RuntimeError): (.+)$");
    private static final String LESS = "; use a smaller --batch or --sequence, --dtype bfloat16, or --int8 (bts plan shows how much a training needs)";

    private EngineMessages() {}

    /** The message of a failure in libtorch; empty for other failures. */
    static String of(Throwable failure) {
        String name = failure.getClass().getName();
        if (failure instanceof LinkageError) {
            return "the native libraries of libtorch cannot be loaded: " + first(String.valueOf(failure.getMessage())) + "; docs/troubleshooting.md lists the required ones";
        }
        if (!name.startsWith("ai.djl.")) {
            return "";
        }
        String message = String.valueOf(failure.getMessage());
        Matcher allocation = ALLOCATION.matcher(message);
        if (allocation.find()) {
            return "there is not enough memory for a tensor of " + (Long.parseLong(allocation.group(1)) >> 20) + " MiB" + LESS;
        }
        Matcher cuda = CUDA.matcher(message);
        if (cuda.find()) {
            return "the GPU has not enough memory for another " + cuda.group(1) + LESS;
        }
        if (message.contains("No deep learning engine found")) {
            return "the native libraries of libtorch are missing; docs/troubleshooting.md lists the required ones";
        }
        Matcher error = ERROR.matcher(message);
        String last = "";
        while (error.find()) {
            last = error.group(1);
        }
        return "libtorch failed: " + (last.isEmpty() ? first(message) : last.strip()) + "; --debug shows where";
    }

    private static String first(String message) {
        return message.lines().findFirst().orElse("");
    }
}
