package io.github.bts4j.vector;

import io.github.bts4j.core.rows.Blocks;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorOperators;

/** Q5_K: as Q4_K, with 32 bytes of fifth bits before the others, bit g of byte i for value i of group g. */
final class Q5KRows extends GroupedRows {
    private static final int SIZE = 176;

    Q5KRows(Blocks blocks) {
        super(blocks);
    }

    @Override
    FloatVector products(byte[] bytes, int block, int pairs, float[] x, float[] factors) {
        return sums(bytes, block * SIZE + 16, pairs, x, factors, 16 * block);
    }

    private static FloatVector sums(byte[] bytes, int offset, int pairs, float[] x, float[] factors, int first) {
        FloatVector sum = FloatVector.zero(F);
        FloatVector otherSum = sum;
        for (int p = 0; p < pairs; p++) {
            int at = offset + (p >> 2) * SIZE;
            int pair = p & 3;
            FloatVector product = FloatVector.zero(F);
            FloatVector otherProduct = product;
            for (int i = 0; i < GROUP; i += LANES) {
                IntVector word = widened(bytes, at + GROUP + pair * GROUP + i);
                IntVector fifths = widened(bytes, at + i).lanewise(VectorOperators.LSHL, 7).lanewise(VectorOperators.LSHR, 2 * pair);
                FloatVector q = (FloatVector) word.and(15).or(fifths.lanewise(VectorOperators.LSHR, 3).and(16)).convert(VectorOperators.I2F, 0);
                product = q.fma(FloatVector.fromArray(F, x, p * 64 + i), product);
                q = (FloatVector) word.and(0xF0).or(fifths.and(256)).convert(VectorOperators.I2F, 0);
                otherProduct = q.fma(FloatVector.fromArray(F, x, p * 64 + GROUP + i), otherProduct);
            }
            int f = first + (p >> 2) * 16 + pair * 2;
            sum = product.fma(FloatVector.broadcast(F, factors[f]), sum);
            otherSum = otherProduct.fma(FloatVector.broadcast(F, factors[f + 1]), otherSum);
        }
        return sum.add(otherSum);
    }
}
