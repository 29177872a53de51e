package io.github.bts4j.train.eval;

import io.github.bts4j.core.CausalLm;
import io.github.bts4j.train.data.Window;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.IntUnaryOperator;

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
    private static final double NATS_PER_BIT = Math.log(2);

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
        double nats = 0;
        long bytes = 0;
        Map<Integer, List<Window>> byLength = new LinkedHashMap<>();
        windows.forEach(window -> byLength.computeIfAbsent(window.tokens().length, length -> new ArrayList<>()).add(window));
        for (List<Window> same : byLength.values()) {
            for (int at = 0; at < same.size(); at += batchSize) {
                List<Window> batch = same.subList(at, Math.min(same.size(), at + batchSize));
                nats += nats(model, batch);
                bytes += batch.stream().mapToLong(window -> window.bytes(tokenBytes)).sum();
            }
        }
        if (bytes == 0) {
            throw new IllegalArgumentException(windows.size() + " windows stand for no byte of text: nothing to score");
        }
        return nats / NATS_PER_BIT / bytes;
    }

    private double nats(CausalLm model, List<Window> batch) {
        double sum = 0;
        float[][] losses = model.tokenLosses(batch.stream().map(Window::tokens).toArray(int[][]::new));
        for (int row = 0; row < losses.length; row++) {
            int[] tokens = batch.get(row).tokens();
            for (int t = 0; t < losses[row].length; t++) {
                sum += tokenBytes.applyAsInt(tokens[t + 1]) > 0 ? losses[row][t] : 0;
            }
        }
        return sum;
    }
}
