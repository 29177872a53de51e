package io.github.bts4j.vector;

import io.github.bts4j.core.rows.Blocks;
import java.nio.ByteBuffer;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorOperators;

/** Q5_K: as Q4_K, with 32 bytes of fifth bits before the others, bit g of byte i for value i of group g. */
final class Q5KRows extends BlockRows {
    private static final int SIZE = 176;

    Q5KRows(Blocks blocks) {
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

    private static FloatVector value(IntVector four, IntVector fifth) {
        return (FloatVector) four.and(15).or(fifth.and(1).lanewise(VectorOperators.LSHL, 4)).convert(VectorOperators.I2F, 0);
    }

    private static FloatVector row(Object memory, int offset, int pairs, float[] x, float[] s, int first) {
        FloatVector sum = FloatVector.zero(F);
        FloatVector otherSum = sum;
        for (int p = 0; p < pairs; p++) {
            int block = offset + (p >> 2) * SIZE;
            int pair = p & 3;
            FloatVector product = FloatVector.zero(F);
            FloatVector otherProduct = product;
            for (int i = 0; i < GROUP; i += LANES) {
                IntVector bytes = Memory.Bytes.widened(memory, block + 32 + pair * 32 + i);
                IntVector fifths = Memory.Bytes.widened(memory, block + i).lanewise(VectorOperators.LSHR, 2 * pair);
                product = value(bytes, fifths).fma(FloatVector.fromArray(F, x, p * 64 + i), product);
                otherProduct = value(bytes.lanewise(VectorOperators.LSHR, 4), fifths.lanewise(VectorOperators.LSHR, 1)).fma(FloatVector.fromArray(F, x, p * 64 + 32 + i), otherProduct);
            }
            sum = product.fma(FloatVector.broadcast(F, s[first + 2 * p]), sum);
            otherSum = otherProduct.fma(FloatVector.broadcast(F, s[first + 2 * p + 1]), otherSum);
        }
        return sum.add(otherSum);
    }
}
