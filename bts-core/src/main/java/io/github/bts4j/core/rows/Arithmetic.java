package io.github.bts4j.core.rows;

import io.github.bts4j.core.torch.TorchType;
import java.nio.ByteBuffer;
import java.util.Optional;

/**
 * Arithmetic over rows of matrices, for a few vectors at a time. Thread-safe.
 *
 * <p>An implementation is found by {@link java.util.ServiceLoader}. {@code -Dbts4j.decode=torch} leaves it unused.
 */
public interface Arithmetic {
    /** Threads share the rows of a product in multiples of this many: repacked matrices keep them together. */
    int SHARE = 32;

    /**
     * The room that {@link #pack} needs.
     *
     * @param length number of elements of a vector
     * @return the next multiple of four
     */
    static int room(int length) {
        return (length + 3) & -4;
    }

    /**
     * The implementation on the class path that works in this Java machine.
     *
     * @return the implementation, found once per process; empty if there is none
     */
    static Optional<Arithmetic> available() {
        return AvailableArithmetic.FOUND;
    }

    /**
     * Whether it works here, for instance because the Java machine was started with the modules that it needs; says why not in the log.
     *
     * @return true if its other methods may be called
     */
    boolean isUsable();

    /**
     * Makes the first products with matrices of a type as fast as later ones. Called before them; calling it again does nothing.
     *
     * @param type the type
     */
    void prepare(TorchType type);

    /**
     * Prepares memory for reading.
     *
     * @param bytes a direct buffer, which must outlive every use of the result
     * @return what {@link Matrix} hands back to this implementation
     */
    Object memory(ByteBuffer bytes);

    /**
     * A copy of a matrix on the Java heap, in the order in which products with several vectors read it fastest.
     *
     * @param w the matrix {@code [rows, columns]}, in a tensor's memory
     * @param rows number of its rows
     * @return the same matrix for {@link #pack} and {@link #matmul}, and for these alone; {@link Matrix#get} reads the tensor's memory
     */
    Matrix repacked(Matrix w, int rows);

    /**
     * Brings a vector into the order in which {@link #matmul} reads it.
     *
     * @param w the matrix
     * @param x the vector
     * @param at index of its first element
     * @param length number of elements
     * @param into receives {@code length} values; for a repacked matrix also zeros up to {@link #room}
     */
    void pack(Matrix w, float[] x, int at, int length, float[] into);

    /**
     * Rows of {@code y_s = w x_s} for a few vectors; each row is read once. Int8 rows are multiplied with their scales; nothing is rounded.
     *
     * @param w the matrix {@code [rows, columns]}
     * @param from first row; for a repacked matrix a multiple of {@link #SHARE}
     * @param to one past the last row
     * @param x packed vectors {@code [sessions][columns]}
     * @param y results {@code [sessions][..]}: row r goes to {@code y[s][at + r]}
     * @param at where row 0 goes
     */
    void matmul(Matrix w, int from, int to, float[][] x, float[][] y, int at);

    /**
     * The sum of weighted rows, {@code y = sum_r p_r w_r}; not for int8.
     *
     * @param w the matrix
     * @param rows number of rows, from row 0
     * @param p weights {@code [rows]}
     * @param y receives {@code [columns]}
     * @param at index of its first element
     */
    void weightedSum(Matrix w, int rows, float[] p, float[] y, int at);

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
     * @param x what is added
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
     * {@code x = softmax(scale x)}; nothing is rounded.
     *
     * @param x values
     * @param length how many of them
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
