package io.github.bts4j.vector;

import io.github.bts4j.core.checkpoint.gguf.GgmlType;
import io.github.bts4j.core.rows.Blocks;
import java.nio.ByteBuffer;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorOperators;

/** Q4_0 and Q4_1: blocks of a float16 d, of Q4_1 a float16 m, and 16 bytes whose low halves are the first 16 values; a value is d (q - 8) or d q + m. */
final class NibbleRows extends PairedRows {
    private final int size;
    private final float center;

    NibbleRows(Blocks blocks) {
        super(blocks);
        size = blocks.type().blockBytes();
        center = blocks.type() == GgmlType.Q4_0 ? -8 : 0;
    }

    static FloatVector low(IntVector bytes) {
        return (FloatVector) bytes.and(15).convert(VectorOperators.I2F, 0);
    }

    static FloatVector high(IntVector bytes) {
        return (FloatVector) bytes.lanewise(VectorOperators.LSHR, 4).and(15).convert(VectorOperators.I2F, 0);
    }

    @Override
    void twoRows(Object memory, int offset, int other, float[] x, float[] lanes) {
        ByteBuffer bytes = blocks.bytes();
        int size = this.size;
        float center = this.center;
        int sums = sumsAt(columns);
        int count = columns / GROUP;
        FloatVector sum = FloatVector.zero(F);
        FloatVector otherSum = sum;
        float rest = 0;
        float otherRest = 0;
        for (int b = 0; b < count; b++) {
            int at = offset + b * size;
            int otherAt = other + b * size;
            FloatVector first = FloatVector.fromArray(F, x, b * GROUP);
            FloatVector second = FloatVector.fromArray(F, x, b * GROUP + GROUP / 2);
            IntVector word = Memory.Bytes.widened(memory, at + size - 16);
            FloatVector product = high(word).fma(second, low(word).mul(first));
            word = Memory.Bytes.widened(memory, otherAt + size - 16);
            FloatVector otherProduct = high(word).fma(second, low(word).mul(first));
            if (LANES == 8) {
                first = FloatVector.fromArray(F, x, b * GROUP + 8);
                second = FloatVector.fromArray(F, x, b * GROUP + 24);
                word = Memory.Bytes.widened(memory, at + size - 8);
                product = high(word).fma(second, low(word).fma(first, product));
                word = Memory.Bytes.widened(memory, otherAt + size - 8);
                otherProduct = high(word).fma(second, low(word).fma(first, otherProduct));
            }
            float d = Halves.at(bytes, at);
            float otherD = Halves.at(bytes, otherAt);
            sum = product.fma(FloatVector.broadcast(F, d), sum);
            otherSum = otherProduct.fma(FloatVector.broadcast(F, otherD), otherSum);
            rest += (center == 0 ? Halves.at(bytes, at + 2) : center * d) * x[sums + b];
            otherRest += (center == 0 ? Halves.at(bytes, otherAt + 2) : center * otherD) * x[sums + b];
        }
        sum.intoArray(lanes, 0);
        otherSum.intoArray(lanes, LANES);
        lanes[0] += rest;
        lanes[LANES] += otherRest;
    }
}
