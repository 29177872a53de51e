package io.github.bts4j.core.fuzz;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/**
 * Opens many damaged copies of a valid file. Each has to be taken, or to be refused by a documented exception with a message, within five seconds. How many:
 * {@code -Dbts4j.mutations=20000}; a few hundred otherwise.
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

    private Fuzz() {}

    /** How many mutations to try. */
    public static int count(int ordinarily) {
        return Integer.getInteger("bts4j.mutations", ordinarily);
    }

    /** Tries them; gives how many were taken. {@code file} is written anew each time. */
    public static int run(Path file, byte[] valid, int count, Mutator mutator, Reader reader, Set<Class<? extends Exception>> documented) throws Exception {
        ExecutorService thread = Executors.newSingleThreadExecutor(runnable -> {
            Thread daemon = new Thread(runnable, "fuzz");
            daemon.setDaemon(true);
            return daemon;
        });
        int taken = 0;
        try {
            taken(thread, write(file, valid), reader, Set.of(), -1);
            for (int i = 0; i < count; i++) {
                taken += taken(thread, write(file, mutator.of(valid, new Random(SEED + i))), reader, documented, i) ? 1 : 0;
            }
        } finally {
            thread.shutdownNow();
        }
        System.out.println(file.getFileName() + ": " + count + " mutations, " + taken + " taken, " + (count - taken) + " refused");
        return taken;
    }

    private static Path write(Path file, byte[] bytes) throws IOException {
        return Files.write(file, bytes);
    }

    private static boolean taken(ExecutorService thread, Path file, Reader reader, Set<Class<? extends Exception>> allowed, int i) throws Exception {
        Future<?> reading = thread.submit(() -> {
            reader.read(file);
            return null;
        });
        try {
            reading.get(SECONDS, TimeUnit.SECONDS);
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
