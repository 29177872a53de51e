package io.github.bts4j.core.support;

import static io.github.bts4j.core.support.Problems.throwIf;

import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/**
 * The element types of tensors, in memory and in files, with the names of the safetensors format and the numbers of PyTorch. All are stored little-endian. Types of the
 * format that are missing here (8-bit floats and smaller, complex numbers) are refused by name when a file that uses them is opened. DJL's own enum lacks bfloat16.
 */
public enum ElementType {
    /** Truth value, one byte, 0 or 1. */
    BOOL("BOOL", 11, 1),
    /** Unsigned integer of 8 bits. */
    UINT8("U8", 0, 1),
    /** Signed integer of 8 bits. */
    INT8("I8", 1, 1),
    /** Signed integer of 16 bits; in files only. */
    INT16("I16", -1, 2),
    /** Unsigned integer of 16 bits; in files only. */
    UINT16("U16", -1, 2),
    /** IEEE 754 half precision: 1 sign, 5 exponent and 10 fraction bits. */
    FLOAT16("F16", 5, 2),
    /** bfloat16: the upper half of a float32, with 1 sign, 8 exponent and 7 fraction bits. */
    BFLOAT16("BF16", 15, 2),
    /** Signed integer of 32 bits. */
    INT32("I32", 3, 4),
    /** Unsigned integer of 32 bits; in files only. */
    UINT32("U32", -1, 4),
    /** IEEE 754 single precision. */
    FLOAT32("F32", 6, 4),
    /** IEEE 754 double precision. */
    FLOAT64("F64", 7, 8),
    /** Signed integer of 64 bits. */
    INT64("I64", 4, 8),
    /** Unsigned integer of 64 bits; in files only. */
    UINT64("U64", -1, 8);

    private static final Pattern NAMES = Pattern.compile(Arrays.stream(values()).filter(ElementType::isTorch).map(Enum::name).collect(Collectors.joining("|", "\\b(?:", ")\\b")));

    private final String fileName;
    private final int code;
    private final int bytes;

    ElementType(String fileName, int code, int bytes) {
        this.fileName = fileName;
        this.code = code;
        this.bytes = bytes;
    }

    /** {@return the name in a safetensors header, such as {@code BF16}} */
    public String fileName() {
        return fileName;
    }

    /** {@return whether PyTorch has a number for the type, so that tensors in memory may have it too} */
    public boolean isTorch() {
        return code >= 0;
    }

    /** {@return PyTorch's number of the type ({@code c10::ScalarType})} */
    public int code() {
        return code;
    }

    /** {@return the size of one element in bytes} */
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
            throwIf(dimension < 0, () -> new IllegalArgumentException("shape = " + shape + " has the negative dimension " + dimension));
            empty |= dimension == 0;
            product = Math.multiplyExact(product, Math.max(dimension, 1));
        }
        return empty ? 0 : product;
    }

    /**
     * The type of a given name.
     *
     * @param fileName the name in a safetensors header, for example {@code BF16}; case matters
     * @return the type, or empty when this library does not read such tensors
     */
    public static Optional<ElementType> named(String fileName) {
        return Arrays.stream(values()).filter(type -> type.fileName.equals(fileName)).findFirst();
    }

    /**
     * The type of a given number.
     *
     * @param code PyTorch's number
     * @return the type
     * @throws IllegalArgumentException if this library uses no such type
     */
    public static ElementType ofCode(int code) {
        return Arrays.stream(values()).filter(type -> type.isTorch() && type.code == code).findFirst()
                .orElseThrow(() -> new IllegalArgumentException("PyTorch's scalar type " + code + " is none that this library uses"));
    }

    /**
     * A kernel's source with PyTorch's number for each name of a type.
     *
     * @param source with names
     * @return with numbers
     */
    public static String numbered(String source) {
        return NAMES.matcher(source).replaceAll(name -> String.valueOf(valueOf(name.group()).code));
    }

    /** {@return the names in files, for messages} */
    public static String fileNames() {
        return Arrays.stream(values()).map(ElementType::fileName).collect(Collectors.joining(", "));
    }
}
