package io.github.bts4j.train.data;

import java.util.List;

/**
 * What a {@link Datamix} mixes: the packed text of one domain ({@link TokenDataset}), or text that switches between
 * several ({@link SwitchingDomain}). Domains are immutable and safe for use by many threads.
 */
public sealed interface Domain permits TokenDataset, SwitchingDomain {

    /** {@return the name that weights, metrics and messages use, not blank} */
    String name();

    /**
     * The segments of one training sequence; a pure function of its arguments. Within an epoch no token is
     * predicted twice; each epoch has its own order.
     *
     * @param seed the seed of the run
     * @param ordinal number of the sequence within this domain, from 0
     * @param sequenceLength tokens that the model reads; the sequence has one more, the last target
     * @return segments of {@code sequenceLength + 1} tokens together; of whole documents, one segment each, at most as many, and padding follows
     * @throws IllegalArgumentException if {@link #problems(int)} names a problem
     */
    List<Segment> sequence(long seed, long ordinal, int sequenceLength);

    /**
     * Evaluation windows in the order of the text, without shuffling or overlap of predicted tokens.
     *
     * @param sequenceLength tokens that the model reads at once; a window has one more, the last target
     * @return the windows, created on demand; the last one of a {@link TokenDataset} may be shorter
     * @throws IllegalArgumentException if {@code sequenceLength} is less than 1, or there is too little text for one
     *     window
     */
    List<Window> windows(int sequenceLength);

    /**
     * The number of sequences in an epoch.
     *
     * @param sequenceLength tokens that the model reads, 1 or more
     * @return sequences of an epoch, 1 or more; a {@link SwitchingDomain}'s epoch ends when the first of its members begins again
     * @throws IllegalArgumentException if {@link #problems(int)} names a problem
     */
    long sequencesPerEpoch(int sequenceLength);

    /**
     * How many tokens the loss counts in the first sequences.
     *
     * @param seed the seed of the run
     * @param sequences number of sequences, from the first
     * @param sequenceLength tokens that the model reads
     * @return tokens that are predicted and count
     */
    default long predicted(long seed, long sequences, int sequenceLength) {
        return sequences * sequenceLength;
    }

    /**
     * Whether a sequence is made of whole documents that see nothing of each other, and of padding; else its segments are one stretch of text.
     *
     * @return true for conversations
     */
    default boolean isWholeDocuments() {
        return false;
    }

    /**
     * Reasons why this domain cannot give sequences.
     *
     * @param sequenceLength tokens that the model reads, 1 or more
     * @return one message per problem; empty when there is none
     */
    List<String> problems(int sequenceLength);

    /**
     * Identifies the content: equal fingerprints give equal sequences.
     *
     * @return SHA-256 in lower-case hexadecimal digits
     */
    String fingerprint();
}
