package io.github.bts4j.vector;

/** Factors s and summands m of the groups of two rows, where a block has those of several groups. */
final class Scales {
    /** Room for the factors of a row. */
    final int groups;
    /** Room for the summands of a row. */
    final int sums;
    final float[] s;
    final float[] m;

    /** For so many groups of factors and of summands in a row. */
    Scales(int groups, int sums) {
        this.groups = groups + 15 & -16;
        this.sums = sums + 15 & -16;
        s = new float[2 * this.groups];
        m = new float[2 * this.sums];
    }
}
