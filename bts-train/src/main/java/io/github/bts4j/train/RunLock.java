package io.github.bts4j.train;

import io.github.bts4j.core.LockedException;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;

/**
 * The exclusive right to write into a run's folder: two trainers would delete each other's checkpoints. It is a lock of the operating system on the file
 * {@code lock}, which is released when the process ends for any reason.
 *
 * <p>Not thread-safe.
 */
public final class RunLock implements AutoCloseable {
    private final Path folder;
    private final FileChannel channel;

    private RunLock(Path folder, FileChannel channel) {
        this.folder = folder;
        this.channel = channel;
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
        return new RunLock(folder, channel);
    }

    /** {@return the run's folder, which is locked} */
    public Path folder() {
        return folder;
    }

    @Override
    public void close() throws IOException {
        channel.close();
    }
}
