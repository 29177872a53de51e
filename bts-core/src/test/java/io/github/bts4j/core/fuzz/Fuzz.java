package io.github.bts4j.core.fuzz;

import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.lang.management.ThreadMXBean;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/**
 * Opens many damaged copies of a valid file. Each has to be taken, or to be refused by a documented exception with a message, within five seconds of computing, or of waiting
 * where the machine is idle. How many: {@code -Dbts4j.mutations=20000}; a few hundred otherwise.
 */
public final class Fuzz {

    /** Damages a file. */
    @FunctionalInterface
    public interface Mutator {
        byte[] of(byte[] valid, Random random);
    }

    /** Reads a file. */
    @FunctionalInterface
    public interface Reader {
        void read(Path file) throws Exception;
    }

    /** The most that reading one file may take, in seconds. */
    public static final int SECONDS = 5;

    private static final long SEED = 20261129;
    /** The most that a file may wait for something else than a processor, in seconds: the machine may be busy. */
    private static final int PATIENCE = 120;
    private static final ThreadMXBean THREADS = ManagementFactory.getThreadMXBean();

    private Fuzz() {}

    /** How many mutations to try. */
    public static int count(int ordinarily) {
        return Integer.getInteger("bts4j.mutations", ordinarily);
    }

    /** Tries them; gives how many were taken. {@code file} is written anew each time. */
    public static int run(Path file, byte[] valid, int count, Mutator mutator, Reader reader, Set<Class<? extends Exception>> documented) throws Exception {
        Readings readings = new Readings(reader);
        int taken = 0;
        try {
            readings.taken(Files.write(file, valid), Set.of(), -1);
            readings.slowest = 0; // the valid file loads the native libraries
            for (int i = 0; i < count; i++) {
                taken += readings.taken(Files.write(file, mutator.of(valid, new Random(SEED + i))), documented, i) ? 1 : 0;
            }
        } finally {
            readings.thread.shutdownNow();
        }
        System.out.printf(Locale.ROOT, "%s: %d mutations, %d taken, %d refused, %.2f s at most%n", file.getFileName(), count, taken, count - taken, readings.slowest / 1e9);
        return taken;
    }

    /** One thread that reads files, and for how long. */
    private static final class Readings {
        private final Reader reader;
        private final ExecutorService thread = Executors.newSingleThreadExecutor(runnable -> {
            Thread daemon = new Thread(runnable, "fuzz");
            daemon.setDaemon(true);
            return daemon;
        });
        private final long id;
        private long slowest;

        Readings(Reader reader) throws Exception {
            this.reader = reader;
            id = thread.submit(() -> Thread.currentThread().getId()).get();
        }

        boolean taken(Path file, Set<Class<? extends Exception>> allowed, int i) throws Exception {
            long begin = THREADS.getThreadCpuTime(id);
            Future<?> reading = thread.submit(() -> {
                reader.read(file);
                return null;
            });
            try {
                await(reading, begin, i);
                return true;
            } catch (TimeoutException e) {
                throw new AssertionError(name(i) + " takes more than " + SECONDS + " s, kept as " + keep(file), e);
            } catch (ExecutionException e) {
                Throwable cause = e.getCause();
                boolean expected = allowed.stream().anyMatch(type -> type.isInstance(cause)) && cause.getMessage() != null;
                if (!expected) {
                    throw new AssertionError(name(i) + " ends in " + cause + ", kept as " + keep(file), cause);
                }
                return false;
            } finally {
                slowest = Math.max(slowest, THREADS.getThreadCpuTime(id) - begin);
            }
        }

        private void await(Future<?> reading, long begin, int i) throws InterruptedException, ExecutionException, TimeoutException {
            for (int waited = SECONDS;; waited += SECONDS) {
                try {
                    reading.get(SECONDS, TimeUnit.SECONDS);
                    return;
                } catch (TimeoutException e) {
                    boolean computes = THREADS.getThreadCpuTime(id) - begin > SECONDS * 1_000_000_000L;
                    if (i >= 0 && computes || waited >= PATIENCE) {
                        throw e;
                    }
                }
            }
        }
    }

    private static String name(int i) {
        return i < 0 ? "the valid file" : "mutation " + i + " of seed " + SEED;
    }

    private static Path keep(Path file) throws IOException {
        Path kept = Files.createTempFile("mutation-", "-" + file.getFileName());
        return Files.copy(file, kept, java.nio.file.StandardCopyOption.REPLACE_EXISTING);
    }
}
