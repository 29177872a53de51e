package io.github.bts4j.core.rows;

import io.github.bts4j.core.checkpoint.gguf.GgmlType;
import io.github.bts4j.core.support.ElementType;
import java.util.Optional;

/**
 * The arithmetic of decoding in Java: products of matrices with a few vectors, and operations on vectors. Thread-safe.
 *
 * <p>The fastest implementation is found by {@link java.util.ServiceLoader}; without one, models decode in libtorch, as {@code
 * -Dbts4j.decode=torch} makes them. {@code -Dbts4j.decode=scalar} selects the reference implementation, plain loops, and {@code
 * -Dbts4j.decode=vector} the one that is found, even where libtorch is expected to be faster.
 */
public interface Arithmetic {
    /** {@return the implementation on the class path that works in this JVM, found once per process; empty if there is none} */
    static Optional<Arithmetic> available() {
        return AvailableArithmetic.FOUND;
    }

    /**
     * Whether it works here, for example because the JVM was started with the required modules; otherwise logs the reason.
     *
     * @return true if its other methods may be called
     */
    boolean isUsable();

    /**
     * Warms up the products of a type, so that the first ones are as fast as later ones. Calling it again does nothing.
     *
     * @param type the type
     */
    void prepare(ElementType type);

    /**
     * A matrix whose products use this arithmetic.
     *
     * @param elements its elements, in memory that outlives every use of the matrix
     * @return the matrix
     */
    Matrix matrix(Elements elements);

    /**
     * A matrix in blocks whose products use this arithmetic.
     *
     * @param blocks its blocks, in memory that outlives every use of the matrix
     * @return the matrix, for {@link Matrix#pack} and {@link Matrix#matmul} only
     */
    Matrix matrix(Blocks blocks);

    /**
     * Warms up the products of a type of blocks. Calling it again does nothing.
     *
     * @param type the type
     */
    default void prepare(GgmlType type) {
        // plain loops are fast enough before they are compiled
    }

    /**
     * {@code x = exp(x)}, to about two units in the last place.
     *
     * @param x values
     * @param from first index
     * @param to one past the last index
     */
    void exp(float[] x, int from, int to);

    /**
     * {@code RMSNorm(x) = x / sqrt(mean(x^2) + eps) * weight}, rounded before and after the weight.
     *
     * @param x values, as many as weights
     * @param weight the norm's weights
     * @param eps epsilon
     * @param rounding how results are rounded
     * @param into receives the values
     */
    void rmsNorm(float[] x, float[] weight, float eps, Rounding rounding, float[] into);

    /**
     * {@code x = round(x)}.
     *
     * @param rounding how
     * @param x values
     * @param from first index
     * @param to one past the last index
     */
    void round(Rounding rounding, float[] x, int from, int to);

    /**
     * {@code sum = round(sum + x)}.
     *
     * @param rounding how results are rounded
     * @param sum values that are changed
     * @param x the values to add
     * @param from first index
     * @param to one past the last index
     */
    void add(Rounding rounding, float[] sum, float[] x, int from, int to);

    /**
     * {@code gate = silu(gate) * up} with {@code silu(z) = z / (1 + e^-z)}, rounded before and after the product.
     *
     * @param rounding how results are rounded
     * @param gate values that are changed
     * @param up factors
     * @param from first index
     * @param to one past the last index
     */
    void swiGlu(Rounding rounding, float[] gate, float[] up, int from, int to);

    /**
     * {@code x = round(factor x)}; nothing where the factor is 1.
     *
     * @param rounding how results are rounded
     * @param x values that are changed
     * @param factor the factor
     * @param from first index
     * @param to one past the last index
     */
    default void multiply(Rounding rounding, float[] x, float factor, int from, int to) {
        if (factor != 1) {
            for (int i = from; i < to; i++) {
                x[i] *= factor;
            }
            round(rounding, x, from, to);
        }
    }

    /**
     * {@code gate = gelu(gate) * up}, rounded before and after the product, with the approximation {@code gelu(z) = z / 2 (1 + tanh(u)) = z / (1 + e^-2u)} for
     * {@code u = sqrt(2 / pi) (z + 0.044715 z^3)} (arXiv 1606.08415).
     *
     * @param rounding how results are rounded
     * @param gate values that are changed
     * @param up factors
     * @param from first index
     * @param to one past the last index
     */
    default void geGlu(Rounding rounding, float[] gate, float[] up, int from, int to) {
        float twice = (float) (-2 * Math.sqrt(2 / Math.PI));
        float[] e = new float[to - from];
        for (int i = 0; i < e.length; i++) {
            float z = rounding.round(gate[from + i]);
            gate[from + i] = z;
            e[i] = twice * (z + 0.044715f * z * z * z);
        }
        exp(e, 0, e.length);
        for (int i = 0; i < e.length; i++) {
            gate[from + i] = rounding.round(rounding.round(gate[from + i] / (1 + e[i])) * up[from + i]);
        }
    }

    /**
     * {@code x = softmax(scale x)}; nothing is rounded.
     *
     * @param x values
     * @param length number of values
     * @param scale positive factor
     */
    void softmax(float[] x, int length, float scale);

    /**
     * Rotates pairs {@code (x_i, x_(i + half))} by angles: {@code a cos - b sin} and {@code b cos + a sin}, the first products rounded, then the results.
     *
     * @param rounding how results are rounded
     * @param x values that are changed
     * @param at index of the first one
     * @param cosSin the cosines of all pairs, then the sines
     */
    void rotate(Rounding rounding, float[] x, int at, float[] cosSin);
}
