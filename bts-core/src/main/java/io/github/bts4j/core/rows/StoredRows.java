package io.github.bts4j.core.rows;

/** The rows of a matrix in a tensor's own memory: elements of one type, or blocks that share scales. */
public sealed interface StoredRows permits Elements, Blocks {
    /** {@return the number of columns} */
    int columns();

    /** {@return the size of a row in bytes} */
    long rowBytes();

    /**
     * The rows from a given one on.
     *
     * @param row the row that becomes row 0; of a matrix without scales for each row
     * @return the same memory
     */
    StoredRows from(int row);

    /**
     * Reads a row.
     *
     * @param row number of the row
     * @param into receives its values {@code [columns]}
     */
    void read(int row, float[] into);
}
