package io.github.bts4j.core.checkpoint;

import java.io.EOFException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * The header of one safetensors file: eight bytes of header length (little-endian), a JSON object, then the tensors' bytes
 * without holes. Only the header is read; every claim in it is checked before it is believed. Immutable and thread-safe.
 */
public final class SafetensorsFile {
    /** The format's own limit on the header. */
    public static final long MAX_HEADER = 100_000_000;

    private final Path path;
    private final Map<String, TensorEntry> entries;
    private final Map<String, String> metadata;

    private SafetensorsFile(Path path, Map<String, TensorEntry> entries, Map<String, String> metadata) {
        this.path = path;
        this.entries = Collections.unmodifiableMap(entries);
        this.metadata = Collections.unmodifiableMap(metadata);
    }

    /**
     * Reads and checks a header.
     *
     * @param path the file
     * @return the file's table of contents
     * @throws IOException if the file cannot be read
     * @throws ModelFormatException if it is malformed
     */
    public static SafetensorsFile open(Path path) throws IOException {
        try (FileChannel channel = FileChannel.open(path, StandardOpenOption.READ)) {
            long size = channel.size();
            if (size < Long.BYTES) {
                throw new ModelFormatException(path, "the file holds " + size + " bytes, a safetensors file at least 8: was it truncated?");
            }
            long length = read(channel, 0, Long.BYTES).getLong();
            if (length < 2 || length > MAX_HEADER || length > size - Long.BYTES) {
                throw new ModelFormatException(path, "", 0, "header length = " + Long.toUnsignedString(length) + ", allowed are 2 .. "
                        + Math.min(MAX_HEADER, size - Long.BYTES) + " in a file of " + size + " bytes: truncated, or no safetensors file?");
            }
            SafetensorsHeader header = new SafetensorsHeader(path, Long.BYTES + length, size);
            header.parse(read(channel, Long.BYTES, (int) length).array());
            return new SafetensorsFile(path, new LinkedHashMap<>(header.entries()), new LinkedHashMap<>(header.metadata()));
        }
    }

    private static ByteBuffer read(FileChannel channel, long position, int length) throws IOException {
        ByteBuffer buffer = ByteBuffer.allocate(length).order(ByteOrder.LITTLE_ENDIAN);
        while (buffer.hasRemaining()) {
            if (channel.read(buffer, position + buffer.position()) < 0) {
                throw new EOFException("The file became shorter while it was read");
            }
        }
        return buffer.flip();
    }

    /**
     * The file.
     *
     * @return its path
     */
    public Path path() {
        return path;
    }

    /**
     * The tensors, in the order of their bytes.
     *
     * @return name to entry, unmodifiable
     */
    public Map<String, TensorEntry> entries() {
        return entries;
    }

    /**
     * The header's free-form entries.
     *
     * @return name to value, unmodifiable
     */
    public Map<String, String> metadata() {
        return metadata;
    }

    /**
     * Reads one tensor's bytes.
     *
     * @param entry an entry of this file
     * @return a little-endian heap buffer
     * @throws IOException if the file cannot be read
     * @throws IllegalArgumentException if the tensor is larger than 2^31 - 9 bytes
     */
    public ByteBuffer read(TensorEntry entry) throws IOException {
        if (entry.length() > Integer.MAX_VALUE - 8) {
            throw new IllegalArgumentException("Tensor '" + entry.name() + "' holds " + entry.length() + " bytes, one buffer at most "
                    + (Integer.MAX_VALUE - 8) + ": map it instead");
        }
        try (FileChannel channel = FileChannel.open(path, StandardOpenOption.READ)) {
            return read(channel, entry.offset(), (int) entry.length());
        }
    }
}
