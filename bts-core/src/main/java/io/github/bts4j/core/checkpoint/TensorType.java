package io.github.bts4j.core.checkpoint;

import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;

/**
 * The element types that a checkpoint may hold, under the names of the safetensors format.
 *
 * <p>All are stored little-endian. Types of the format that are missing here (8-bit floats and smaller, complex
 * numbers) are refused by name when a file that uses them is opened.
 */
public enum TensorType {
    /** Truth value, one byte, 0 or 1. */
    BOOL(1),
    /** Unsigned integer of 8 bits. */
    U8(1),
    /** Signed integer of 8 bits. */
    I8(1),
    /** Signed integer of 16 bits. */
    I16(2),
    /** Unsigned integer of 16 bits. */
    U16(2),
    /** IEEE 754 half precision: 1 sign, 5 exponent and 10 fraction bits. */
    F16(2),
    /** bfloat16: the upper half of a float32, with 1 sign, 8 exponent and 7 fraction bits. */
    BF16(2),
    /** Signed integer of 32 bits. */
    I32(4),
    /** Unsigned integer of 32 bits. */
    U32(4),
    /** IEEE 754 single precision. */
    F32(4),
    /** IEEE 754 double precision. */
    F64(8),
    /** Signed integer of 64 bits. */
    I64(8),
    /** Unsigned integer of 64 bits. */
    U64(8);

    private final int bytes;

    TensorType(int bytes) {
        this.bytes = bytes;
    }

    /**
     * The size of one element.
     *
     * @return bytes per element
     */
    public int bytes() {
        return bytes;
    }

    /**
     * The size of a tensor of this type, {@code product(shape) * bytes()}; a shape without dimensions is one element.
     *
     * <p>Dimensions of 0 count as 1 in the check for overflow, because an engine computes strides that way.
     *
     * @param shape the length of each dimension
     * @return bytes of the whole tensor
     * @throws IllegalArgumentException if a dimension is negative
     * @throws ArithmeticException if the size does not fit into 63 bits
     */
    public long byteCount(List<Long> shape) {
        long product = bytes;
        boolean empty = false;
        for (long dimension : shape) {
            if (dimension < 0) {
                throw new IllegalArgumentException("shape = " + shape + " has the negative dimension " + dimension);
            }
            empty |= dimension == 0;
            product = Math.multiplyExact(product, Math.max(dimension, 1));
        }
        return empty ? 0 : product;
    }

    /**
     * The type of a given name.
     *
     * @param name the name in a safetensors header, for example {@code BF16}; case matters
     * @return the type, or empty when this library does not read such tensors
     */
    public static Optional<TensorType> named(String name) {
        return Arrays.stream(values()).filter(type -> type.name().equals(name)).findFirst();
    }

    /** All names, for messages. */
    static String names() {
        return Arrays.stream(values()).map(TensorType::name).collect(Collectors.joining(", "));
    }
}
