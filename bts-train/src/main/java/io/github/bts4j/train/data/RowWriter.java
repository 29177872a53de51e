package io.github.bts4j.train.data;

import io.github.bts4j.core.torch.llama.DocumentRows;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;

/** Writes the sequences of one batch, and notes what counts and which tokens belong together where that is not all of them. For one thread. */
final class RowWriter {
    private final int[] tokens;
    private final int sequenceLength;
    private final boolean[][] counted;
    private final int[][] documents;
    private boolean whole;

    /** tokens: filled row by row, {@code [batch, sequence + 1]}. */
    RowWriter(int[] tokens, int batchSize, int sequenceLength) {
        this.tokens = tokens;
        this.sequenceLength = sequenceLength;
        this.counted = new boolean[batchSize][];
        this.documents = new int[batchSize][];
    }

    void write(int row, List<Segment> segments, boolean wholeDocuments) {
        int at = row * (sequenceLength + 1);
        if (wholeDocuments) {
            whole = true;
            counted[row] = new boolean[sequenceLength];
            documents[row] = new int[sequenceLength];
            Arrays.fill(documents[row], segments.size()); // the padding
        }
        for (int number = 0; number < segments.size(); number++) {
            Segment segment = segments.get(number);
            if (wholeDocuments) {
                segment.copyRaw(tokens, at);
                mark(row, at - row * (sequenceLength + 1), segment.length(), number);
            } else {
                segment.copyTo(tokens, at);
            }
            at += segment.length();
        }
    }

    /** Tokens {@code from} to {@code from + length - 1} of a row are a document of this number. */
    private void mark(int row, int from, int length, int number) {
        int begin = row * (sequenceLength + 1);
        for (int t = from; t < from + length; t++) {
            int raw = tokens[begin + t];
            tokens[begin + t] = raw < 0 ? ~raw : raw;
            if (t > from) { // nothing predicts the first token
                counted[row][t - 1] = raw >= 0;
            }
            if (t < sequenceLength) {
                documents[row][t] = number;
            }
        }
    }

    /** What is not plain text in the batch; empty if all of it is. */
    Optional<DocumentRows> documents() {
        if (!whole) {
            return Optional.empty();
        }
        int[][] rows = new int[counted.length][];
        for (int row = 0; row < rows.length; row++) {
            rows[row] = Arrays.copyOfRange(tokens, row * (sequenceLength + 1), (row + 1) * (sequenceLength + 1));
            if (counted[row] == null) { // a stretch of text
                counted[row] = new boolean[sequenceLength];
                Arrays.fill(counted[row], true);
                documents[row] = new int[0];
            }
        }
        return Optional.of(new DocumentRows(rows, counted, documents));
    }
}
