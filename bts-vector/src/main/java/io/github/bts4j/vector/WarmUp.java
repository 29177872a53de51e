package io.github.bts4j.vector;

import io.github.bts4j.core.checkpoint.gguf.GgmlType;
import io.github.bts4j.core.rows.Blocks;
import io.github.bts4j.core.rows.Elements;
import io.github.bts4j.core.rows.Matrix;
import io.github.bts4j.core.rows.Rounding;
import io.github.bts4j.core.support.ElementType;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;

/**
 * Runs the kernels of one type on small matrices until they are compiled. The shapes use every path through them: a path that a compiled loop has not seen makes the JVM
 * discard its code, and vector code that is not compiled is slow.
 */
final class WarmUp {
    private static final int ROWS = 41; // odd: the last row goes alone
    private static final int[] COLUMNS = {576, 96, 64, 39};
    private static final int[] BLOCK_COLUMNS = {768, 512, 256};
    private static final int[] SESSIONS = {1, 2, 5};
    private static final long COMPILED_NANOS = 2_000_000; // a round takes some 200 microseconds compiled, 200 milliseconds interpreted
    private static final int FAST_ROUNDS = 20;
    private static final long MOST_NANOS = 4_000_000_000L; // limit for a JVM without its compiler

    private WarmUp() {
    }

    static void run(VectorArithmetic math, ElementType type) {
        ByteBuffer bytes = ByteBuffer.allocateDirect(type.bytes() * ROWS * COLUMNS[0]).order(ByteOrder.LITTLE_ENDIAN);
        List<Matrix> matrices = new ArrayList<>();
        for (int columns : COLUMNS) {
            Matrix w = math.matrix(new Elements(bytes, type, 0, columns, new float[type == ElementType.INT8 ? ROWS : 0]));
            matrices.addAll(List.of(w, w.repacked(ROWS)));
        }
        compile(math, matrices);
    }

    /** The same for matrices in blocks. */
    static void run(VectorArithmetic math, GgmlType type) {
        int columns = BLOCK_COLUMNS[0];
        ByteBuffer bytes = ByteBuffer.allocateDirect((int) type.byteCount((long) ROWS * columns)).order(ByteOrder.LITTLE_ENDIAN);
        List<Matrix> matrices = new ArrayList<>();
        for (int each : BLOCK_COLUMNS) {
            matrices.add(math.matrix(new Blocks(bytes, type, 0, each)));
        }
        compile(math, matrices);
    }

    private static void compile(VectorArithmetic math, List<Matrix> matrices) {
        long begin = System.nanoTime();
        for (int fast = 0; fast < FAST_ROUNDS && System.nanoTime() - begin < MOST_NANOS;) {
            long round = System.nanoTime();
            for (Matrix matrix : matrices) {
                round(math, matrix);
            }
            fast = System.nanoTime() - round < COMPILED_NANOS ? fast + 1 : 0;
        }
    }

    private static void round(VectorArithmetic math, Matrix w) {
        for (int sessions : SESSIONS) {
            float[][] x = new float[sessions][Matrix.room(w.columns())];
            float[][] y = new float[sessions][ROWS];
            w.pack(new float[w.columns()], 0, w.columns(), x[0]);
            w.matmul(0, ROWS, x, y, 0);
            if (w instanceof VectorMatrix && w.elements().type() != ElementType.INT8) {
                w.weightedSum(ROWS, y[0], x[0], 0);
                w.weightedSums(ROWS, new float[][] {y[0], y[0], y[0]}, new float[3 * w.columns()], 0);
                w.addWeightedSum(ROWS, y[0], 0, w.columns(), x[0]);
            }
        }
        for (Rounding rounding : Rounding.values()) {
            elementwise(math, w.columns(), rounding);
        }
    }

    private static void elementwise(VectorArithmetic math, int n, Rounding rounding) {
        float[] x = new float[2 * n];
        float[] other = new float[2 * n];
        math.rmsNorm(x, new float[n], 1, rounding, other);
        math.swiGlu(rounding, x, other, 0, n);
        math.round(rounding, x, 0, n);
        math.add(rounding, x, other, 0, n);
        math.softmax(x, n, 1);
        math.rotate(rounding, x, 0, other);
        math.exp(x, 0, n);
    }
}
