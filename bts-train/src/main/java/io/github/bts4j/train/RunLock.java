package io.github.bts4j.train;

import io.github.bts4j.core.LockedException;
import io.github.bts4j.core.checkpoint.AtomicFiles;
import java.io.Closeable;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.UUID;

/**
 * The exclusive right to write into a run's folder: two trainers would delete each other's checkpoints. It is a lock of the operating system on the file
 * {@code lock}, which is released when the process ends for any reason, and a random token in the file {@code owner}: whoever comes later writes another one, and then the
 * former owner writes no checkpoint any more.
 *
 * <p>Not thread-safe.
 */
public final class RunLock implements AutoCloseable {
    private static final String OWNER = "owner";

    private final Path folder;
    private final Closeable lock;
    private final String token = UUID.randomUUID().toString();

    private RunLock(Path folder, Closeable lock) throws IOException {
        this.folder = folder;
        this.lock = lock;
        AtomicFiles.write(folder.resolve(OWNER), token);
    }

    /**
     * Locks a run's folder.
     *
     * @param folder the folder, made if absent
     * @return the lock
     * @throws IOException if the folder cannot be written to
     * @throws LockedException if another run, of this process or another, has it
     */
    public static RunLock acquire(Path folder) throws IOException {
        Files.createDirectories(folder);
        FileChannel channel = FileChannel.open(folder.resolve("lock"), StandardOpenOption.CREATE, StandardOpenOption.WRITE);
        boolean free;
        try {
            free = channel.tryLock() != null;
        } catch (OverlappingFileLockException e) {
            free = false;
        } catch (IOException e) {
            channel.close();
            throw e;
        }
        if (!free) {
            channel.close();
            throw new LockedException(folder, "The run in " + folder + " is already being trained: wait for it to end, or use another folder");
        }
        try {
            return new RunLock(folder, channel);
        } catch (IOException e) {
            channel.close();
            throw e;
        }
    }

    /**
     * Takes over a run's folder from an attempt that was given up, but may still be running somewhere: it fails at its next checkpoint. Such attempts compute the same, so
     * that it does not matter which of them wrote a checkpoint. For schedulers that start one attempt after the other; two people would stop each other's runs.
     *
     * @param folder the folder, made if absent
     * @return the right to write into it, until somebody else takes it over
     * @throws IOException if the folder cannot be written to
     */
    public static RunLock takeOver(Path folder) throws IOException {
        Files.createDirectories(folder);
        return new RunLock(folder, () -> { });
    }

    /**
     * Checks that nobody else has taken over the folder.
     *
     * @throws IOException if it cannot be read
     * @throws LockedException if somebody has
     */
    public void requireOwned() throws IOException {
        String owner;
        try {
            owner = Files.readString(folder.resolve(OWNER));
        } catch (NoSuchFileException e) {
            return; // the folder was emptied
        }
        if (!owner.equals(token)) {
            throw new LockedException(folder, "The run in " + folder + " was taken over by another attempt: this one stops, and writes nothing more");
        }
    }

    /** {@return the run's folder, which is locked} */
    public Path folder() {
        return folder;
    }

    @Override
    public void close() throws IOException {
        lock.close();
    }
}
