package io.github.bts4j.train.eval;

import io.github.bts4j.train.data.TokenDataset;
import io.github.bts4j.train.data.Window;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;

/**
 * Windows of separate documents: no token sees another document, so that a document's score does not depend on its neighbours. A document that is longer than a
 * window is read in overlapping windows. All but the first score only the tokens after the overlap, so that each token is scored once, with at least the
 * overlap as context. Immutable.
 *
 * @param windows the windows of all documents in order
 * @param from for each window, index of its first scored token
 * @param document for each window, index of its document
 * @param bytes for each document, bytes of its text in UTF-8
 */
public record DocumentWindows(List<Window> windows, int[] from, int[] document, long[] bytes) {
    /**
     * Divides documents.
     *
     * @param dataset the documents, with begin tokens if the tokenizer adds them
     * @param sequence maximum number of predicted tokens per window, at least 2
     * @param overlap tokens of a window that the previous window has scored, at least 1 and less than {@code sequence}
     * @param begin tokens to put before documents, so that their first token is scored; none if they have begin tokens
     * @return the windows
     * @throws IllegalArgumentException if a number is out of range, or no document has two tokens
     */
    public static DocumentWindows of(TokenDataset dataset, int sequence, int overlap, int... begin) {
        if (sequence < 2 || overlap < 1 || overlap >= sequence) {
            throw new IllegalArgumentException("overlap = " + overlap + " must be between 1 and sequence - 1 = " + (sequence - 1));
        }
        if (dataset.isWholeDocuments()) {
            throw new IllegalArgumentException("Dataset '" + dataset.name() + "' is made of conversations, each of which is a window by itself: score dataset.windows(sequence)");
        }
        List<Window> windows = new ArrayList<>();
        List<int[]> places = new ArrayList<>();
        long[] bytes = new long[dataset.documentCount()];
        for (int i = 0; i < bytes.length; i++) {
            bytes[i] = dataset.documentBytes(i);
            int[] tokens = IntStream.concat(IntStream.of(begin), IntStream.of(dataset.document(i))).toArray();
            int first = Math.max(begin.length, 1);
            for (int scored = first; scored < tokens.length;) {
                int start = scored == first ? 0 : scored - overlap;
                int end = Math.min(tokens.length, start + sequence + 1);
                windows.add(new Window(dataset.name(), Arrays.copyOfRange(tokens, start, end), List.of()));
                places.add(new int[] {scored - start, i});
                scored = end;
            }
        }
        if (windows.isEmpty()) {
            throw new IllegalArgumentException("Dataset '" + dataset.name() + "' has no document with two tokens: nothing to score");
        }
        return new DocumentWindows(windows, places.stream().mapToInt(place -> place[0]).toArray(), places.stream().mapToInt(place -> place[1]).toArray(), bytes);
    }
}
