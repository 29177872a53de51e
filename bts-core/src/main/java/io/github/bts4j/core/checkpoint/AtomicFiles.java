package io.github.bts4j.core.checkpoint;

import static io.github.bts4j.core.support.Problems.throwIf;

import io.github.bts4j.core.support.FileErrors;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.UUID;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Writes files atomically: they are either complete and new, or unchanged.
 *
 * <p>The content goes to a temporary file in the same folder ({@code .bts4j-<random>.tmp}), which is forced to the disk and then renamed
 * over the target; finally the folder is forced too, where the system supports it. When writing fails, because the disk is full for
 * example, the temporary file is deleted and the target stays untouched. Only a process that is killed leaves a temporary file, which may
 * be deleted by hand. A target that is a symbolic link is replaced by a file; its target is not changed.
 *
 * <p>Thread-safe. If two threads write the same target, the last one wins.
 */
public final class AtomicFiles {

    private static final Logger LOG = LoggerFactory.getLogger(AtomicFiles.class);

    private AtomicFiles() {}

    /** Content that is produced while it is written. */
    @FunctionalInterface
    public interface Content {

        /**
         * Writes all of the content.
         *
         * @param channel the new, empty file; closed by the caller
         * @throws IOException if producing or writing fails; the target is then unchanged
         */
        void writeTo(FileChannel channel) throws IOException;
    }

    /**
     * Writes text as UTF-8.
     *
     * @param file the target, in a folder that exists
     * @param text the whole content
     * @throws IOException if the file cannot be written; it is then unchanged
     */
    public static void write(Path file, String text) throws IOException {
        write(file, text.getBytes(StandardCharsets.UTF_8));
    }

    /**
     * Writes bytes.
     *
     * @param file the target, in a folder that exists
     * @param bytes the whole content
     * @throws IOException if the file cannot be written; it is then unchanged
     */
    public static void write(Path file, byte[] bytes) throws IOException {
        write(file, channel -> {
            ByteBuffer rest = ByteBuffer.wrap(bytes);
            while (rest.hasRemaining()) {
                channel.write(rest);
            }
        });
    }

    /**
     * Writes content that need not fit into memory. Whatever {@code content} throws is passed on.
     *
     * @param file the target, in a folder that exists
     * @param content writes the content
     * @throws IOException if the file cannot be written; it is then unchanged
     * @throws IllegalArgumentException if the path names no file, such as {@code /}
     */
    public static void write(Path file, Content content) throws IOException {
        Path target = file.toAbsolutePath();
        Path folder = target.getParent();
        throwIf(folder == null, () -> new IllegalArgumentException("file = " + file + " is not the path of a file"));
        throwIf(!Files.isDirectory(folder), () -> new NoSuchFileException(
                folder.toString(), null, "no such folder for " + target.getFileName() + ", create it first"));
        Path temporary = folder.resolve(".bts4j-" + UUID.randomUUID() + ".tmp");
        try {
            fill(temporary, content);
            Files.move(temporary, target, StandardCopyOption.ATOMIC_MOVE);
        } catch (IOException failure) {
            remove(temporary, failure);
            throw FileErrors.naming(target, failure);
        } catch (Throwable failure) {
            remove(temporary, failure);
            throw failure;
        }
        forceFolder(folder);
    }

    private static void fill(Path temporary, Content content) throws IOException {
        try (FileChannel channel =
                FileChannel.open(temporary, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE)) {
            content.writeTo(channel);
            channel.force(true);
        }
    }

    private static void remove(Path temporary, Throwable failure) {
        try {
            Files.deleteIfExists(temporary);
        } catch (IOException e) {
            failure.addSuppressed(e);
        }
    }

    /**
     * Makes renames and removals in a folder durable. Not every system supports it; the files are complete in any case.
     *
     * @param folder the folder
     */
    public static void forceFolder(Path folder) {
        try (FileChannel channel = FileChannel.open(folder, StandardOpenOption.READ)) {
            channel.force(true);
        } catch (IOException e) {
            LOG.debug("folder {} cannot be forced to the disk: {}", folder, e.toString());
        }
    }
}
