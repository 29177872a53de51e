package io.github.bts4j.vector;

import io.github.bts4j.core.rows.Matrix;
import io.github.bts4j.core.rows.Rounding;
import io.github.bts4j.core.rows.Arithmetic;
import io.github.bts4j.core.torch.TorchType;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.EnumSet;
import java.util.Set;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * {@link Arithmetic} with {@code jdk.incubator.vector}. Found by {@link java.util.ServiceLoader}. Thread-safe.
 *
 * <p>{@link #prepare} takes some tenths of a second, in which the kernels run until the Java machine has compiled them: vector code that is interpreted takes a thousand times longer.
 */
public final class VectorArithmetic implements Arithmetic {
    private static final Logger LOG = LoggerFactory.getLogger(VectorArithmetic.class);
    private static final Set<TorchType> PREPARED = EnumSet.noneOf(TorchType.class);
    private static final int BLOCK = 16; // rows that stay in the first cache while several sessions take their turn

    /** Made by the service loader. */
    public VectorArithmetic() {
    }

    @Override
    public boolean isUsable() {
        if (ModuleLayer.boot().findModule("jdk.incubator.vector").isEmpty()) {
            LOG.info("bts-vector is on the class path, but the Java machine was started without --add-modules jdk.incubator.vector: tokens are decoded in libtorch, slower");
            return false;
        }
        if (!java.nio.ByteOrder.nativeOrder().equals(java.nio.ByteOrder.LITTLE_ENDIAN)) {
            LOG.info("This processor is big-endian: tokens are decoded in libtorch");
            return false;
        }
        return true;
    }

    @Override
    public void prepare(TorchType type) {
        synchronized (PREPARED) {
            if (PREPARED.add(type)) {
                WarmUp.run(this, type);
            }
        }
    }

    @Override
    public Object memory(ByteBuffer bytes) {
        return Memory.of(bytes);
    }

    @Override
    public Matrix repacked(Matrix w, int rows) {
        return new Matrix(w.bytes(), Panels.of(w, rows), w.type(), w.offset(), w.columns(), w.scales());
    }

    @Override
    public void pack(Matrix w, float[] x, int at, int length, float[] into) {
        if (w.memory() instanceof Panels) {
            System.arraycopy(x, at, into, 0, length);
            Arrays.fill(into, length, Arithmetic.room(length), 0);
            return;
        }
        switch (w.type()) {
            case FLOAT32 -> System.arraycopy(x, at, into, 0, length);
            case BFLOAT16 -> interleaved(x, at, length, into, 2);
            case INT8 -> interleaved(x, at, length, into, 4);
            default -> throw new IllegalArgumentException("No products with matrices of " + w.type());
        }
    }

    /** Elements 0, n, 2n, .., then 1, n + 1, .., and so on: those which lie in one place of each 32-bit word of a row; last what fills no word. */
    private static void interleaved(float[] x, int at, int length, float[] into, int n) {
        int words = length / n;
        for (int part = 0; part < n; part++) {
            for (int i = 0; i < words; i++) {
                into[part * words + i] = x[at + n * i + part];
            }
        }
        System.arraycopy(x, at + n * words, into, n * words, length - n * words);
    }

    @Override
    public void matmul(Matrix w, int from, int to, float[][] x, float[][] y, int at) {
        if (w.memory() instanceof Panels panels) {
            panels.matmul(from, to, x, y, at);
            return;
        }
        if (x.length == 1) {
            rows(w, from, to, x[0], y[0], at);
            return;
        }
        for (int first = from; first < to; first += BLOCK) {
            int last = Math.min(to, first + BLOCK);
            int s = 0;
            for (; s + 4 <= x.length; s += 4) {
                fourSessions(w, first, last, x, y, at, s);
            }
            for (; s < x.length; s++) {
                rows(w, first, last, x[s], y[s], at);
            }
        }
    }

    private static void rows(Matrix w, int from, int to, float[] x, float[] y, int at) {
        switch (w.type()) {
            case FLOAT32 -> Float32Rows.rows(w, from, to, x, y, at);
            case BFLOAT16 -> Bfloat16Rows.rows(w, from, to, x, y, at);
            case INT8 -> Int8Rows.rows(w, from, to, x, y, at);
            default -> throw new IllegalArgumentException("No products with a matrix of " + w.type());
        }
    }

    private static void fourSessions(Matrix w, int from, int to, float[][] x, float[][] y, int at, int s) {
        switch (w.type()) {
            case FLOAT32 -> Float32Rows.fourSessions(w, from, to, x, y, at, s);
            case BFLOAT16 -> Bfloat16Rows.fourSessions(w, from, to, x, y, at, s);
            case INT8 -> Int8Rows.fourSessions(w, from, to, x, y, at, s);
            default -> throw new IllegalArgumentException("No products with a matrix of " + w.type());
        }
    }

    @Override
    public void weightedSum(Matrix w, int rows, float[] p, float[] y, int at) {
        switch (w.type()) {
            case FLOAT32 -> Float32Rows.weightedSum(w, rows, p, y, at);
            case BFLOAT16 -> Bfloat16Rows.weightedSum(w, rows, p, y, at);
            default -> throw new IllegalArgumentException("No sum of rows of " + w.type());
        }
    }

    @Override
    public void exp(float[] x, int from, int to) {
        Exponential.exp(x, from, to);
    }

    @Override
    public void rmsNorm(float[] x, float[] weight, float eps, Rounding rounding, float[] into) {
        Elementwise.rmsNorm(x, weight, eps, rounding, into);
    }

    @Override
    public void round(Rounding rounding, float[] x, int from, int to) {
        if (rounding == Rounding.BFLOAT16) {
            Elementwise.round(x, from, to);
        }
    }

    @Override
    public void add(Rounding rounding, float[] sum, float[] x, int from, int to) {
        Elementwise.add(rounding, sum, x, from, to);
    }

    @Override
    public void swiGlu(Rounding rounding, float[] gate, float[] up, int from, int to) {
        Elementwise.swiGlu(rounding, gate, up, from, to);
    }

    @Override
    public void softmax(float[] x, int length, float scale) {
        Elementwise.softmax(x, length, scale);
    }

    @Override
    public void rotate(Rounding rounding, float[] x, int at, float[] cosSin) {
        Elementwise.rotate(rounding, x, at, cosSin);
    }
}
