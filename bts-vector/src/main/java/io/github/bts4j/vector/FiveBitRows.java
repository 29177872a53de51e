package io.github.bts4j.vector;

import io.github.bts4j.core.checkpoint.gguf.GgmlType;
import io.github.bts4j.core.rows.Blocks;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorOperators;

/** Q5_0 and Q5_1: as Q4_0 and Q4_1, with the fifth bits of the 32 values in four bytes before the others; a value is d (q - 16) or d q + m. */
final class FiveBitRows extends StagedRows {
    private static final IntVector LANE = IntVector.zero(I).addIndex(1);
    private static final int LOW = 0x0F;
    private static final int HIGH = 0xF0; // the nibbles of the second 16 values stay where they are, and x is divided by 16
    private static final int Q5_0_BYTES = GgmlType.Q5_0.blockBytes();

    private final int size;
    private final boolean centered;

    FiveBitRows(Blocks blocks) {
        super(blocks);
        size = blocks.type().blockBytes();
        centered = blocks.type() == GgmlType.Q5_0;
    }

    @Override
    float[] arranged(float[] x) {
        float[] arranged = x.clone();
        for (int b = 0; b < columns; b += GROUP) {
            for (int i = b + GROUP / 2; i < b + GROUP; i++) {
                arranged[i] = x[i] / 16;
            }
        }
        return arranged;
    }

    @Override
    void prepare(Stage stage, int count) {
        stage.halves(0, size, count, stage.d);
        stage.fifths(size - 20, size, count);
        if (!centered) {
            stage.halves(2, size, count, stage.m);
        }
    }

    @Override
    void row(Stage stage, int row, float[] x, float[] lanes) {
        int count = columns / GROUP;
        int first = row * count;
        FloatVector sum = size == Q5_0_BYTES ? products(stage, first * Q5_0_BYTES + Q5_0_BYTES - 16, Q5_0_BYTES, first, x, count) // a factor that is known makes the loop faster
                : products(stage, first * size + size - 16, size, first, x, count);
        FloatVector rest = FloatVector.zero(F);
        float[] m = centered ? stage.d : stage.m;
        for (int b = 0; b < count; b += LANES) {
            rest = FloatVector.fromArray(F, m, first + b).fma(FloatVector.fromArray(F, x, sumsAt(columns) + b), rest);
        }
        rest.mul(centered ? -16 : 1).add(sum).intoArray(lanes, 0);
    }

    private static FloatVector products(Stage stage, int offset, int size, int first, float[] x, int count) {
        return LANES == 16 ? sixteen(stage.bytes, offset, size, stage.lower, stage.upper, stage.d, first, x, count)
                : eight(stage.bytes, offset, size, stage.lower, stage.upper, stage.d, first, x, count);
    }

    private static FloatVector sixteen(byte[] bytes, int offset, int size, int[] lower, int[] upper, float[] d, int first, float[] x, int count) {
        FloatVector sum = FloatVector.zero(F);
        for (int b = 0; b < count; b++) {
            IntVector word = widened(bytes, offset + b * size);
            IntVector fifths = IntVector.broadcast(I, lower[first + b]).lanewise(VectorOperators.LSHR, LANE);
            FloatVector q = (FloatVector) word.and(LOW).or(fifths.and(LOW + 1)).convert(VectorOperators.I2F, 0);
            FloatVector product = q.mul(FloatVector.fromArray(F, x, b * GROUP));
            fifths = IntVector.broadcast(I, upper[first + b]).lanewise(VectorOperators.LSHR, LANE);
            q = (FloatVector) word.and(HIGH).or(fifths.and(HIGH + 16)).convert(VectorOperators.I2F, 0);
            product = q.fma(FloatVector.fromArray(F, x, b * GROUP + GROUP / 2), product);
            sum = product.fma(FloatVector.broadcast(F, d[first + b]), sum);
        }
        return sum;
    }

    private static FloatVector eight(byte[] bytes, int offset, int size, int[] lower, int[] upper, float[] d, int first, float[] x, int count) {
        FloatVector sum = FloatVector.zero(F);
        for (int b = 0; b < count; b++) {
            FloatVector product = FloatVector.zero(F);
            for (int i = 0; i < GROUP / 2; i += LANES) {
                IntVector word = widened(bytes, offset + b * size + i);
                IntVector fifths = IntVector.broadcast(I, lower[first + b] >>> i).lanewise(VectorOperators.LSHR, LANE);
                FloatVector q = (FloatVector) word.and(LOW).or(fifths.and(LOW + 1)).convert(VectorOperators.I2F, 0);
                product = q.fma(FloatVector.fromArray(F, x, b * GROUP + i), product);
                fifths = IntVector.broadcast(I, upper[first + b] >>> i).lanewise(VectorOperators.LSHR, LANE);
                q = (FloatVector) word.and(HIGH).or(fifths.and(HIGH + 16)).convert(VectorOperators.I2F, 0);
                product = q.fma(FloatVector.fromArray(F, x, b * GROUP + GROUP / 2 + i), product);
            }
            sum = product.fma(FloatVector.broadcast(F, d[first + b]), sum);
        }
        return sum;
    }
}
