package io.github.bts4j.core.rows;

import io.github.bts4j.core.torch.TorchType;
import java.nio.ByteBuffer;
import java.util.Optional;

/**
 * Arithmetic over rows of matrices, for a few vectors at a time. Thread-safe.
 *
 * <p>An implementation is found by {@link java.util.ServiceLoader}. {@code -Dbts4j.decode=torch} leaves it unused.
 */
public interface RowMath {
    /**
     * The implementation on the class path that works in this Java machine.
     *
     * @return the implementation, found once per process; empty if there is none
     */
    static Optional<RowMath> available() {
        return AvailableRowMath.FOUND;
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
     * Brings a vector into the order in which {@link #product} reads it.
     *
     * @param type type of the matrix
     * @param x the vector
     * @param at index of its first element
     * @param length number of elements
     * @param into receives {@code length} values
     */
    void arrange(TorchType type, float[] x, int at, int length, float[] into);

    /**
     * Rows of {@code y_s = w x_s} for a few vectors; each row is read once. Int8 rows are multiplied with their scales; nothing is rounded.
     *
     * @param w the matrix {@code [rows, columns]}
     * @param from first row
     * @param to one past the last row
     * @param x arranged vectors {@code [sessions][columns]}
     * @param y results {@code [sessions][..]}: row r goes to {@code y[s][at + r]}
     * @param at where row 0 goes
     */
    void product(Matrix w, int from, int to, float[][] x, float[][] y, int at);

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
}
