package io.github.bts4j.stitch;

import io.github.bts4j.core.support.FileErrors;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;

/**
 * An open file whose errors name it.
 *
 * @param path where it is
 * @param channel the open file
 */
record NamedChannel(Path path, FileChannel channel) implements AutoCloseable {
    /** Opens a file for reading and writing; created if absent. */
    static NamedChannel open(Path path) throws IOException {
        return new NamedChannel(path, FileErrors.named(path, () -> FileChannel.open(path, StandardOpenOption.CREATE, StandardOpenOption.READ, StandardOpenOption.WRITE)));
    }

    long size() throws IOException {
        return FileErrors.named(path, channel::size);
    }

    void truncate() throws IOException {
        FileErrors.named(path, () -> channel.truncate(0));
    }

    /** Fills the buffer and flips it; false if the file is too short. */
    boolean readFully(ByteBuffer into, long at) throws IOException {
        return FileErrors.named(path, () -> {
            long position = at;
            while (into.hasRemaining()) {
                int read = channel.read(into, position);
                if (read < 0) {
                    return false;
                }
                position += read;
            }
            into.flip();
            return true;
        });
    }

    void writeFully(ByteBuffer from, long at) throws IOException {
        FileErrors.named(path, () -> {
            long position = at;
            while (from.hasRemaining()) {
                position += channel.write(from, position);
            }
            return position;
        });
    }

    @Override
    public void close() throws IOException {
        channel.close();
    }
}
