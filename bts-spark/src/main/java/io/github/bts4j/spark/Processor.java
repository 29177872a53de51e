package io.github.bts4j.spark;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Collectors;

/** The kind of this machine's processor, as far as sums depend on it. */
final class Processor {
    private static final Path DESCRIPTION = Path.of("/proc/cpuinfo");
    private static final List<String> EXTENSIONS = List.of("avx2", "avx512f", "avx512_bf16", "amx_tile", "asimd", "sve", "bf16");
    private static final String KIND = find();

    private Processor() {}

    /** Architecture, and the vector extensions that libtorch and oneDNN choose their kernels by. */
    static String kind() {
        return KIND;
    }

    private static String find() {
        String limits = environment("ONEDNN_MAX_CPU_ISA") + environment("ATEN_CPU_CAPABILITY");
        try {
            String flags = Files.readAllLines(DESCRIPTION).stream().filter(line -> line.startsWith("flags") || line.startsWith("Features")).findFirst().orElse("");
            List<String> has = Arrays.asList(flags.split("\\s+"));
            return System.getProperty("os.arch") + EXTENSIONS.stream().filter(has::contains).map(" "::concat).collect(Collectors.joining()) + limits;
        } catch (IOException e) { // not Linux
            return System.getProperty("os.arch") + limits;
        }
    }

    private static String environment(String name) {
        String value = System.getenv(name);
        return value == null ? "" : ", " + name + "=" + value;
    }
}
