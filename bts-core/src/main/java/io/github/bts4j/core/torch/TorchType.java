package io.github.bts4j.core.torch;

import java.util.Arrays;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/** The element types of tensors, with the numbers that PyTorch's scripts use for them. DJL's own enum lacks bfloat16. */
public enum TorchType {
    /** Unsigned byte. */
    UINT8(0, 1),
    /** Signed byte. */
    INT8(1, 1),
    /** 32-bit integer. */
    INT32(3, 4),
    /** 64-bit integer. */
    INT64(4, 8),
    /** IEEE half precision. */
    FLOAT16(5, 2),
    /** IEEE single precision. */
    FLOAT32(6, 4),
    /** IEEE double precision. */
    FLOAT64(7, 8),
    /** Truth values. */
    BOOL(11, 1),
    /** Single precision cut to 16 bits. */
    BFLOAT16(15, 2);

    private static final Pattern NAMES = Pattern.compile(Arrays.stream(values()).map(Enum::name).collect(Collectors.joining("|", "\\b(?:", ")\\b")));

    private final int code;
    private final int bytes;

    TorchType(int code, int bytes) {
        this.code = code;
        this.bytes = bytes;
    }

    /**
     * PyTorch's number of the type ({@code c10::ScalarType}).
     *
     * @return the number
     */
    public int code() {
        return code;
    }

    /**
     * The size of one element.
     *
     * @return bytes
     */
    public int bytes() {
        return bytes;
    }

    /** A kernel source with PyTorch's number for each name of a type. */
    static String numbered(String source) {
        return NAMES.matcher(source).replaceAll(name -> String.valueOf(valueOf(name.group()).code));
    }

    static TorchType ofCode(int code) {
        for (TorchType type : values()) {
            if (type.code == code) {
                return type;
            }
        }
        throw new IllegalArgumentException("PyTorch's scalar type " + code + " is none that this library uses");
    }
}
