package io.github.bts4j.vector;

import io.github.bts4j.core.rows.Matrix;
import io.github.bts4j.core.torch.TorchType;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/** Runs the kernels on small matrices until they are compiled. */
final class WarmUp {
    private static final int ROWS = 64;
    private static final int COLUMNS = 512;
    private static final int ROUNDS = 400;

    private WarmUp() {
    }

    static void run(VectorRowMath math) {
        ByteBuffer bytes = ByteBuffer.allocateDirect(4 * ROWS * COLUMNS).order(ByteOrder.LITTLE_ENDIAN);
        float[][] x = new float[5][COLUMNS];
        float[][] y = new float[5][ROWS];
        for (TorchType type : new TorchType[] {TorchType.BFLOAT16, TorchType.FLOAT32, TorchType.INT8}) {
            Matrix w = new Matrix(bytes, math.memory(bytes), type, 0, COLUMNS, new float[ROWS]);
            for (int round = 0; round < ROUNDS; round++) {
                math.product(w, 0, ROWS, x, y, 0);
                if (type != TorchType.INT8) {
                    math.weightedSum(w, ROWS, y[0], x[0], 0);
                }
                math.exp(x[0], 0, COLUMNS);
            }
        }
    }
}
