package io.github.bts4j.vector;

import io.github.bts4j.core.rows.Blocks;
import java.nio.ByteBuffer;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorOperators;

/**
 * Q6_K: blocks of 256 values in two halves, each with 64 bytes of low nibbles; then for each half 32 bytes with the high pairs of bits; then sixteen signed scales of groups
 * of 16 values, and d. A value is d s (q - 32).
 */
final class Q6KRows extends BlockRows {
    private static final int SIZE = 210;
    private static final int SCALES = 192;
    private static final int D = 208;

    Q6KRows(Blocks blocks) {
        super(blocks);
    }

    @Override
    int grouped() {
        return 16;
    }

    @Override
    void scales(ByteBuffer bytes, int offset, Scales scales, int row) {
        for (int b = 0; b < columns / 256; b++) {
            float d = Halves.at(bytes, offset + b * SIZE + D);
            for (int i = 0; i < 16; i += LANES) {
                ((FloatVector) Memory.Bytes.widened(memory, offset + b * SIZE + SCALES + i).convert(VectorOperators.I2F, 0)).mul(d).intoArray(scales.s, row * scales.groups + 16 * b + i);
            }
        }
    }

    @Override
    void twoRows(Object memory, int offset, int other, float[] x, Scales scales, float[] lanes) {
        row(memory, offset, columns / 128, x, scales.s, 0).intoArray(lanes, 0);
        row(memory, other, columns / 128, x, scales.s, scales.groups).intoArray(lanes, LANES);
    }

    /** A quarter of every half after the other: with all four in one loop, JDK 17 does not inline what the loop calls. */
    private static FloatVector row(Object memory, int offset, int halves, float[] x, float[] s, int start) {
        FloatVector sum = FloatVector.zero(F);
        for (int quarter = 0; quarter < 4; quarter++) {
            int nibble = quarter / 2 * 4;
            for (int h = 0; h < halves; h++) {
                int block = offset + (h >> 1) * SIZE;
                int low = block + (h & 1) * 64 + (quarter & 1) * 32;
                int high = block + 128 + (h & 1) * 32;
                for (int i = 0; i < 32; i += LANES) {
                    IntVector four = Memory.Bytes.widened(memory, low + i).lanewise(VectorOperators.LSHR, nibble).and(15);
                    IntVector two = Memory.Bytes.widened(memory, high + i).lanewise(VectorOperators.LSHR, 2 * quarter).and(3).lanewise(VectorOperators.LSHL, 4);
                    FloatVector value = (FloatVector) four.or(two).sub(32).convert(VectorOperators.I2F, 0);
                    sum = value.mul(FloatVector.fromArray(F, x, h * 128 + quarter * 32 + i)).fma(FloatVector.broadcast(F, s[start + h * 8 + quarter * 2 + i / 16]), sum);
                }
            }
        }
        return sum;
    }
}
