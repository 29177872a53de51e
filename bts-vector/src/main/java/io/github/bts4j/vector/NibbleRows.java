package io.github.bts4j.vector;

import io.github.bts4j.core.checkpoint.gguf.GgmlType;
import io.github.bts4j.core.rows.Blocks;
import java.nio.ByteBuffer;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorOperators;

/** Q4_0 and Q4_1: blocks of a float16 d, of Q4_1 a float16 m, and 16 bytes whose low halves are the first 16 values; a value is d (q - 8) or d q + m. */
final class NibbleRows extends BlockRows {
    private final int size;
    private final boolean centered;

    NibbleRows(Blocks blocks) {
        super(blocks);
        size = blocks.type().blockBytes();
        centered = blocks.type() == GgmlType.Q4_0;
    }

    @Override
    void read(ByteBuffer bytes, int offset, Scales scales, int row) {
        Halves.read(bytes, offset, size, columns / GROUP, scales.rawFactors, row * scales.groups);
        if (!centered) {
            Halves.read(bytes, offset + 2, size, columns / GROUP, scales.rawSummands, row * scales.sums);
        }
    }

    @Override
    void convert(Scales scales) {
        Halves.convert(scales.rawFactors, 1, scales.s);
        if (centered) {
            Halves.convert(scales.rawFactors, -8, scales.m); // as many groups
        } else {
            Halves.convert(scales.rawSummands, 1, scales.m);
        }
    }

    static FloatVector low(IntVector bytes) {
        return (FloatVector) bytes.and(15).convert(VectorOperators.I2F, 0);
    }

    static FloatVector high(IntVector bytes) {
        return (FloatVector) bytes.lanewise(VectorOperators.LSHR, 4).and(15).convert(VectorOperators.I2F, 0);
    }

    @Override
    void twoRows(Object memory, int offset, int other, float[] x, Scales scales, int row, float[] lanes) {
        float[] s = scales.s;
        int s0 = row * scales.groups;
        int s1 = s0 + scales.groups;
        int size = this.size;
        int a = offset + size - 16;
        int c = other + size - 16;
        FloatVector sum = minima(scales, row, x, columns);
        FloatVector otherSum = minima(scales, row + 1, x, columns);
        int count = columns / GROUP;
        for (int b = 0; b < count; b++) {
            FloatVector product = FloatVector.zero(F);
            FloatVector otherProduct = product;
            for (int i = 0; i < GROUP / 2; i += LANES) {
                FloatVector first = FloatVector.fromArray(F, x, b * GROUP + i);
                FloatVector second = FloatVector.fromArray(F, x, b * GROUP + GROUP / 2 + i);
                IntVector bytes = Memory.Bytes.widened(memory, a + b * size + i);
                product = high(bytes).fma(second, low(bytes).fma(first, product));
                bytes = Memory.Bytes.widened(memory, c + b * size + i);
                otherProduct = high(bytes).fma(second, low(bytes).fma(first, otherProduct));
            }
            sum = product.fma(FloatVector.broadcast(F, s[s0 + b]), sum);
            otherSum = otherProduct.fma(FloatVector.broadcast(F, s[s1 + b]), otherSum);
        }
        sum.intoArray(lanes, 0);
        otherSum.intoArray(lanes, LANES);
    }
}
