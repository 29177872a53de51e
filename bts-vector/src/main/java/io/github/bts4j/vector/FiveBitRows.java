package io.github.bts4j.vector;

import io.github.bts4j.core.checkpoint.gguf.GgmlType;
import io.github.bts4j.core.rows.Blocks;
import java.nio.ByteBuffer;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorSpecies;

/** Q5_0 and Q5_1: as Q4_0 and Q4_1, with the fifth bits of the 32 values in four bytes before the others; a value is d (q - 16) or d q + m. */
final class FiveBitRows extends BlockRows {
    private static final VectorSpecies<Integer> I = IntVector.SPECIES_PREFERRED;
    private static final IntVector LANE = IntVector.zero(I).addIndex(1);

    private final int size;
    private final boolean centered;

    FiveBitRows(Blocks blocks) {
        super(blocks);
        size = blocks.type().blockBytes();
        centered = blocks.type() == GgmlType.Q5_0;
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
            Halves.convert(scales.rawFactors, -16, scales.m); // as many groups
        } else {
            Halves.convert(scales.rawSummands, 1, scales.m);
        }
    }

    /** Values i, i + 1, .. of the low halves; high has their fifth bits from bit 0 on. */
    private static FloatVector low(IntVector bytes, IntVector high) {
        return (FloatVector) bytes.and(15).or(high.and(1).lanewise(VectorOperators.LSHL, 4)).convert(VectorOperators.I2F, 0);
    }

    private static FloatVector high(IntVector bytes, IntVector high) {
        return (FloatVector) bytes.lanewise(VectorOperators.LSHR, 4).and(15).or(high.lanewise(VectorOperators.LSHR, 12).and(16)).convert(VectorOperators.I2F, 0);
    }

    @Override
    void twoRows(Object memory, int offset, int other, float[] x, Scales scales, int row, float[] lanes) {
        minima(scales, row, x, columns).add(row(memory, offset + size - 20, x, scales.s, row * scales.groups)).intoArray(lanes, 0);
        minima(scales, row + 1, x, columns).add(row(memory, other + size - 20, x, scales.s, (row + 1) * scales.groups)).intoArray(lanes, LANES);
    }

    private FloatVector row(Object memory, int offset, float[] x, float[] s, int first) {
        ByteBuffer bits = blocks.bytes();
        int size = this.size;
        FloatVector sum = FloatVector.zero(F);
        int count = columns / GROUP;
        for (int b = 0; b < count; b++) {
            int at = offset + b * size;
            IntVector fifths = IntVector.broadcast(I, bits.getInt(at)).lanewise(VectorOperators.LSHR, LANE);
            FloatVector product = FloatVector.zero(F);
            for (int i = 0; i < GROUP / 2; i += LANES) {
                IntVector bytes = Memory.Bytes.widened(memory, at + 4 + i);
                IntVector high = fifths.lanewise(VectorOperators.LSHR, i);
                product = low(bytes, high).fma(FloatVector.fromArray(F, x, b * GROUP + i), product);
                product = high(bytes, high).fma(FloatVector.fromArray(F, x, b * GROUP + GROUP / 2 + i), product);
            }
            sum = product.fma(FloatVector.broadcast(F, s[first + b]), sum);
        }
        return sum;
    }
}
