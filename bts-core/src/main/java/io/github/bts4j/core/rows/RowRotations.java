package io.github.bts4j.core.rows;

/** The rotations of queries and keys. They do not only depend on the position: dynamic scaling uses the length of the whole sequence. */
@FunctionalInterface
public interface RowRotations {
    /**
     * The rotations of one token.
     *
     * @param position its position, counted from 0
     * @param length the length of its sequence at the end of the pass that computes it, cached tokens included
     * @return the cosines and then the sines, {@code [2 * pairs]}; of models with two tables the first one's, then the second one's
     */
    float[] of(int position, int length);
}
