package io.github.bts4j.vector;

import io.github.bts4j.core.rows.Blocks;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorOperators;

/**
 * Q6_K: blocks of 256 values in two halves, each with 64 bytes of low nibbles; then for each half 32 bytes with the high pairs of bits; then sixteen signed scales of groups
 * of 16 values, and d. A value is d s (q - 32).
 */
final class Q6KRows extends StagedRows {
    private static final int SIZE = 210;
    private static final int SCALES = 192;
    private static final int D = 208;
    /** The second halves of the groups' values stay in the upper halves of their bytes. */
    private static final FloatVector UPPER = FloatVector.fromArray(F, new float[] {1, 1, 1, 1, 1 / 16f, 1 / 16f, 1 / 16f, 1 / 16f, 1, 1, 1, 1, 1 / 16f, 1 / 16f, 1 / 16f, 1 / 16f}, 0);

    Q6KRows(Blocks blocks) {
        super(blocks);
    }

    /** Behind the vector are the sums of 16 values times -32, and times 16 where factors are divided by it. */
    @Override
    float[] arranged(float[] x) {
        float[] arranged = new float[columns + columns / 16];
        System.arraycopy(x, 0, arranged, 0, columns);
        for (int g = 0; g < columns / 16; g++) {
            float sum = 0;
            for (int i = 16 * g; i < 16 * g + 16; i++) {
                sum += x[i];
            }
            arranged[columns + g] = sum * ((g & 4) == 0 ? -32 : -512);
        }
        return arranged;
    }

    @Override
    void prepare(Stage stage, int count) {
        stage.halves(D, SIZE, count, stage.d);
        factors(stage.bytes, stage.d, stage.factors, count);
    }

    private static void factors(byte[] bytes, float[] d, float[] into, int count) {
        for (int b = 0; b < count; b++) {
            for (int i = 0; i < 16; i += LANES) {
                ((FloatVector) widened(bytes, b * SIZE + SCALES + i).convert(VectorOperators.I2F, 0)).mul(FloatVector.broadcast(F, d[b]).mul(UPPER)).intoArray(into, 16 * b + i);
            }
        }
    }

    @Override
    void row(Stage stage, int row, float[] x, float[] lanes) {
        int count = columns / 256;
        FloatVector sum = FloatVector.zero(F);
        for (int i = 0; i < 16 * count; i += LANES) {
            sum = FloatVector.fromArray(F, stage.factors, row * count * 16 + i).fma(FloatVector.fromArray(F, x, columns + i), sum);
        }
        sum.add(sums(stage.bytes, row * count * SIZE, 4 * count, x, stage.factors, row * count * 16)).intoArray(lanes, 0);
    }

    /** In quarters of blocks: sixteen values of four groups each, in the bytes i and 32 + i of the half's low nibbles and i of its high bits. */
    private static FloatVector sums(byte[] bytes, int offset, int quarters, float[] x, float[] factors, int first) {
        FloatVector sum = FloatVector.zero(F);
        FloatVector otherSum = sum;
        for (int k = 0; k < quarters; k++) {
            int half = k >> 1 & 1;
            int within = (k & 1) * 16;
            int low = offset + (k >> 2) * SIZE + half * 64 + within;
            int high = offset + (k >> 2) * SIZE + 128 + half * 32 + within;
            int f = first + (k >> 1) * 8 + (k & 1);
            for (int i = 0; i < 16; i += LANES) {
                int at = (k >> 1) * 128 + within + i;
                IntVector pairs = widened(bytes, high + i).lanewise(VectorOperators.LSHL, 2);
                IntVector upper = pairs.lanewise(VectorOperators.LSHL, 2);
                IntVector word = widened(bytes, low + i);
                FloatVector q = (FloatVector) word.and(15).or(upper.and(0x30)).convert(VectorOperators.I2F, 0);
                sum = q.mul(FloatVector.fromArray(F, x, at)).fma(FloatVector.broadcast(F, factors[f]), sum);
                q = (FloatVector) word.and(0xF0).or(upper.and(0x300)).convert(VectorOperators.I2F, 0);
                otherSum = q.mul(FloatVector.fromArray(F, x, at + 64)).fma(FloatVector.broadcast(F, factors[f + 4]), otherSum);
                word = widened(bytes, low + 32 + i);
                q = (FloatVector) word.and(15).or(pairs.and(0x30)).convert(VectorOperators.I2F, 0);
                sum = q.mul(FloatVector.fromArray(F, x, at + 32)).fma(FloatVector.broadcast(F, factors[f + 2]), sum);
                q = (FloatVector) word.and(0xF0).or(pairs.and(0x300)).convert(VectorOperators.I2F, 0);
                otherSum = q.mul(FloatVector.fromArray(F, x, at + 96)).fma(FloatVector.broadcast(F, factors[f + 6]), otherSum);
            }
        }
        return sum.add(otherSum);
    }
}
