package io.github.bts4j.core.checkpoint.gguf;

import java.nio.file.Path;
import java.util.List;

/**
 * The location of a tensor in a GGUF file.
 *
 * @param name llama.cpp's name, for example {@code blk.0.attn_q.weight}
 * @param type the type of its blocks
 * @param shape the length of each dimension, outermost first (GGUF itself lists them innermost first)
 * @param file the file that holds it
 * @param offset where its bytes start, counted from the start of the file
 * @param length its size in bytes
 */
public record GgufTensor(String name, GgmlType type, List<Long> shape, Path file, long offset, long length) {
    /**
     * Copies the shape.
     *
     * @param name llama.cpp's name
     * @param type the type of its blocks
     * @param shape the length of each dimension, outermost first
     * @param file the file that holds it
     * @param offset bytes from the start of the file
     * @param length size in bytes
     */
    public GgufTensor {
        shape = List.copyOf(shape);
    }

    /** {@return the number of values: the product of the dimensions} */
    public long elements() {
        return length / type.blockBytes() * type.blockSize();
    }
}
