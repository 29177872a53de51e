package io.github.bts4j.vector;

import java.nio.ByteBuffer;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorSpecies;

/** IEEE float16 numbers as float32. An infinity, which no scale is, becomes finite. */
final class Halves {
    private static final VectorSpecies<Integer> I = IntVector.SPECIES_PREFERRED;
    private static final int FIELDS = 0x8FFFE000; // sign, exponent and fraction of a float16 whose bits are shifted to the fraction's place
    private static final float SCALE = 0x1p112f; // the difference of the exponents' biases
    private static final int MAGNITUDE = 0x0FFFE000;
    private static final int NORMAL = 1 << 23; // the smallest one's bits
    private static final int BIAS = 112 << 23;
    private static final float SMALLEST = 0x1p-14f;

    private Halves() {
    }

    /** The one at an offset. */
    static float at(ByteBuffer bytes, int offset) {
        return Float.intBitsToFloat(bytes.getShort(offset) << 13 & FIELDS) * SCALE;
    }

    /**
     * Those in sign-extended bits, in whole vectors. Subnormal numbers, which the factors of large blocks often are, become {@code (1 + fraction) 2^-14 - 2^-14}: as subnormal
     * float32 they would take a hundred times longer.
     */
    static void convert(int[] bits, int count, float[] into) {
        for (int i = 0; i < count; i += I.length()) {
            IntVector shifted = IntVector.fromArray(I, bits, i).lanewise(VectorOperators.LSHL, 13);
            IntVector magnitude = shifted.and(MAGNITUDE);
            FloatVector normal = magnitude.add(BIAS).reinterpretAsFloats();
            FloatVector subnormal = magnitude.add(BIAS + NORMAL).reinterpretAsFloats().sub(SMALLEST);
            FloatVector value = normal.blend(subnormal, magnitude.compare(VectorOperators.LT, NORMAL).cast(BlockRows.F));
            value.reinterpretAsInts().or(shifted.and(Integer.MIN_VALUE)).reinterpretAsFloats().intoArray(into, i);
        }
    }
}
