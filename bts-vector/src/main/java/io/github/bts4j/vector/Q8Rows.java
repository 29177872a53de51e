package io.github.bts4j.vector;

import io.github.bts4j.core.rows.Blocks;
import java.nio.ByteBuffer;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorOperators;

/** Q8_0: blocks of a float16 d and 32 signed bytes; a value is d q. */
final class Q8Rows extends BlockRows {
    private static final int SIZE = 34;

    Q8Rows(Blocks blocks) {
        super(blocks);
    }

    @Override
    void read(ByteBuffer bytes, int offset, Scales scales, int row) {
        Halves.read(bytes, offset, SIZE, columns / GROUP, scales.rawFactors, row * scales.groups);
    }

    @Override
    void convert(Scales scales) {
        Halves.convert(scales.rawFactors, 1, scales.s);
    }

    private static FloatVector value(Object memory, int at) {
        return (FloatVector) Memory.Bytes.widened(memory, at).convert(VectorOperators.I2F, 0);
    }

    @Override
    void twoRows(Object memory, int offset, int other, float[] x, Scales scales, int row, float[] lanes) {
        float[] s = scales.s;
        int s0 = row * scales.groups;
        int s1 = s0 + scales.groups;
        FloatVector sum = FloatVector.zero(F);
        FloatVector otherSum = sum;
        int count = columns / GROUP;
        for (int b = 0; b < count; b++) {
            FloatVector product = FloatVector.zero(F);
            FloatVector otherProduct = product;
            for (int i = 0; i < GROUP; i += LANES) {
                FloatVector value = FloatVector.fromArray(F, x, b * GROUP + i);
                product = value(memory, offset + b * SIZE + 2 + i).fma(value, product);
                otherProduct = value(memory, other + b * SIZE + 2 + i).fma(value, otherProduct);
            }
            sum = product.fma(FloatVector.broadcast(F, s[s0 + b]), sum);
            otherSum = otherProduct.fma(FloatVector.broadcast(F, s[s1 + b]), otherSum);
        }
        sum.intoArray(lanes, 0);
        otherSum.intoArray(lanes, LANES);
    }
}
