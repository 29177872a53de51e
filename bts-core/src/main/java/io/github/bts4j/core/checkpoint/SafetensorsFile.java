package io.github.bts4j.core.checkpoint;

import static io.github.bts4j.core.support.Problems.throwIf;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.Channels;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;

/**
 * The header of a safetensors file with the locations of its tensors. The data is not read.
 *
 * <p>The file is untrusted. Opening it either gives entries that are within the file and cover its data
 * exactly, or fails with a {@link ModelFormatException}; memory is bounded by the header, which may have 100,000,000
 * bytes at most, as in the reference implementation.
 *
 * <p>Immutable and thread-safe. No file is held open, so there is nothing to close; if the file is changed after it
 * was opened, the entries are those of the old file.
 */
public final class SafetensorsFile {

    private final Path file;
    private final SafetensorsHeader header;
    private final TensorTable tensors;

    private SafetensorsFile(Path file, SafetensorsHeader header) {
        this.file = file;
        this.header = header;
        this.tensors = new TensorTable(file, header.entries());
    }

    /**
     * Reads and checks the header of a file.
     *
     * @param file a regular file, or a symbolic link to one
     * @return the file's tensors
     * @throws ModelFormatException if the file is missing, cannot be read, or is not a valid safetensors file
     */
    public static SafetensorsFile open(Path file) {
        throwIf(!Files.isRegularFile(file), () -> new ModelFormatException(file, Files.exists(file)
                ? "not a regular file; give the path of a .safetensors file"
                : "the file does not exist; is the path right, and the download complete?"));
        try (FileChannel channel = FileChannel.open(file)) {
            return new SafetensorsFile(
                    file, SafetensorsHeader.read(file, Channels.newInputStream(channel), channel.size()));
        } catch (IOException e) {
            throw ModelFormatException.unreadable(file, e);
        }
    }

    /** {@return the path of the file that was opened, as it was given} */
    public Path file() {
        return file;
    }

    /**
     * {@return the free text in the header, often {@code format = pt}, by key in the order of the header, not modifiable; empty when
     * the file has none}
     */
    public Map<String, String> metadata() {
        return header.metadata();
    }

    /** {@return all tensors in the order of their data, not modifiable} */
    public List<TensorEntry> entries() {
        return tensors.entries();
    }

    /**
     * Whether there is a tensor of a given name.
     *
     * @param name the tensor's name
     * @return true if {@link #entry(String)} would succeed
     */
    public boolean contains(String name) {
        return tensors.contains(name);
    }

    /**
     * Finds a tensor.
     *
     * @param name the tensor's name
     * @return its location
     * @throws ModelFormatException if the file has no such tensor
     */
    public TensorEntry entry(String name) {
        return tensors.entry(name);
    }

    /**
     * Reads a small tensor into memory.
     *
     * @param entry one of this file's entries
     * @return a new heap buffer in little-endian order with exactly the tensor's bytes, positioned at the first
     * @throws IllegalArgumentException if the entry is not of this file, or has 2 GiB or more
     * @throws ModelFormatException if the file cannot be read, or has become shorter since it was opened
     */
    public ByteBuffer read(TensorEntry entry) {
        return tensors.read(entry);
    }
}
