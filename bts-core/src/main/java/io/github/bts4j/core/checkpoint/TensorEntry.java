package io.github.bts4j.core.checkpoint;

import static io.github.bts4j.core.support.Problems.throwIf;

import io.github.bts4j.core.support.ElementType;
import java.nio.file.Path;
import java.util.List;
import java.util.Objects;

/**
 * The location of a tensor: all that is needed to map its bytes.
 *
 * <p>Immutable, thread-safe; holds no open file. An entry that came from {@link SafetensorsFile} or
 * {@link Checkpoint} is within its file, as of when it was opened.
 *
 * @param name the tensor's name, for example {@code model.layers.0.self_attn.q_proj.weight}
 * @param type the element type
 * @param shape the length of each dimension, outermost first; empty for a single number; not modifiable
 * @param file the file that holds the bytes
 * @param offset where the bytes start, counted in bytes from the start of the file; not necessarily aligned
 * @param length how many bytes there are: the product of {@code shape} times {@link ElementType#bytes()}
 */
public record TensorEntry(String name, ElementType type, List<Long> shape, Path file, long offset, long length) {

    /**
     * Checks that the parts agree with each other.
     *
     * @param name the tensor's name
     * @param type the element type
     * @param shape the length of each dimension
     * @param file the file that holds the bytes
     * @param offset bytes from the start of the file
     * @param length bytes of the tensor
     * @throws IllegalArgumentException if a dimension or the offset is negative, or the length is not that of the shape
     * @throws ArithmeticException if the size of the shape, or the end of the tensor, does not fit into 63 bits
     */
    public TensorEntry {
        Objects.requireNonNull(name, "name");
        Objects.requireNonNull(type, "type");
        Objects.requireNonNull(file, "file");
        shape = List.copyOf(shape);
        throwIf(offset < 0, () -> new IllegalArgumentException("offset = " + offset + " of tensor '" + name + "' is negative"));
        long expected = type.byteCount(shape);
        if (length != expected) {
            throw new IllegalArgumentException("length = " + length + " of tensor '" + name + "', but " + type.fileName() + ' '
                    + shape + " takes " + expected + " bytes");
        }
        Math.addExact(offset, length);
    }

    /** {@return the length of each dimension, in a new array} */
    public long[] dimensions() {
        return shape.stream().mapToLong(Long::longValue).toArray();
    }

    /** {@return the number of elements: the product of the dimensions, 1 for a tensor without dimensions} */
    public long elements() {
        return length / type.bytes();
    }

    /** {@return the offset of the first byte after the tensor, counted from the start of the file} */
    public long end() {
        return offset + length;
    }
}
