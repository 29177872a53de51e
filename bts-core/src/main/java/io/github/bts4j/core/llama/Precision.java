package io.github.bts4j.core.llama;

import io.github.bts4j.core.support.ElementType;
import java.util.Arrays;
import java.util.Locale;
import java.util.Optional;

/** The number format that a model computes in: three of the {@link ElementType element types}. */
public enum Precision {
    /** IEEE 754 binary32. */
    FLOAT32(ElementType.FLOAT32),
    /** IEEE 754 binary16. */
    FLOAT16(ElementType.FLOAT16),
    /** The upper half of a binary32: 8 exponent bits, 7 fraction bits. */
    BFLOAT16(ElementType.BFLOAT16);

    private final ElementType elementType;

    Precision(ElementType elementType) {
        this.elementType = elementType;
    }

    /** {@return the element type of the weights as tensors} */
    public ElementType elementType() {
        return elementType;
    }

    /** {@return the name that {@code config.json} uses in {@code torch_dtype} and {@code dtype}, such as {@code bfloat16}} */
    public String jsonName() {
        return name().toLowerCase(Locale.ROOT);
    }

    /** {@return the size of one weight in bytes} */
    public int bytes() {
        return elementType.bytes();
    }

    /**
     * Finds a precision by the name that {@code config.json} uses.
     *
     * @param name the name, such as {@code bfloat16}
     * @return the precision; empty if there is none of that name
     */
    public static Optional<Precision> named(String name) {
        return Arrays.stream(values()).filter(precision -> precision.jsonName().equals(name)).findFirst();
    }
}
