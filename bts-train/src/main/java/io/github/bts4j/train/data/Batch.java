package io.github.bts4j.train.data;

import io.github.bts4j.core.torch.llama.DocumentRows;
import java.util.Arrays;
import java.util.Optional;

/**
 * Token sequences for one forward pass. Arrays are not copied, so equality is that of the array objects.
 *
 * @param tokens token ids, flat [batch, sequence + 1]: every sequence has one token more than the model reads
 * @param domains index of each sequence's domain in {@link Datamix#domains()}, [batch]
 * @param sequenceLength tokens of a sequence that the model reads
 * @param position number of the first sequence in the mix, from 0
 * @param documents what counts and which tokens belong together, where a sequence holds whole documents such as conversations; else empty
 */
public record Batch(int[] tokens, int[] domains, int sequenceLength, long position, Optional<DocumentRows> documents) {

    /**
     * Checks that the sizes agree.
     *
     * @param tokens token ids
     * @param domains index of each sequence's domain in
     * @param sequenceLength tokens of a sequence that the model reads
     * @param position number of the first sequence in the mix
     * @param documents what counts and which tokens belong together
     * @throws IllegalArgumentException if {@code tokens} does not have {@code sequenceLength + 1} tokens per domain entry
     */
    public Batch {
        if (domains.length == 0 || tokens.length != domains.length * (sequenceLength + 1L)) {
            throw new IllegalArgumentException("tokens.length = " + tokens.length + " is not batch " + domains.length
                    + " x (sequenceLength + 1 = " + (sequenceLength + 1L) + ")");
        }
    }

    /**
     * Stretches of text, of which every token counts.
     *
     * @param tokens token ids
     * @param domains index of each sequence's domain
     * @param sequenceLength tokens of a sequence that the model reads
     * @param position number of the first sequence in the mix
     * @throws IllegalArgumentException if {@code tokens} does not have {@code sequenceLength + 1} tokens per domain entry
     */
    public Batch(int[] tokens, int[] domains, int sequenceLength, long position) {
        this(tokens, domains, sequenceLength, position, Optional.empty());
    }

    /**
     * Whether the loss counts a prediction.
     *
     * @param row number of the sequence
     * @param t number of the token that is read, whose next one is predicted
     * @return true for all of a stretch of text
     */
    public boolean counts(int row, int t) {
        return documents.isEmpty() || documents.get().counted()[row][t];
    }

    /** {@return the number of predictions that the loss counts; {@code batch * sequence} in stretches of text} */
    public long predicted() {
        if (documents.isEmpty()) {
            return (long) domains.length * sequenceLength;
        }
        long count = 0;
        for (boolean[] row : documents.get().counted()) {
            for (boolean counts : row) {
                count += counts ? 1 : 0;
            }
        }
        return count;
    }

    /** {@return the number of sequences, 1 or more} */
    public int batchSize() {
        return domains.length;
    }

    /** {@return the inputs of the model in a new array, flat [batch, sequence]} */
    public int[] inputs() {
        return columns(0);
    }

    /** {@return the tokens that the model is to predict, which are the inputs one token later, in a new array, flat [batch, sequence]} */
    public int[] targets() {
        return columns(1);
    }

    /** {@return the sequences as separate new arrays, [batch][sequence + 1]} */
    public int[][] rows() {
        int[][] rows = new int[domains.length][];
        for (int row = 0; row < rows.length; row++) {
            rows[row] = Arrays.copyOfRange(tokens, row * (sequenceLength + 1), (row + 1) * (sequenceLength + 1));
        }
        return rows;
    }

    /**
     * {@return the position of the next batch, which is all that a resumed run needs: the number of the sequence after the last one
     * here}
     */
    public long nextPosition() {
        return position + domains.length;
    }

    private int[] columns(int from) {
        int[] out = new int[domains.length * sequenceLength];
        for (int row = 0; row < domains.length; row++) {
            System.arraycopy(tokens, row * (sequenceLength + 1) + from, out, row * sequenceLength, sequenceLength);
        }
        return out;
    }
}
