package io.github.bts4j.train.eval;

import io.github.bts4j.core.CausalLm;
import io.github.bts4j.train.data.Segment;
import io.github.bts4j.train.data.Window;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.IntUnaryOperator;
import java.util.stream.IntStream;

/**
 * Bits per byte of held-out windows: the cross-entropy of all predicted tokens in bits, divided by the bytes of their text.
 *
 * <pre>{@code bpb = sum_t -log2 p(x_t | x_<t) / sum_t bytes(x_t)}</pre>
 *
 * Tokens without text (such as the begin token between documents) are context: they are neither scored nor counted. Of conversations, the
 * assistant's tokens are scored, and the rest is context.
 *
 * Immutable and thread-safe.
 */
public final class BitsPerByte {
    private final IntUnaryOperator tokenBytes;
    private final int batchSize;

    /**
     * Prepares scoring.
     *
     * @param tokenBytes bytes of text per token, such as {@link TokenBytes}
     * @param batchSize windows per forward pass, at least 1
     */
    public BitsPerByte(IntUnaryOperator tokenBytes, int batchSize) {
        if (batchSize < 1) {
            throw new IllegalArgumentException("batchSize = " + batchSize + " is below 1");
        }
        this.tokenBytes = tokenBytes;
        this.batchSize = batchSize;
    }

    /**
     * Scores a model on one set of windows.
     *
     * @param model the model
     * @param windows the windows, at least one
     * @return bits per byte
     * @throws IllegalArgumentException if there is no window, or its tokens have no text
     */
    public double of(CausalLm model, List<Window> windows) {
        return score(model, windows).bitsPerByte();
    }

    /**
     * Scores a model window by window, for the uncertainty of its bits per byte, and of the difference from another model.
     *
     * @param model the model
     * @param windows the windows, at least one
     * @return the scores in the windows' order
     * @throws IllegalArgumentException if there is no window, or its tokens have no text
     */
    public WindowScores score(CausalLm model, List<Window> windows) {
        return byPart(model, windows, 1).get(0);
    }

    /**
     * Scores a model document by document. All bytes of a document's text count, and the nats of all its tokens.
     *
     * @param model the model
     * @param documents the documents' windows
     * @param ends end tokens of documents, which are not scored
     * @return the scores in the documents' order; the bootstrap resamples documents instead of windows
     */
    public WindowScores byDocument(CausalLm model, DocumentWindows documents, int... ends) {
        requireContext(model, documents.windows());
        double[] nats = new double[documents.bytes().length];
        long[] tokens = new long[nats.length];
        List<List<Integer>> batches = Window.batches(documents.windows(), batchSize);
        List<float[][]> all = losses(model, documents.windows(), batches);
        for (int i = 0; i < batches.size(); i++) {
            List<Integer> batch = batches.get(i);
            float[][] losses = all.get(i);
            for (int row = 0; row < losses.length; row++) {
                int document = documents.document()[batch.get(row)];
                for (int t = documents.from()[batch.get(row)] - 1; t < losses[row].length; t++) {
                    int next = documents.windows().get(batch.get(row)).tokens()[t + 1];
                    if (IntStream.of(ends).noneMatch(end -> end == next)) {
                        nats[document] += losses[row][t];
                        tokens[document]++;
                    }
                }
            }
        }
        return new WindowScores(nats, documents.bytes().clone(), tokens);
    }

    /**
     * Scores parts of the windows separately, to compare the beginning of windows with later parts.
     *
     * @param model the model
     * @param windows the windows, at least one
     * @param parts number of parts that a window is divided into, at least one; their sizes differ by at most one prediction
     * @return for every part, from the first, the scores in the windows' order
     * @throws IllegalArgumentException if there is no window, or the tokens of a part have no text
     */
    public List<WindowScores> byPart(CausalLm model, List<Window> windows, int parts) {
        int[] predicted = windows.stream().mapToInt(Window::predicted).toArray();
        return grouped(model, windows, parts, (window, position) -> (int) ((position - 1L) * parts / predicted[window]));
    }

    /**
     * Scores a model by the domain of the predicted tokens, in windows that switch between domains.
     *
     * @param model the model
     * @param windows windows with segments
     * @return for every dataset of the segments, in the order in which they first come, the scores in the windows' order; a window without a segment of a dataset
     *     counts 0 bytes there
     * @throws IllegalArgumentException if a window has no segments, or the predicted tokens of a dataset have no text
     */
    public Map<String, WindowScores> bySource(CausalLm model, List<Window> windows) {
        List<String> names = new ArrayList<>();
        int[][] sources = windows.stream().map(window -> sources(window, names)).toArray(int[][]::new);
        List<WindowScores> scores = grouped(model, windows, names.size(), (window, position) -> sources[window][position]);
        Map<String, WindowScores> named = new LinkedHashMap<>();
        names.forEach(name -> named.put(name, scores.get(named.size())));
        return named;
    }

    /** The index of each token's dataset in the list of names; new names are added. */
    private static int[] sources(Window window, List<String> names) {
        int[] sources = new int[window.tokens().length];
        int at = 0;
        for (Segment segment : window.segments()) {
            String name = segment.dataset().name();
            if (!names.contains(name)) {
                names.add(name);
            }
            Arrays.fill(sources, at, at + segment.length(), names.indexOf(name));
            at += segment.length();
        }
        if (at > 0 && window.counted().length > 0) {
            Arrays.fill(sources, at, sources.length, sources[at - 1]); // padding, of which nothing counts
            return sources;
        }
        if (at != sources.length) {
            throw new IllegalArgumentException("A window of domain '" + window.domain() + "' has " + sources.length + " tokens, and segments for " + at
                    + ": the source of a token is unknown without them");
        }
        return sources;
    }

    /** The group of a token's prediction, by the index of the window and of the token; token 0 is not predicted. */
    private interface Grouping {
        int of(int window, int position);
    }

    /** Refuses windows beyond the model's context, for which its results would be meaningless. */
    private static void requireContext(CausalLm model, List<Window> windows) {
        int longest = windows.stream().mapToInt(Window::predicted).max().orElse(0);
        if (longest > model.contextLength()) {
            throw new IllegalArgumentException("A window predicts " + longest + " tokens, beyond the model's context of " + model.contextLength()
                    + " (max_position_embeddings): use shorter windows");
        }
    }

    private static List<float[][]> losses(CausalLm model, List<Window> windows, List<List<Integer>> batches) {
        return model.tokenLosses(batches.stream().map(batch -> batch.stream().map(i -> windows.get(i).tokens()).toArray(int[][]::new)).toList());
    }

    private List<WindowScores> grouped(CausalLm model, List<Window> windows, int groups, Grouping grouping) {
        requireContext(model, windows);
        double[][] nats = new double[groups][windows.size()];
        long[][] bytes = new long[groups][windows.size()];
        long[][] tokens = new long[groups][windows.size()];
        List<List<Integer>> batches = Window.batches(windows, batchSize);
        List<float[][]> all = losses(model, windows, batches);
        for (int batch = 0; batch < batches.size(); batch++) {
            float[][] losses = all.get(batch);
            for (int row = 0; row < losses.length; row++) {
                int i = batches.get(batch).get(row);
                int[] ids = windows.get(i).tokens();
                for (int t = 0; t < losses[row].length; t++) {
                    int size = tokenBytes.applyAsInt(ids[t + 1]);
                    if (size > 0 && windows.get(i).counts(t + 1)) {
                        int group = grouping.of(i, t + 1);
                        nats[group][i] += losses[row][t];
                        bytes[group][i] += size;
                        tokens[group][i]++;
                    }
                }
            }
        }
        return IntStream.range(0, groups).mapToObj(group -> new WindowScores(nats[group], bytes[group], tokens[group])).toList();
    }
}
