package io.github.bts4j.core.support;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;

/** This machine's processor. Thread-safe. */
public final class Processor {
    private static final Path DESCRIPTION = Path.of("/proc/cpuinfo");
    private static final List<String> EXTENSIONS = List.of("avx2", "avx512f", "avx512_bf16", "amx_tile", "asimd", "sve", "bf16");
    private static final List<String> LINES = description();

    private Processor() {}

    /** {@return the architecture, and the vector extensions that libtorch and oneDNN choose their kernels by: sums depend on them} */
    public static String kind() {
        List<String> has = extensions();
        return System.getProperty("os.arch") + EXTENSIONS.stream().filter(has::contains).map(" "::concat).collect(Collectors.joining())
                + environment("ONEDNN_MAX_CPU_ISA") + environment("ATEN_CPU_CAPABILITY");
    }

    /** {@return the processor's name as the system gives it; the architecture where it gives none} */
    public static String name() {
        String windows = System.getenv("PROCESSOR_IDENTIFIER");
        return value("model name").orElse(windows == null ? System.getProperty("os.arch") : windows);
    }

    /** {@return the names of its extensions; empty on other systems than Linux} */
    public static List<String> extensions() {
        return Arrays.asList(value("flags").or(() -> value("Features")).orElse("").split("\\s+"));
    }

    private static Optional<String> value(String key) {
        return LINES.stream().filter(line -> line.startsWith(key)).map(line -> line.substring(line.indexOf(':') + 1).strip()).findFirst();
    }

    private static List<String> description() {
        try {
            return Files.readAllLines(DESCRIPTION);
        } catch (IOException e) { // not Linux
            return List.of();
        }
    }

    private static String environment(String name) {
        String value = System.getenv(name);
        return value == null ? "" : ", " + name + "=" + value;
    }
}
