package io.github.bts4j.train;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.sun.jna.NativeLibrary;
import io.github.bts4j.core.torch.Torch;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.stream.Stream;

/**
 * What this process holds while nothing computes in it, after a garbage collection and after the C library has given back what is free. On Linux with glibc.
 *
 * @param nativeBytes resident memory apart from what the Java machine has for heap, classes and code
 * @param heapBytes used heap
 * @param files how often each file is open, and not just for a moment
 * @param threads Java threads
 * @param tensors what the library's root manager owns
 */
record ProcessFigures(long nativeBytes, long heapBytes, Map<String, Integer> files, int threads, int tensors) {
    /** The heap is to be touched from the beginning, {@code -Xms} as {@code -Xmx} and {@code -XX:+AlwaysPreTouch}: else its pages would count as native. */
    static ProcessFigures now() throws IOException, InterruptedException {
        var memory = ManagementFactory.getMemoryMXBean();
        OpenFiles open = OpenFiles.look();
        for (int i = 0; i < 3; i++) {
            System.gc();
            Thread.sleep(50); // for cleaners
            open.lookAgain();
        }
        NativeLibrary.getInstance("c").getFunction("malloc_trim").invokeInt(new Object[] {0L});
        long java = memory.getHeapMemoryUsage().getCommitted() + memory.getNonHeapMemoryUsage().getCommitted();
        return new ProcessFigures(resident() - java, memory.getHeapMemoryUsage().getUsed(), open.counts(), ManagementFactory.getThreadMXBean().getThreadCount(),
                Torch.manager().getManagedArrays().size());
    }

    /** The reverse of {@link #parse}, in one line. */
    String json() throws IOException {
        return new ObjectMapper().writeValueAsString(this);
    }

    static ProcessFigures parse(String json) {
        try {
            return new ObjectMapper().readValue(json, ProcessFigures.class);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static long resident() throws IOException {
        try (Stream<String> lines = Files.lines(Path.of("/proc/self/status"))) {
            return 1024 * lines.filter(line -> line.startsWith("VmRSS:")).mapToLong(line -> Long.parseLong(line.replaceAll("\\D", ""))).findFirst().orElseThrow();
        }
    }
}
