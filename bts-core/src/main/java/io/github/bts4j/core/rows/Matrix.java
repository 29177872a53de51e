package io.github.bts4j.core.rows;

/**
 * A matrix that is multiplied with a few vectors at a time. There is one class for each type and layout of the elements, so that no loop
 * has to switch over them. Thread-safe.
 *
 * <p>A value is computed in a fixed order, independent of the number of vectors and the range of rows.
 */
public abstract class Matrix {
    /** Workers share the rows of a product in multiples of this many: repacked matrices keep them together. */
    public static final int SHARE = 32;

    private final StoredRows stored;

    /**
     * A matrix of rows.
     *
     * @param stored the rows
     */
    protected Matrix(StoredRows stored) {
        this.stored = stored;
    }

    /**
     * The length of the array that {@link #pack} needs.
     *
     * @param length number of elements of a vector
     * @return at least the next multiple of four
     */
    public static int room(int length) {
        return (length + 3 & -4) + (length / Blocks.SHARED_BY + Blocks.SHARED_BY - 1 & -Blocks.SHARED_BY);
    }

    /** {@return the rows in the tensor's memory} */
    public final StoredRows stored() {
        return stored;
    }

    /**
     * The elements in the tensor's memory.
     *
     * @return the elements
     * @throws IllegalStateException if the matrix is stored in blocks
     */
    public final Elements elements() {
        if (stored instanceof Elements elements) {
            return elements;
        }
        throw new IllegalStateException("A matrix in blocks has no elements");
    }

    /** {@return the number of columns} */
    public final int columns() {
        return stored.columns();
    }

    /**
     * The rows from a given one on.
     *
     * @param row the row that becomes row 0; of a matrix in a tensor's memory, without scales
     * @return a matrix in the same memory
     */
    public abstract Matrix from(int row);

    /**
     * A copy on the Java heap, in the layout that products with several vectors read fastest; the matrix itself, if there is no faster layout.
     *
     * @param rows number of its rows
     * @return a copy that supports {@link #pack} and {@link #matmul} only
     */
    public abstract Matrix repacked(int rows);

    /**
     * Whether another matrix reads vectors in the same order.
     *
     * @param other the other one, as wide
     * @return true if a vector that one of them has packed serves both
     */
    public boolean packsLike(Matrix other) {
        return getClass() == other.getClass();
    }

    /**
     * Copies a vector in the order in which {@link #matmul} reads it.
     *
     * @param x the vector
     * @param at index of its first element
     * @param length number of elements
     * @param into receives {@code length} values, and may receive others up to {@link #room}
     */
    public void pack(float[] x, int at, int length, float[] into) {
        System.arraycopy(x, at, into, 0, length);
    }

    /**
     * Copies vectors in the order in which {@link #matmul} reads them.
     *
     * @param x the vectors, as long as the matrix is wide
     * @param into receives them
     */
    public final void pack(float[][] x, float[][] into) {
        for (int s = 0; s < x.length; s++) {
            pack(x[s], 0, columns(), into[s]);
        }
    }

    /**
     * Packed copies of vectors.
     *
     * @param x the vectors, as long as the matrix is wide
     * @return the vectors in the order in which {@link #matmul} reads them
     */
    public final float[][] packed(float[][] x) {
        float[][] packed = new float[x.length][room(columns())];
        pack(x, packed);
        return packed;
    }

    /**
     * Rows of {@code y_s = w x_s} for a few vectors. Int8 rows are multiplied with their scales; nothing is rounded.
     *
     * @param from first row; of a repacked matrix a multiple of {@link #SHARE}
     * @param to one past the last row
     * @param x packed vectors {@code [vectors][columns]}
     * @param y results {@code [vectors][..]}: row r goes to {@code y[s][at + r]}
     * @param at index of row 0's result
     */
    public abstract void matmul(int from, int to, float[][] x, float[][] y, int at);

    /**
     * The sum of weighted rows, {@code y = sum_r p_r w_r}; not for int8, and not of a repacked matrix.
     *
     * @param rows number of rows, from row 0
     * @param p weights {@code [rows]}
     * @param y receives {@code [columns]}
     * @param at index of its first element
     */
    public abstract void weightedSum(int rows, float[] p, float[] y, int at);

    /**
     * Several such sums, equal to those one by one.
     *
     * @param rows number of rows, from row 0
     * @param p weights {@code [sums][rows]}
     * @param y receives {@code [sums][columns]}
     * @param at index of its first element
     */
    public void weightedSums(int rows, float[][] p, float[] y, int at) {
        for (int s = 0; s < p.length; s++) {
            weightedSum(rows, p[s], y, at + s * columns());
        }
    }

    /**
     * Adds some columns of the sum of weighted rows, {@code y_c += sum_r p_r w_rc}; not of a repacked matrix.
     *
     * @param rows number of rows, from row 0
     * @param p weights {@code [rows]}
     * @param from first column, a multiple of {@link #SHARE}
     * @param to one past the last column
     * @param y what is added to {@code [columns]}
     */
    public void addWeightedSum(int rows, float[] p, int from, int to, float[] y) {
        for (int c = from; c < to; c++) {
            double sum = 0;
            for (int r = 0; r < rows; r++) {
                sum += (double) p[r] * elements().get(r, c);
            }
            y[c] += (float) sum;
        }
    }
}
