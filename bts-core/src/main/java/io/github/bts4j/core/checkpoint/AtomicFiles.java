package io.github.bts4j.core.checkpoint;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;

/** Writes files that appear whole or not at all: a temporary file in the same folder, flushed to the disk, then renamed. Not for instances. */
public final class AtomicFiles {
    private AtomicFiles() {}

    /** Writes the content of a file. */
    public interface Content {
        /**
         * Writes everything.
         *
         * @param channel an empty file, open for writing
         * @throws IOException if writing fails
         */
        void writeTo(FileChannel channel) throws IOException;
    }

    /**
     * Writes bytes.
     *
     * @param file the file; one that is there is replaced
     * @param bytes its content
     * @throws IOException if writing fails; an older file stays as it was
     */
    public static void write(Path file, byte[] bytes) throws IOException {
        write(file, (Content) channel -> writeFully(channel, ByteBuffer.wrap(bytes)));
    }

    /**
     * Writes content piece by piece.
     *
     * @param file the file; one that is there is replaced
     * @param content writes it
     * @throws IOException if writing fails; an older file stays as it was and the temporary one is removed
     */
    public static void write(Path file, Content content) throws IOException {
        Path folder = file.toAbsolutePath().getParent();
        Path temporary = Files.createTempFile(folder, "." + file.getFileName(), ".tmp");
        try {
            try (FileChannel channel = FileChannel.open(temporary, StandardOpenOption.WRITE)) {
                content.writeTo(channel);
                channel.force(true);
            }
            Files.move(temporary, file, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
            syncFolder(folder);
        } finally {
            Files.deleteIfExists(temporary);
        }
    }

    /**
     * Writes a buffer to the end.
     *
     * @param channel where to
     * @param buffer what
     * @throws IOException if writing fails
     */
    public static void writeFully(FileChannel channel, ByteBuffer buffer) throws IOException {
        while (buffer.hasRemaining()) {
            channel.write(buffer);
        }
    }

    /**
     * Makes renames and removals in a folder durable, where the system can open folders.
     *
     * @param folder the folder
     */
    public static void syncFolder(Path folder) {
        try (FileChannel channel = FileChannel.open(folder, StandardOpenOption.READ)) {
            channel.force(true);
        } catch (IOException e) {
            // Windows cannot open folders; the rename itself is atomic there too
            org.slf4j.LoggerFactory.getLogger(AtomicFiles.class).trace("Folder {} cannot be flushed", folder, e);
        }
    }
}
