package io.github.bts4j.vector;

import io.github.bts4j.core.checkpoint.gguf.GgmlType;
import io.github.bts4j.core.rows.Arithmetic;
import io.github.bts4j.core.rows.Blocks;
import io.github.bts4j.core.rows.Elements;
import io.github.bts4j.core.rows.Matrix;
import io.github.bts4j.core.rows.Rounding;
import io.github.bts4j.core.support.ElementType;
import java.util.EnumSet;
import java.util.Set;
import jdk.incubator.vector.FloatVector;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * {@link Arithmetic} with {@code jdk.incubator.vector}. Found by {@link java.util.ServiceLoader}. Thread-safe.
 *
 * <p>{@link #prepare} takes a few tenths of a second, in which the kernels run until the JVM has compiled them: vector code that is interpreted takes a thousand times longer.
 */
public final class VectorArithmetic implements Arithmetic {
    private static final Logger LOG = LoggerFactory.getLogger(VectorArithmetic.class);
    private static final Set<String> X86 = Set.of("amd64", "x86_64", "x86", "i386");
    private static final int ENOUGH_BITS = 256;

    private static final Set<ElementType> PREPARED = EnumSet.noneOf(ElementType.class);
    private static final Set<GgmlType> PREPARED_BLOCKS = EnumSet.noneOf(GgmlType.class);

    /** Made by the service loader. */
    public VectorArithmetic() {
    }

    @Override
    public boolean isUsable() {
        if (ModuleLayer.boot().findModule("jdk.incubator.vector").isEmpty()) {
            LOG.info("bts-vector is on the class path, but the JVM was started without --add-modules jdk.incubator.vector: tokens are decoded in libtorch, slower");
            return false;
        }
        if (!java.nio.ByteOrder.nativeOrder().equals(java.nio.ByteOrder.LITTLE_ENDIAN)) {
            LOG.info("This processor is big-endian: tokens are decoded in libtorch");
            return false;
        }
        if (isNarrow(System.getProperty("os.arch"), FloatVector.SPECIES_PREFERRED.vectorBitSize()) && System.getProperty("bts4j.decode") == null) {
            LOG.info("The JVM has vectors of {} bits: tokens are decoded in libtorch, which is faster then (-Dbts4j.decode=vector decodes in Java)",
                    FloatVector.SPECIES_PREFERRED.vectorBitSize());
            return false;
        }
        return true;
    }

    /** Whether libtorch, which detects the processor itself, is faster than the JVM. ARM has 128 bits, which is what the kernels are fast with there. */
    static boolean isNarrow(String architecture, int bits) {
        return X86.contains(architecture) && bits < ENOUGH_BITS;
    }

    @Override
    public void prepare(ElementType type) {
        synchronized (PREPARED) {
            if (PREPARED.add(type)) {
                WarmUp.run(this, type);
            }
        }
    }

    @Override
    public void prepare(GgmlType type) {
        synchronized (PREPARED_BLOCKS) {
            if (PREPARED_BLOCKS.add(type)) {
                WarmUp.run(this, type);
            }
        }
    }

    @Override
    public Matrix matrix(Blocks blocks) {
        return BlockRows.of(blocks);
    }

    @Override
    public Matrix matrix(Elements elements) {
        return VectorMatrix.of(elements, Memory.of(elements.bytes()));
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
