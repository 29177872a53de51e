package io.github.bts4j.core.torch.llama;

import static io.github.bts4j.core.support.Problems.throwIf;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import io.github.bts4j.core.TokenBatch;
import io.github.bts4j.core.torch.Autograd;
import java.util.Arrays;
import java.util.function.UnaryOperator;

/**
 * Sequences for a training pass that hold whole documents, such as conversations, and possibly padding after them: which tokens the loss
 * counts, and which document each token belongs to. A token attends to the tokens before it in its own document. Arrays are not copied.
 *
 * <p>Positions continue from one document to the next. Rotary embeddings depend only on differences of positions, so a document gives the
 * same results as alone.
 *
 * @param tokens token ids, {@code [batch][sequence + 1]}
 * @param counted whether the loss counts the prediction of token t + 1, {@code [batch][sequence]}
 * @param documents number of the document that token t belongs to, equal for neighbours of one document, {@code [batch][sequence]}; an empty row is a stretch
 *     of text that only a {@link DocumentMask} divides
 */
public record DocumentRows(int[][] tokens, boolean[][] counted, int[][] documents) {
    /**
     * Checks that the sizes agree.
     *
     * @param tokens token ids
     * @param counted whether the loss counts the prediction of token t + 1
     * @param documents number of the document that token t belongs to
     * @throws IllegalArgumentException if there is no row, or the sizes of the three do not agree
     */
    public DocumentRows {
        int sequence = TokenBatch.width(tokens) - 1;
        throwIf(counted.length != tokens.length || documents.length != tokens.length,
                () -> new IllegalArgumentException("tokens, counted and documents have " + tokens.length + ", " + counted.length + " and " + documents.length + " rows: they must have equally many"));
        for (int row = 0; row < tokens.length; row++) {
            if (tokens[row].length != sequence + 1 || counted[row].length != sequence || documents[row].length > 0 && documents[row].length != sequence) {
                throw new IllegalArgumentException("Row " + row + " has " + tokens[row].length + " tokens, " + counted[row].length + " marks of what counts and "
                        + documents[row].length + " numbers of documents: " + (sequence + 1) + ", " + sequence + " and " + sequence + " or 0 are needed");
            }
        }
    }

    /**
     * Some of the sequences.
     *
     * @param from the first one
     * @param to one past the last one
     * @return their rows
     */
    public DocumentRows rows(int from, int to) {
        return new DocumentRows(Arrays.copyOfRange(tokens, from, to), Arrays.copyOfRange(counted, from, to), Arrays.copyOfRange(documents, from, to));
    }

    /**
     * The same with documents numbered in every row.
     *
     * @param marks divides the rows without numbers
     * @return the rows
     */
    public DocumentRows numbered(DocumentMask marks) {
        return numbered(marks::documents);
    }

    /**
     * The same with documents numbered in every row; a row without numbers is one document.
     *
     * @return the rows
     */
    public DocumentRows numbered() {
        return numbered(read -> new int[read.length]);
    }

    private DocumentRows numbered(UnaryOperator<int[]> division) {
        int[][] numbers = documents.clone();
        for (int row = 0; row < numbers.length; row++) {
            if (numbers[row].length == 0) {
                numbers[row] = division.apply(Arrays.copyOf(tokens[row], tokens[row].length - 1));
            }
        }
        return new DocumentRows(tokens, counted, numbers);
    }

    /**
     * The inputs of a model and the labels of its predictions, -1 where the loss does not count.
     *
     * @param manager owner of the results, which are on its device
     * @param vocabSize the vocabulary's size
     * @return inputs and labels
     * @throws IllegalArgumentException if an id is outside the vocabulary
     */
    public TokenBatch.NextTokens nextTokens(NDManager manager, int vocabSize) {
        TokenBatch.check(tokens, vocabSize);
        int sequence = TokenBatch.width(tokens) - 1;
        long[] labels = new long[Math.multiplyExact(tokens.length, sequence)];
        for (int row = 0; row < tokens.length; row++) {
            for (int t = 0; t < sequence; t++) {
                labels[row * sequence + t] = counted[row][t] ? tokens[row][t + 1] : -1;
            }
        }
        return new TokenBatch.NextTokens(TokenBatch.tensor(manager, tokens, 0, sequence, vocabSize), manager.create(labels, new Shape(tokens.length, sequence)));
    }

    /**
     * Which tokens may attend to which, where every row has its documents numbered.
     *
     * @param scope owner of the result
     * @return bool {@code [batch, 1, sequence, sequence]}: whether token t (third dimension) may attend to token u (last one)
     */
    public NDArray mask(NDManager scope) {
        try (NDArray numbers = TokenBatch.tensor(scope, documents, 0, documents[0].length, Integer.MAX_VALUE)) {
            return Decoder.CALLS.withinDocuments(scope, Autograd.OFF, numbers);
        }
    }

    /**
     * {@return the numbers that identify each sequence's states, {@code [batch * 2 * sequence]}, where every row has its documents
     * numbered: its tokens, then their documents}
     */
    public long[] keys() {
        int sequence = documents[0].length;
        long[] keys = new long[Math.multiplyExact(documents.length, 2 * sequence)];
        for (int row = 0; row < documents.length; row++) {
            for (int t = 0; t < sequence; t++) {
                keys[row * 2 * sequence + t] = tokens[row][t];
                keys[(row * 2 + 1) * sequence + t] = documents[row][t];
            }
        }
        return keys;
    }
}
