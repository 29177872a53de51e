package io.github.bts4j.train;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.Optional;

/** The folder that a trainer writes its checkpoints into, and its lock if the trainer owns it. */
final class RunOutput implements AutoCloseable {
    private Optional<Path> folder = Optional.empty();
    private Optional<RunLock> lock = Optional.empty();
    private Optional<RunLock> owner = Optional.empty();

    /** Locks a folder until this is closed. */
    void lock(Path run) throws IOException {
        close();
        lock = Optional.of(RunLock.acquire(run));
        use(lock.get());
    }

    /** A folder that the caller has locked, and releases. */
    void use(RunLock locked) {
        folder = Optional.of(locked.folder());
        owner = Optional.of(locked);
    }

    Optional<Path> folder() {
        return folder;
    }

    /** Refuses to write into the run's folder once somebody else has taken it over. */
    RunCheckpoint.Fence fence(Path target) {
        return owner.isPresent() && owner.get().folder().equals(target) ? owner.get()::requireOwned : () -> { };
    }

    @Override
    public void close() {
        try {
            if (lock.isPresent()) {
                lock.get().close();
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } finally {
            lock = Optional.empty();
        }
    }
}
