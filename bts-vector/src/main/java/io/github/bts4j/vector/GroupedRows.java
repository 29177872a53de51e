package io.github.bts4j.vector;

import io.github.bts4j.core.rows.Blocks;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorMask;
import jdk.incubator.vector.VectorOperators;

/**
 * Q4_K and Q5_K: blocks of 256 values in eight groups. They begin with d, dmin, and twelve bytes with a scale and a minimum of 6 bits for each group; a value is
 * d scale q - dmin minimum.
 */
abstract class GroupedRows extends StagedRows {
    private static final int GROUPS = 8;
    private static final VectorMask<Float> MINIMA = VectorMask.fromLong(F, 0xFF00L & (1L << LANES) - 1);
    private static final FloatVector ODD = FloatVector.fromArray(F, new float[] {1, 1 / 16f, 1, 1 / 16f, 1, 1 / 16f, 1, 1 / 16f, 1, 1, 1, 1, 1, 1, 1, 1}, 0);

    GroupedRows(Blocks blocks) {
        super(blocks);
    }

    /** A vector of the sums of 32 values for every eight groups, behind as many zeros: the factors of eight groups are before their minima. */
    @Override
    final float[] arranged(float[] x) {
        float[] arranged = new float[columns + columns / 16];
        System.arraycopy(x, 0, arranged, 0, columns);
        for (int g = 0; g < columns / GROUP; g++) {
            arranged[columns + g / GROUPS * 16 + 8 + g % GROUPS] = x[sumsAt(columns) + g];
        }
        return arranged;
    }

    /** Factors d scale of the eight groups, those of odd ones divided by 16, whose values stay in the upper halves of their bytes; and -dmin minimum. */
    @Override
    final void prepare(Stage stage, int count) {
        int size = blocks.type().blockBytes();
        stage.halves(0, size, count, stage.d);
        stage.halves(2, size, count, stage.m);
        for (int b = 0; b < count; b++) {
            int at = b * size;
            int factors = (int) Stage.WORD.get(stage.bytes, at + 4);
            int minima = (int) Stage.WORD.get(stage.bytes, at + 8);
            int last = (int) Stage.WORD.get(stage.bytes, at + 12);
            Stage.WORD.set(stage.small, 16 * b, factors & 0x3F3F3F3F);
            Stage.WORD.set(stage.small, 16 * b + 4, last & 0x0F0F0F0F | (factors >>> 6 & 0x03030303) << 4);
            Stage.WORD.set(stage.small, 16 * b + 8, minima & 0x3F3F3F3F);
            Stage.WORD.set(stage.small, 16 * b + 12, last >>> 4 & 0x0F0F0F0F | (minima >>> 6 & 0x03030303) << 4);
        }
        factors(stage.small, stage.d, stage.m, stage.factors, count);
    }

    private static void factors(byte[] small, float[] d, float[] m, float[] into, int count) {
        for (int b = 0; b < count; b++) {
            if (LANES == 16) {
                FloatVector both = FloatVector.broadcast(F, d[b]).mul(ODD).blend(FloatVector.broadcast(F, -m[b]), MINIMA);
                ((FloatVector) widened(small, 16 * b).convert(VectorOperators.I2F, 0)).mul(both).intoArray(into, 16 * b);
            } else {
                ((FloatVector) widened(small, 16 * b).convert(VectorOperators.I2F, 0)).mul(FloatVector.broadcast(F, d[b]).mul(ODD)).intoArray(into, 16 * b);
                ((FloatVector) widened(small, 16 * b + 8).convert(VectorOperators.I2F, 0)).mul(-m[b]).intoArray(into, 16 * b + 8);
            }
        }
    }

    @Override
    final void row(Stage stage, int row, float[] x, float[] lanes) {
        int count = columns / 256;
        FloatVector sum = FloatVector.zero(F);
        for (int i = 16 - LANES; i < 16 * count; i += 16) {
            sum = FloatVector.fromArray(F, stage.factors, row * count * 16 + i).fma(FloatVector.fromArray(F, x, columns + i), sum);
        }
        sum.add(products(stage.bytes, row * count, 4 * count, x, stage.factors)).intoArray(lanes, 0);
    }

    /** The vector of sums of d scale q x, of so many pairs of groups from a block on. */
    abstract FloatVector products(byte[] bytes, int block, int pairs, float[] x, float[] factors);
}
