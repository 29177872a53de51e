package io.github.bts4j.core.llama;

import java.util.Optional;

/** The number format of a checkpoint's weights. */
public enum Precision {
    /** IEEE 754 binary32. */
    FLOAT32("float32", 4),
    /** IEEE 754 binary16. */
    FLOAT16("float16", 2),
    /** The upper half of a binary32: 8 exponent bits, 7 fraction bits. */
    BFLOAT16("bfloat16", 2);

    private final String jsonName;
    private final int bytes;

    Precision(String jsonName, int bytes) {
        this.jsonName = jsonName;
        this.bytes = bytes;
    }

    /**
     * The name that {@code config.json} uses in {@code torch_dtype} and {@code dtype}.
     *
     * @return the name, such as {@code bfloat16}
     */
    public String jsonName() {
        return jsonName;
    }

    /**
     * The size of one weight.
     *
     * @return the size in bytes
     */
    public int bytes() {
        return bytes;
    }

    /**
     * Finds a precision by the name that {@code config.json} uses.
     *
     * @param name the name, such as {@code bfloat16}
     * @return the precision, or empty where bts4j has none of that name
     */
    public static Optional<Precision> named(String name) {
        for (Precision precision : values()) {
            if (precision.jsonName.equals(name)) {
                return Optional.of(precision);
            }
        }
        return Optional.empty();
    }
}
