package io.github.bts4j.vector;

import io.github.bts4j.core.rows.Matrix;
import io.github.bts4j.core.torch.TorchType;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/** Runs the kernels of one type on small matrices until they are compiled. */
final class WarmUp {
    private static final int ROWS = 64;
    private static final int COLUMNS = 512;
    private static final int SESSIONS = 5;
    private static final long COMPILED_NANOS = 500_000; // a round takes some 50 microseconds compiled, 50 milliseconds interpreted
    private static final int FAST_ROUNDS = 10;
    private static final long MOST_NANOS = 3_000_000_000L; // a Java machine without its compiler shall not wait for it

    private WarmUp() {
    }

    static void run(VectorRowMath math, TorchType type) {
        ByteBuffer bytes = ByteBuffer.allocateDirect(type.bytes() * ROWS * COLUMNS).order(ByteOrder.LITTLE_ENDIAN);
        Matrix w = new Matrix(bytes, math.memory(bytes), type, 0, COLUMNS, new float[ROWS]);
        float[][] x = new float[SESSIONS][COLUMNS];
        float[][] y = new float[SESSIONS][ROWS];
        long begin = System.nanoTime();
        for (int fast = 0; fast < FAST_ROUNDS && System.nanoTime() - begin < MOST_NANOS;) {
            long round = System.nanoTime();
            math.product(w, 0, ROWS, x, y, 0);
            math.exp(x[0], 0, COLUMNS);
            if (type != TorchType.INT8) {
                math.weightedSum(w, ROWS, y[0], x[0], 0);
            }
            fast = System.nanoTime() - round < COMPILED_NANOS ? fast + 1 : 0;
        }
    }
}
