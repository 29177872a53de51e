package io.github.bts4j.core.torch;

import static org.junit.jupiter.api.Assertions.assertEquals;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.github.bts4j.core.golden.Tolerance;
import io.github.bts4j.core.support.ElementType;
import java.util.Random;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The decoder's causal attention, in blocks without a graph and fused with one, against softmax(Q K^T / sqrt(d)) V in double. */
class AttentionTest {
    private static final int BATCH = 2;
    private static final int HEADS = 4;
    private static final int SIZE = 24;

    @ParameterizedTest
    @CsvSource({"1, 1, 4", "63, 63, 2", "64, 64, 1", "65, 65, 2", "130, 130, 4", "2, 100, 2", "70, 107, 1", "129, 200, 4"})
    void equalsTheFormula(int queries, int keys, int kvHeads) {
        equalsTheFormula(queries, keys, kvHeads, 0);
    }

    /** Each token sees the last tokens alone: a window within a block of queries, as long as one, over several, and longer than the sequence. */
    @ParameterizedTest
    @CsvSource({"1, 1, 4, 3", "65, 65, 2, 1", "130, 130, 4, 7", "130, 130, 4, 64", "150, 150, 1, 100", "2, 100, 2, 30", "70, 107, 1, 64", "129, 200, 4, 65", "40, 60, 2, 60", "40, 60, 2, 500"})
    void equalsTheFormulaWithinAWindow(int queries, int keys, int kvHeads, int window) {
        equalsTheFormula(queries, keys, kvHeads, window);
    }

    private static void equalsTheFormula(int queries, int keys, int kvHeads, int window) {
        double factor = 1 / Math.sqrt(SIZE);
        DecoderKernels kernels = Kernels.of(DecoderKernels.class);
        for (ElementType type : new ElementType[] {ElementType.FLOAT32, ElementType.BFLOAT16}) {
            try (NDManager manager = Torch.manager().newSubManager()) {
                NDArray q = random(manager, type, 1, BATCH, HEADS, queries, SIZE);
                NDArray k = random(manager, type, 2, BATCH, kvHeads, keys, SIZE);
                NDArray v = random(manager, type, 3, BATCH, kvHeads, keys, SIZE);
                double[] expected = reference(Tensors.toFloats(q), Tensors.toFloats(k), Tensors.toFloats(v), queries, keys, kvHeads, window);
                double tolerance = tolerance(type, keys, Tensors.toFloats(q), Tensors.toFloats(k), Tensors.toFloats(v));
                check(expected, kernels.attend(manager, Autograd.INFERENCE, q, k, v, factor, window), tolerance);
                if (type == ElementType.FLOAT32) {
                    q.setRequiresGradient(true);
                    check(expected, kernels.attend(manager, Autograd.ON, q, k, v, factor, window), tolerance);
                }
            }
        }
    }

    /**
     * A score is a float32 sum of SIZE products; a weight carries its error and its own rounding, twice since weights are divided by their sum; the result is a
     * mean of values with such weights, summed over the keys and rounded.
     */
    private static double tolerance(ElementType type, int keys, float[] q, float[] k, float[] v) {
        double score = Tolerance.ofSum(Tolerance.FLOAT32, SIZE, SIZE * largest(q) * largest(k) / Math.sqrt(SIZE), 0);
        double roundoff = type == ElementType.FLOAT32 ? Tolerance.FLOAT32 : Tolerance.BFLOAT16;
        double weight = 2 * (score + Tolerance.ofSum(roundoff, keys, 1, 1));
        return largest(v) * (weight + Tolerance.ofSum(roundoff, keys, 1, 1));
    }

    private static double largest(float[] values) {
        double largest = 0;
        for (float value : values) {
            largest = Math.max(largest, Math.abs(value));
        }
        return largest;
    }

    private static NDArray random(NDManager manager, ElementType type, int seed, long... shape) {
        long count = 1;
        for (long size : shape) {
            count *= size;
        }
        Random random = new Random(seed);
        float[] values = new float[(int) count];
        for (int i = 0; i < count; i++) {
            values[i] = (float) random.nextGaussian() * (seed == 1 ? 3 : 1); // sharp enough that a wrong mask shows
        }
        return Tensors.copy(manager, Tensors.of(manager, values, shape), type);
    }

    private static double[] reference(float[] q, float[] k, float[] v, int queries, int keys, int kvHeads, int window) {
        double[] out = new double[q.length];
        for (int row = 0; row < BATCH * HEADS * queries; row++) {
            int batch = row / (HEADS * queries);
            int kv = batch * kvHeads + row / queries % HEADS / (HEADS / kvHeads);
            int visible = keys - queries + row % queries + 1;
            double sum = 0;
            double[] weighted = new double[SIZE];
            for (int key = window == 0 ? 0 : Math.max(0, visible - window); key < visible; key++) {
                int at = (kv * keys + key) * SIZE;
                double score = 0;
                for (int i = 0; i < SIZE; i++) {
                    score += (double) q[row * SIZE + i] * k[at + i];
                }
                double weight = Math.exp(score / Math.sqrt(SIZE));
                sum += weight;
                for (int i = 0; i < SIZE; i++) {
                    weighted[i] += weight * v[at + i];
                }
            }
            for (int i = 0; i < SIZE; i++) {
                out[row * SIZE + i] = weighted[i] / sum;
            }
        }
        return out;
    }

    private static void check(double[] expected, NDArray actual, double tolerance) {
        float[] values = Tensors.toFloats(actual);
        assertEquals(expected.length, values.length);
        for (int i = 0; i < values.length; i++) {
            assertEquals(expected[i], values[i], tolerance, "element " + i);
        }
    }
}
