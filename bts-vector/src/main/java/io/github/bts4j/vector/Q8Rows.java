package io.github.bts4j.vector;

import io.github.bts4j.core.rows.Blocks;
import java.nio.ByteBuffer;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorOperators;

/** Q8_0: blocks of a float16 d and 32 signed bytes; a value is d q. */
final class Q8Rows extends PairedRows {
    private static final int SIZE = 34;
    private static final int FEWEST_WIDENED = 3; // vectors

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

    /** For several vectors, a row's integers are widened to the heap once; the sums go through the same chain. */
    @Override
    public void matmul(int from, int to, float[][] x, float[][] y, int at) {
        if (x.length < FEWEST_WIDENED) {
            super.matmul(from, to, x, y, at);
            return;
        }
        float[] values = new float[columns];
        float[] factors = new float[columns / GROUP];
        for (int r = from; r < to; r++) {
            widen((int) blocks.rowOffset(r), values, factors);
            for (int s = 0; s < x.length; s++) {
                y[s][at + r] = product(values, factors, x[s]);
            }
        }
    }

    private void widen(int offset, float[] values, float[] factors) {
        ByteBuffer bytes = blocks.bytes();
        for (int b = 0; b < factors.length; b++) {
            int at = offset + b * SIZE;
            factors[b] = Halves.at(bytes, at);
            value(memory, at + 2).intoArray(values, b * GROUP);
            value(memory, at + 2 + LANES).intoArray(values, b * GROUP + LANES);
            if (LANES == 8) {
                value(memory, at + 18).intoArray(values, b * GROUP + 16);
                value(memory, at + 26).intoArray(values, b * GROUP + 24);
            }
        }
    }

    private static FloatVector at(float[] x, int i) {
        return FloatVector.fromArray(F, x, i);
    }

    private static float product(float[] values, float[] factors, float[] x) {
        FloatVector sum = FloatVector.zero(F);
        for (int b = 0; b < factors.length; b++) {
            int i = b * GROUP;
            FloatVector product = at(values, i + LANES).fma(at(x, i + LANES), at(values, i).mul(at(x, i)));
            if (LANES == 8) {
                product = at(values, i + 24).fma(at(x, i + 24), at(values, i + 16).fma(at(x, i + 16), product));
            }
            sum = product.fma(FloatVector.broadcast(F, factors[b]), sum);
        }
        return Lanes.sum(sum);
    }
}
