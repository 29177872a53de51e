package io.github.bts4j.vector;

import java.nio.ByteBuffer;

/** IEEE float16 numbers as float32. */
final class Halves {
    private static final int FIELDS = 0x8FFFE000; // sign, exponent and fraction of a float16 whose bits are shifted to the fraction's place
    private static final float SCALE = 0x1p112f; // the difference of the exponents' biases

    private Halves() {
    }

    /** The one at an offset. An infinity, which no scale is, becomes finite. */
    static float at(ByteBuffer bytes, int offset) {
        return Float.intBitsToFloat(bytes.getShort(offset) << 13 & FIELDS) * SCALE;
    }
}
