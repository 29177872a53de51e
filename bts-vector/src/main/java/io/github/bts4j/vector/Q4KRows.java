package io.github.bts4j.vector;

import io.github.bts4j.core.rows.Blocks;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorOperators;

/** Q4_K: behind the scales are 128 bytes, of which each run of 32 holds the values of two groups. */
final class Q4KRows extends GroupedRows {
    private static final int SIZE = 144;

    Q4KRows(Blocks blocks) {
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
            int at = offset + (p >> 2) * SIZE + (p & 3) * GROUP;
            FloatVector product = FloatVector.zero(F);
            FloatVector otherProduct = product;
            for (int i = 0; i < GROUP; i += LANES) {
                IntVector word = widened(bytes, at + i);
                product = ((FloatVector) word.and(15).convert(VectorOperators.I2F, 0)).fma(FloatVector.fromArray(F, x, p * 64 + i), product);
                otherProduct = ((FloatVector) word.and(0xF0).convert(VectorOperators.I2F, 0)).fma(FloatVector.fromArray(F, x, p * 64 + GROUP + i), otherProduct);
            }
            int f = first + (p >> 2) * 16 + (p & 3) * 2;
            sum = product.fma(FloatVector.broadcast(F, factors[f]), sum);
            otherSum = otherProduct.fma(FloatVector.broadcast(F, factors[f + 1]), otherSum);
        }
        return sum.add(otherSum);
    }
}
