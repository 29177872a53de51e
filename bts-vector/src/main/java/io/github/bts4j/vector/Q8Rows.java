package io.github.bts4j.vector;

import io.github.bts4j.core.rows.Blocks;
import java.nio.ByteBuffer;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorOperators;

/** Q8_0: blocks of a float16 d and 32 signed bytes; a value is d q. */
final class Q8Rows extends PairedRows {
    private static final int SIZE = 34;

    Q8Rows(Blocks blocks) {
        super(blocks);
    }

    private static FloatVector value(Object memory, int at) {
        return (FloatVector) Memory.Bytes.widened(memory, at).convert(VectorOperators.I2F, 0);
    }

    @Override
    void twoRows(Object memory, int offset, int other, float[] x, float[] lanes) {
        ByteBuffer bytes = blocks.bytes();
        FloatVector sum = FloatVector.zero(F);
        FloatVector otherSum = sum;
        int count = columns / GROUP;
        for (int b = 0; b < count; b++) {
            int at = offset + b * SIZE;
            int otherAt = other + b * SIZE;
            FloatVector x0 = FloatVector.fromArray(F, x, b * GROUP);
            FloatVector x1 = FloatVector.fromArray(F, x, b * GROUP + LANES);
            FloatVector product = value(memory, at + 2 + LANES).fma(x1, value(memory, at + 2).mul(x0));
            FloatVector otherProduct = value(memory, otherAt + 2 + LANES).fma(x1, value(memory, otherAt + 2).mul(x0));
            if (LANES == 8) {
                x0 = FloatVector.fromArray(F, x, b * GROUP + 16);
                x1 = FloatVector.fromArray(F, x, b * GROUP + 24);
                product = value(memory, at + 26).fma(x1, value(memory, at + 18).fma(x0, product));
                otherProduct = value(memory, otherAt + 26).fma(x1, value(memory, otherAt + 18).fma(x0, otherProduct));
            }
            sum = product.fma(FloatVector.broadcast(F, Halves.at(bytes, at)), sum);
            otherSum = otherProduct.fma(FloatVector.broadcast(F, Halves.at(bytes, otherAt)), otherSum);
        }
        sum.intoArray(lanes, 0);
        otherSum.intoArray(lanes, LANES);
    }
}
