package io.github.bts4j.train.eval;

import io.github.bts4j.core.CausalLm;
import io.github.bts4j.train.data.Window;
import java.util.List;
import java.util.function.IntUnaryOperator;
import java.util.stream.IntStream;

/**
 * Bits per byte of held-out windows: the cross-entropy of all predicted tokens in bits, over the bytes of text they stand for.
 *
 * <pre>{@code bpb = sum_t -log2 p(x_t | x_<t) / sum_t bytes(x_t)}</pre>
 *
 * Tokens that stand for no byte (the begin token between documents) are context: they are neither scored nor counted.
 *
 * Immutable and thread-safe.
 */
public final class BitsPerByte {
    private final IntUnaryOperator tokenBytes;
    private final int batchSize;

    /**
     * Prepares scoring.
     *
     * @param tokenBytes bytes of text that a token stands for, such as {@link TokenBytes}
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
     * @throws IllegalArgumentException if there is no window, or its tokens stand for no byte
     */
    public double of(CausalLm model, List<Window> windows) {
        return score(model, windows).bitsPerByte();
    }

    /**
     * Scores a model window by window, so that the uncertainty of its bits per byte, and of a difference to another model's, can be told.
     *
     * @param model the model
     * @param windows the windows, at least one
     * @return the scores in the windows' order
     * @throws IllegalArgumentException if there is no window, or its tokens stand for no byte
     */
    public WindowScores score(CausalLm model, List<Window> windows) {
        return byPart(model, windows, 1).get(0);
    }

    /**
     * Scores a model part by part: how well it does at the beginning of windows, and further on.
     *
     * @param model the model
     * @param windows the windows, at least one
     * @param parts how many parts of as many predictions, give or take one, a window is divided into, at least one
     * @return for every part, from the first, the scores in the windows' order
     * @throws IllegalArgumentException if there is no window, or the tokens of a part stand for no byte
     */
    public List<WindowScores> byPart(CausalLm model, List<Window> windows, int parts) {
        double[][] nats = new double[parts][windows.size()];
        long[][] bytes = new long[parts][windows.size()];
        long[][] tokens = new long[parts][windows.size()];
        for (List<Integer> batch : Window.batches(windows, batchSize)) {
            int[][] ids = batch.stream().map(i -> windows.get(i).tokens()).toArray(int[][]::new);
            float[][] losses = model.tokenLosses(ids);
            for (int row = 0; row < losses.length; row++) {
                int i = batch.get(row);
                for (int t = 0; t < losses[row].length; t++) {
                    int size = tokenBytes.applyAsInt(ids[row][t + 1]);
                    if (size > 0) {
                        int part = (int) ((long) t * parts / losses[row].length);
                        nats[part][i] += losses[row][t];
                        bytes[part][i] += size;
                        tokens[part][i]++;
                    }
                }
            }
        }
        return IntStream.range(0, parts).mapToObj(part -> new WindowScores(nats[part], bytes[part], tokens[part])).toList();
    }
}
