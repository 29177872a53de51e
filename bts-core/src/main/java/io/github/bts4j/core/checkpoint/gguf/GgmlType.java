package io.github.bts4j.core.checkpoint.gguf;

import java.util.Arrays;
import java.util.Optional;
import java.util.stream.Collectors;

/** The element types of GGUF tensors that can be read, with the numbers and block sizes of ggml. */
public enum GgmlType {
    /** 32-bit floating point. */
    F32(0, 1, 4),
    /** 16-bit IEEE floating point. */
    F16(1, 1, 2),
    /** 32 values of 4 bits and a scale. */
    Q4_0(2, 32, 18),
    /** 32 values of 4 bits, a scale and a minimum. */
    Q4_1(3, 32, 20),
    /** 32 values of 5 bits and a scale. */
    Q5_0(6, 32, 22),
    /** 32 values of 5 bits, a scale and a minimum. */
    Q5_1(7, 32, 24),
    /** 32 values of 8 bits and a scale. */
    Q8_0(8, 32, 34),
    /** 256 values of 2 bits; sixteen groups, each with a scale and a minimum of 4 bits. */
    Q2_K(10, 256, 84),
    /** 256 values of 3 bits; sixteen groups, each with a scale of 6 bits. */
    Q3_K(11, 256, 110),
    /** 256 values of 4 bits; eight groups, each with a scale and a minimum of 6 bits. */
    Q4_K(12, 256, 144),
    /** 256 values of 5 bits; eight groups, each with a scale and a minimum of 6 bits. */
    Q5_K(13, 256, 176),
    /** 256 values of 6 bits; sixteen groups, each with a scale of 8 bits. */
    Q6_K(14, 256, 210),
    /** 32 values, each one of 16 unevenly spaced ones, and a scale. */
    IQ4_NL(20, 32, 18),
    /** 256 values, each one of 16 unevenly spaced ones; eight groups, each with a scale of 6 bits. */
    IQ4_XS(23, 256, 136),
    /** The upper half of a 32-bit floating point number. */
    BF16(30, 1, 2);

    /** Names of the types that are known and refused, so that messages can name them. */
    private static final String[] REFUSED = {
        "Q4_2", "Q4_3", null, null, null, "Q8_1", null, null, null, null, null, "Q8_K", "IQ2_XXS", "IQ2_XS", "IQ3_XXS", "IQ1_S", null, "IQ3_S",
        "IQ2_S", null, "I8", "I16", "I32", "I64", "F64", "IQ1_M"};
    private static final int FIRST_REFUSED = 4;

    private final int code;
    private final int blockSize;
    private final int blockBytes;

    GgmlType(int code, int blockSize, int blockBytes) {
        this.code = code;
        this.blockSize = blockSize;
        this.blockBytes = blockBytes;
    }

    /**
     * Finds a type by ggml's number.
     *
     * @param code the number
     * @return the type, or empty when it is not read here
     */
    public static Optional<GgmlType> ofCode(int code) {
        return Arrays.stream(values()).filter(type -> type.code == code).findFirst();
    }

    /** The ggml name of an unsupported type. */
    static String nameOf(int code) {
        int at = code - FIRST_REFUSED;
        return at >= 0 && at < REFUSED.length && REFUSED[at] != null ? REFUSED[at] : "number " + code;
    }

    /** All names, for messages. */
    static String names() {
        return Arrays.stream(values()).map(GgmlType::name).collect(Collectors.joining(", "));
    }

    /** {@return ggml's number} */
    public int code() {
        return code;
    }

    /** {@return the number of values in a block; 1 if values are stored separately} */
    public int blockSize() {
        return blockSize;
    }

    /** {@return the size of a block in bytes} */
    public int blockBytes() {
        return blockBytes;
    }

    /** {@return whether values share scales in blocks; false for F32, F16 and BF16} */
    public boolean isQuantized() {
        return blockSize > 1;
    }

    /**
     * Whether a matrix of this type is multiplied as it is stored. Other quantised types are rare in files of models that are used for more than tests.
     *
     * @return true if a model may keep such matrices; false if they are dequantised
     */
    public boolean isMultiplied() {
        return switch (this) {
            case Q4_0, Q4_1, Q5_0, Q5_1, Q8_0, Q4_K, Q5_K, Q6_K -> true;
            default -> false;
        };
    }

    /**
     * The size of a number of values.
     *
     * @param values the values, a multiple of {@link #blockSize}
     * @return bytes
     * @throws ArithmeticException if it does not fit into 63 bits
     */
    public long byteCount(long values) {
        return Math.multiplyExact(values / blockSize, (long) blockBytes);
    }
}
