package io.github.bts4j.core.checkpoint;

import java.nio.file.Path;
import java.util.List;

/**
 * Where a tensor lies in a file.
 *
 * @param name its name
 * @param type its element type
 * @param shape its dimensions; none for a scalar
 * @param file the file
 * @param offset its first byte, counted from the beginning of the file
 * @param length its size in bytes
 */
public record TensorEntry(String name, TensorType type, List<Long> shape, Path file, long offset, long length) {
    /**
     * Copies the shape.
     *
     * @param name its name
     * @param type its element type
     * @param shape its dimensions
     * @param file the file
     * @param offset its first byte
     * @param length its size in bytes
     */
    public TensorEntry {
        shape = List.copyOf(shape);
    }
}
