package io.github.bts4j.vector;

import io.github.bts4j.core.rows.Matrix;
import io.github.bts4j.core.torch.TorchType;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/**
 * Runs the kernels of one type on small matrices until they are compiled. The shapes take every path through them: what a compiled loop has never seen makes the Java machine
 * throw its code away, and vector code that is not compiled is slow.
 */
final class WarmUp {
    private static final int ROWS = 40;
    private static final int[] COLUMNS = {576, 96, 64, 39};
    private static final int[] SESSIONS = {1, 2, 5};
    private static final long COMPILED_NANOS = 2_000_000; // a round takes some 200 microseconds compiled, 200 milliseconds interpreted
    private static final int FAST_ROUNDS = 20;
    private static final long MOST_NANOS = 4_000_000_000L; // a Java machine without its compiler shall not wait for it

    private WarmUp() {
    }

    static void run(VectorRowMath math, TorchType type) {
        ByteBuffer bytes = ByteBuffer.allocateDirect(type.bytes() * ROWS * COLUMNS[0]).order(ByteOrder.LITTLE_ENDIAN);
        long begin = System.nanoTime();
        for (int fast = 0; fast < FAST_ROUNDS && System.nanoTime() - begin < MOST_NANOS;) {
            long round = System.nanoTime();
            for (int columns : COLUMNS) {
                round(math, new Matrix(bytes, math.memory(bytes), type, 0, columns, new float[ROWS]));
            }
            fast = System.nanoTime() - round < COMPILED_NANOS ? fast + 1 : 0;
        }
    }

    private static void round(VectorRowMath math, Matrix w) {
        for (int sessions : SESSIONS) {
            float[][] x = new float[sessions][w.columns()];
            float[][] y = new float[sessions][ROWS];
            math.product(w, 0, ROWS, x, y, 0);
            math.exp(x[0], 0, w.columns());
            if (w.type() != TorchType.INT8) {
                math.weightedSum(w, ROWS, y[0], x[0], 0);
            }
        }
    }
}
