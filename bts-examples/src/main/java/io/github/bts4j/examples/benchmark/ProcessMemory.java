package io.github.bts4j.examples.benchmark;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.atomic.AtomicBoolean;

/** The process's anonymous memory (Linux). */
final class ProcessMemory {
    private ProcessMemory() {}

    /** The maximum while the work runs, which a thread polls all the time. */
    @SuppressWarnings("ThreadPriorityCheck")
    static double peakMib(Runnable work) throws InterruptedException {
        AtomicBoolean done = new AtomicBoolean();
        double[] peak = new double[1];
        Thread watcher = new Thread(() -> {
            while (!done.get()) {
                peak[0] = Math.max(peak[0], anonymousMib());
                Thread.yield();
            }
        });
        watcher.start();
        work.run();
        done.set(true);
        watcher.join();
        return peak[0];
    }

    static double anonymousMib() {
        try {
            for (String line : Files.readAllLines(Path.of("/proc/self/status"))) {
                if (line.startsWith("RssAnon:")) {
                    return Long.parseLong(line.replaceAll("\\D", "")) / 1024.0;
                }
            }
            return Double.NaN;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
