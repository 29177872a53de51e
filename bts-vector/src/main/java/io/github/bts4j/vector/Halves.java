package io.github.bts4j.vector;

import static jdk.incubator.vector.VectorOperators.LSHL;

import java.nio.ByteBuffer;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorSpecies;

/** IEEE float16 numbers as float32. Infinities, which no scale is, become finite. */
final class Halves {
    private static final VectorSpecies<Float> F = FloatVector.SPECIES_PREFERRED;
    private static final VectorSpecies<Integer> I = IntVector.SPECIES_PREFERRED;
    private static final float SCALE = 0x1p112f; // the difference of the exponents' biases

    private Halves() {
    }

    /** The one at an offset. */
    static float at(ByteBuffer bytes, int offset) {
        int bits = bytes.getShort(offset);
        return Float.intBitsToFloat((bits & 0x8000) << 16 | (bits & 0x7FFF) << 13) * SCALE;
    }

    /** Reads the bits of {@code count} of them, {@code stride} bytes apart. */
    static void read(ByteBuffer bytes, int offset, int stride, int count, int[] raw, int at) {
        for (int i = 0; i < count; i++) {
            raw[at + i] = bytes.getShort(offset + i * stride);
        }
    }

    /** Converts bits, times a factor; as many as there is room for in {@code into}, a multiple of 16. */
    static void convert(int[] raw, float factor, float[] into) {
        FloatVector scale = FloatVector.broadcast(F, SCALE);
        for (int i = 0; i < into.length; i += F.length()) {
            IntVector bits = IntVector.fromArray(I, raw, i);
            IntVector wide = bits.and(0x8000).lanewise(LSHL, 16).or(bits.and(0x7FFF).lanewise(LSHL, 13));
            wide.reinterpretAsFloats().mul(scale).mul(factor).intoArray(into, i);
        }
    }
}
