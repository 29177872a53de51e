package io.github.bts4j.vector;

/**
 * Factors s and summands m of the groups of some rows. Their bits are read for all of the rows before any are converted: a vector that was written in pieces just before it is
 * loaded holds the processor up.
 */
final class Scales {
    /** Room for the factors of a row. */
    final int groups;
    /** Room for the summands of a row. */
    final int sums;
    final int[] rawFactors;
    final int[] rawSummands;
    final float[] s;
    final float[] m;

    /** For so many rows, each with so many groups of factors and of summands. */
    Scales(int rows, int groups, int sums) {
        this.groups = groups + 15 & -16;
        this.sums = sums + 15 & -16;
        rawFactors = new int[rows * this.groups];
        rawSummands = new int[rows * this.sums];
        s = new float[rows * this.groups];
        m = new float[rows * this.sums];
    }
}
