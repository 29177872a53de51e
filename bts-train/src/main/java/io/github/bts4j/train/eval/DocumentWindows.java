package io.github.bts4j.train.eval;

import io.github.bts4j.train.data.TokenDataset;
import io.github.bts4j.train.data.Window;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.OptionalInt;

/**
 * Documents, each by itself: no token sees another document, so that a document's score does not depend on its neighbours. A document that is longer than a
 * window is read in windows that overlap, of which every one but the first scores only what lies behind the overlap: each token is scored once, with at least the
 * overlap before it. Immutable.
 *
 * @param windows the windows of all documents in order
 * @param from by window, number of its first token that is scored
 * @param document by window, number of its document
 * @param bytes by document, bytes of its text in UTF-8
 */
public record DocumentWindows(List<Window> windows, int[] from, int[] document, long[] bytes) {
    /**
     * Divides documents.
     *
     * @param dataset the documents, which begin with a mark where the tokenizer sets one
     * @param sequence tokens that a window predicts at most, at least 2
     * @param overlap tokens of a window, at least 1 and fewer than {@code sequence}, that the one before it has scored
     * @param begin a token to put before documents, so that their first one is scored; empty where they begin with a mark
     * @return the windows
     * @throws IllegalArgumentException if a number is out of range, or no document has two tokens
     */
    public static DocumentWindows of(TokenDataset dataset, int sequence, int overlap, OptionalInt begin) {
        if (sequence < 2 || overlap < 1 || overlap >= sequence) {
            throw new IllegalArgumentException("overlap = " + overlap + " must lie between 1 and sequence - 1 = " + (sequence - 1));
        }
        List<Window> windows = new ArrayList<>();
        List<int[]> places = new ArrayList<>();
        long[] bytes = new long[dataset.documentCount()];
        for (int i = 0; i < bytes.length; i++) {
            bytes[i] = dataset.documentBytes(i);
            int[] tokens = dataset.document(i);
            if (begin.isPresent()) {
                int[] begun = new int[tokens.length + 1];
                begun[0] = begin.getAsInt();
                System.arraycopy(tokens, 0, begun, 1, tokens.length);
                tokens = begun;
            }
            for (int scored = 1; scored < tokens.length;) {
                int start = scored == 1 ? 0 : scored - overlap;
                int end = Math.min(tokens.length, start + sequence + 1);
                windows.add(new Window(dataset.name(), Arrays.copyOfRange(tokens, start, end), List.of()));
                places.add(new int[] {scored - start, i});
                scored = end;
            }
        }
        if (windows.isEmpty()) {
            throw new IllegalArgumentException("Dataset '" + dataset.name() + "' has no document of two tokens: nothing to score");
        }
        return new DocumentWindows(windows, places.stream().mapToInt(place -> place[0]).toArray(), places.stream().mapToInt(place -> place[1]).toArray(), bytes);
    }
}
