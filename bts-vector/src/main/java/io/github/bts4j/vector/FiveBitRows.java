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
    private final float center;

    FiveBitRows(Blocks blocks) {
        super(blocks);
        size = blocks.type().blockBytes();
        center = blocks.type() == GgmlType.Q5_0 ? -16 : 0;
    }

    /** Four bits and the fifth: of the low halves at place 0 of a lane, of the high ones at place 16. */
    private static FloatVector low(IntVector bytes, IntVector fifths) {
        return (FloatVector) bytes.and(15).or(fifths.and(1).lanewise(VectorOperators.LSHL, 4)).convert(VectorOperators.I2F, 0);
    }

    private static FloatVector high(IntVector bytes, IntVector fifths) {
        return (FloatVector) bytes.lanewise(VectorOperators.LSHR, 4).and(15).or(fifths.lanewise(VectorOperators.LSHR, 12).and(16)).convert(VectorOperators.I2F, 0);
    }

    @Override
    void twoRows(Object memory, int offset, int other, float[] x, Scales scales, float[] lanes) {
        row(memory, blocks.bytes(), offset, x, lanes, 0);
        row(memory, blocks.bytes(), other, x, lanes, LANES);
    }

    private void row(Object memory, ByteBuffer bytes, int offset, float[] x, float[] lanes, int to) {
        int size = this.size;
        float center = this.center;
        int sums = sumsAt(columns);
        int count = columns / GROUP;
        FloatVector sum = FloatVector.zero(F);
        float rest = 0;
        for (int b = 0; b < count; b++) {
            int at = offset + b * size;
            IntVector all = IntVector.broadcast(I, bytes.getInt(at + size - 20));
            IntVector fifths = all.lanewise(VectorOperators.LSHR, LANE);
            IntVector word = Memory.Bytes.widened(memory, at + size - 16);
            FloatVector product = low(word, fifths).mul(FloatVector.fromArray(F, x, b * GROUP));
            product = high(word, fifths).fma(FloatVector.fromArray(F, x, b * GROUP + GROUP / 2), product);
            if (LANES == 8) {
                fifths = fifths.lanewise(VectorOperators.LSHR, 8);
                word = Memory.Bytes.widened(memory, at + size - 8);
                product = low(word, fifths).fma(FloatVector.fromArray(F, x, b * GROUP + 8), product);
                product = high(word, fifths).fma(FloatVector.fromArray(F, x, b * GROUP + 24), product);
            }
            float d = Halves.at(bytes, at);
            sum = product.fma(FloatVector.broadcast(F, d), sum);
            rest += (center == 0 ? Halves.at(bytes, at + 2) : center * d) * x[sums + b];
        }
        sum.intoArray(lanes, to);
        lanes[to] += rest;
    }
}
