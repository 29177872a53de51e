package io.github.bts4j.vector;

import java.nio.ByteBuffer;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorMask;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorSpecies;

/** Factors and summands of Q4_K and Q5_K: d, dmin, and twelve bytes with a scale and a minimum of 6 bits for each of the eight groups. */
final class GroupScales {
    private static final VectorSpecies<Integer> I = IntVector.SPECIES_256;
    private static final VectorSpecies<Float> F = FloatVector.SPECIES_256;
    private static final IntVector SHIFTS = IntVector.fromArray(I, new int[] {0, 8, 16, 24, 0, 8, 16, 24}, 0);
    private static final VectorMask<Integer> UPPER = VectorMask.fromLong(I, 0xF0);

    private GroupScales() {
    }

    /** Those of a row of blocks of a size. */
    static void of(ByteBuffer bytes, int offset, int size, int count, Scales scales, int row) {
        for (int b = 0; b < count; b++) {
            int at = offset + b * size;
            int factors = bytes.getInt(at + 4);
            int minima = bytes.getInt(at + 8);
            int last = bytes.getInt(at + 12);
            write(factors & 0x3F3F3F3F, last & 0x0F0F0F0F | (factors >>> 6 & 0x03030303) << 4, Halves.at(bytes, at), scales.s, row * scales.groups + 8 * b);
            write(minima & 0x3F3F3F3F, last >>> 4 & 0x0F0F0F0F | (minima >>> 6 & 0x03030303) << 4, -Halves.at(bytes, at + 2), scales.m, row * scales.sums + 8 * b);
        }
    }

    /** Eight bytes times d. */
    private static void write(int first, int second, float d, float[] into, int at) {
        IntVector words = IntVector.broadcast(I, first).blend(second, UPPER);
        ((FloatVector) words.lanewise(VectorOperators.LSHR, SHIFTS).and(63).convert(VectorOperators.I2F, 0)).mul(d).intoArray(into, at);
    }
}
