package io.github.bts4j.vector;

import io.github.bts4j.core.rows.Blocks;
import java.nio.ByteBuffer;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;

/** Q4_K: blocks of 256 values; behind the scales of eight groups are 128 bytes, of which each run of 32 holds the values of two groups. */
final class Q4KRows extends BlockRows {
    private static final int SIZE = 144;

    Q4KRows(Blocks blocks) {
        super(blocks);
    }

    @Override
    void scales(ByteBuffer bytes, int offset, Scales scales, int row) {
        GroupScales.of(bytes, offset, SIZE, columns / 256, scales, row);
    }

    @Override
    void twoRows(Object memory, int offset, int other, float[] x, Scales scales, float[] lanes) {
        minima(scales, 0, x, columns).add(row(memory, offset + 16, columns / 64, x, scales.s, 0)).intoArray(lanes, 0);
        minima(scales, 1, x, columns).add(row(memory, other + 16, columns / 64, x, scales.s, scales.groups)).intoArray(lanes, LANES);
    }

    private static FloatVector row(Object memory, int offset, int pairs, float[] x, float[] s, int first) {
        FloatVector sum = FloatVector.zero(F);
        FloatVector otherSum = sum;
        for (int p = 0; p < pairs; p++) {
            int at = offset + (p >> 2) * SIZE + (p & 3) * 32;
            FloatVector product = FloatVector.zero(F);
            FloatVector otherProduct = product;
            for (int i = 0; i < GROUP; i += LANES) {
                IntVector bytes = Memory.Bytes.widened(memory, at + i);
                product = NibbleRows.low(bytes).fma(FloatVector.fromArray(F, x, p * 64 + i), product);
                otherProduct = NibbleRows.high(bytes).fma(FloatVector.fromArray(F, x, p * 64 + 32 + i), otherProduct);
            }
            sum = product.fma(FloatVector.broadcast(F, s[first + 2 * p]), sum);
            otherSum = otherProduct.fma(FloatVector.broadcast(F, s[first + 2 * p + 1]), otherSum);
        }
        return sum.add(otherSum);
    }
}
