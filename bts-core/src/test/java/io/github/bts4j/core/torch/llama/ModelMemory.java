package io.github.bts4j.core.torch.llama;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.github.bts4j.core.DecodeSession;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * What a model adds to the memory of a process of its own. What libtorch, the compiled kernels and their buffers take once in a process, whatever the model's size, is there before, and the
 * heap, which other tests would make larger or smaller, is all in use from the beginning.
 */
final class ModelMemory {
    static final Path ROLLUP = Path.of("/proc/self/smaps_rollup");

    private ModelMemory() {}

    /** The memory of a model that is opened a second time, and the mapped part of it, both as shares of its file. */
    static double[] inAnotherProcess(Path file, Path output) throws IOException, InterruptedException {
        List<String> command = new ArrayList<>(List.of(Path.of(System.getProperty("java.home"), "bin", "java").toString(), "-Xms512m", "-Xmx512m", "-XX:+AlwaysPreTouch", "-XX:+UseSerialGC",
                "-cp", System.getProperty("java.class.path")));
        ManagementFactory.getRuntimeMXBean().getInputArguments().stream().filter(argument -> argument.startsWith("--add-modules") || argument.startsWith("-Dbts4j.")).forEach(command::add);
        command.addAll(List.of(ModelMemory.class.getName(), file.toString()));
        int status = new ProcessBuilder(command).redirectOutput(output.toFile()).redirectError(ProcessBuilder.Redirect.INHERIT).start().waitFor();
        assertEquals(0, status, "the process that measures");
        List<String> lines = Files.readAllLines(output);
        String[] found = lines.get(lines.size() - 1).split(" ");
        return new double[] {Double.parseDouble(found[0]) / Files.size(file), Double.parseDouble(found[1]) / Files.size(file)};
    }

    /** Prints both numbers of bytes. */
    public static void main(String[] arguments) throws IOException {
        Path file = Path.of(arguments[0]);
        try (LlamaModel warm = LlamaModel.open(file)) {
            use(warm);
        }
        long anonymous = number("Anonymous");
        long pages = number("Pss_File");
        try (LlamaModel model = LlamaModel.open(file)) {
            use(model);
            long mapped = number("Pss_File") - pages;
            System.out.println(number("Anonymous") - anonymous + mapped + " " + mapped);
        }
    }

    /** Decodes a few tokens, so that every matrix is read. */
    private static void use(LlamaModel model) {
        try (DecodeSession session = model.newSession(16)) {
            session.append(2, 3, 4);
            session.append(5);
        }
    }

    /** A number of the summary of the process's memory map, in bytes. */
    private static long number(String name) throws IOException {
        System.gc();
        String line = Files.readAllLines(ROLLUP).stream().filter(text -> text.startsWith(name + ":")).findFirst().orElseThrow();
        return 1024 * Long.parseLong(line.replaceAll("\\D", ""));
    }
}
