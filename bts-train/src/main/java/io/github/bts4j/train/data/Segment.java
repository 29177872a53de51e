package io.github.bts4j.train.data;

/**
 * A segment of a dataset's tokens. The dataset is a ring: a segment that passes its end continues at its start.
 *
 * @param dataset the dataset of the tokens
 * @param offset index of the first token, from 0
 * @param length number of tokens
 */
public record Segment(TokenDataset dataset, int offset, int length) {

    /**
     * Checks the values.
     *
     * @param dataset the dataset of the tokens
     * @param offset index of the first token
     * @param length number of tokens
     * @throws IllegalArgumentException if the segment begins outside the dataset, is empty, or is longer than the dataset
     */
    public Segment {
        if (offset < 0 || offset >= dataset.size() || length < 1 || length > dataset.size()) {
            throw new IllegalArgumentException("Segment [offset = " + offset + ", length = " + length
                    + "] does not fit into dataset '" + dataset.name() + "' of " + dataset.size() + " tokens");
        }
    }

    /**
     * Copies the token ids.
     *
     * @param into receives {@code length} tokens
     * @param at index of the first of them in {@code into}
     */
    public void copyTo(int[] into, int at) {
        int untilEnd = Math.min(length, dataset.size() - offset);
        dataset.copyIds(offset, untilEnd, into, at);
        dataset.copyIds(0, length - untilEnd, into, at + untilEnd);
    }

    /** Tokens as they are stored: the complement of one that is not predicted. */
    void copyRaw(int[] into, int at) {
        int untilEnd = Math.min(length, dataset.size() - offset);
        dataset.copy(offset, untilEnd, into, at);
        dataset.copy(0, length - untilEnd, into, at + untilEnd);
    }
}
