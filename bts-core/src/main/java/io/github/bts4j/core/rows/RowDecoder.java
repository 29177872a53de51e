package io.github.bts4j.core.rows;

import io.github.bts4j.core.torch.TorchType;

/**
 * A Llama decoder (arXiv 2307.09288) for one new token of each of a few sessions, or a few of one.
 *
 * <p>Called by all threads of a {@link Crew} together. It holds no state of a step; the model's tensors must outlive it.
 */
public final class RowDecoder {
    /** The size of weights, in bytes, below which the set-up of libtorch's calls takes longer than their work. */
    public static final long SMALL_MODEL = 32 << 20;

    private static final int MOST_TOKENS = 4; // with more, libtorch's products of whole matrices are faster
    private static final int MOST_TOKENS_OF_SMALL_OR_REPACKED_MODELS = 16;
    private static final int LONGEST_PROMPT_OF_SMALL_MODELS = 128;

    private final RowMath math;
    private final Rounding rounding;
    private final Dimensions dims;
    private final RowWeights weights;
    private final Rotations rope;
    private final boolean small;
    private final Pace pace = new Pace();

    /**
     * The sizes of a model.
     *
     * @param hidden width of the residual stream
     * @param intermediate width of the MLP
     * @param heads number of query heads
     * @param kvHeads number of key and value heads
     * @param headDim width of a head
     * @param rmsNormEps epsilon of the norms
     */
    public record Dimensions(int hidden, int intermediate, int heads, int kvHeads, int headDim, float rmsNormEps) {}

    /** The rotations of queries and keys. They are no function of the position alone: dynamic scaling looks at the length of the whole sequence. */
    @FunctionalInterface
    public interface Rotations {
        /**
         * The rotations of one token.
         *
         * @param position its position, counted from 0
         * @param length the length of its sequence at the end of the pass that computes it, cached tokens included
         * @return the cosines and then the sines, {@code [2 * headDim / 2]}
         */
        float[] of(int position, int length);
    }

    /**
     * Puts a decoder together.
     *
     * @param math what computes products
     * @param type the type that the model computes in
     * @param dims its sizes
     * @param weights its weights
     * @param rope the rotations of queries and keys
     */
    public RowDecoder(RowMath math, TorchType type, Dimensions dims, RowWeights weights, Rotations rope) {
        this.math = math;
        this.rounding = Rounding.of(type);
        this.dims = dims;
        this.weights = weights;
        this.rope = rope;
        this.small = weights.bytes() <= SMALL_MODEL;
    }

    /**
     * What computes its products.
     *
     * @return the arithmetic
     */
    public RowMath math() {
        return math;
    }

    /**
     * How results are rounded.
     *
     * @return the rounding of the type that it computes in
     */
    public Rounding rounding() {
        return rounding;
    }

    /**
     * Whether its matrices are repacked.
     *
     * @return true if they lie on the Java heap
     */
    public boolean isRepacked() {
        return weights.repacked();
    }

    /**
     * Says where libtorch is slower.
     *
     * @param sessions number of sessions
     * @return true if a step of so many is faster here, as measured on two cores
     */
    public boolean isFasterFor(int sessions) {
        return sessions <= mostTokens();
    }

    /**
     * Says where libtorch is slower.
     *
     * @param tokens number of tokens of one session
     * @return true if they go through the model faster here, as measured on two cores
     */
    public boolean isFasterForPrompt(int tokens) {
        return tokens <= (small ? LONGEST_PROMPT_OF_SMALL_MODELS : mostTokens());
    }

    private int mostTokens() {
        return small || weights.repacked() ? MOST_TOKENS_OF_SMALL_OR_REPACKED_MODELS : MOST_TOKENS;
    }

    /**
     * A whole step.
     *
     * @param crew the threads
     * @param step the tokens, their states as {@link #embed} gives them
     * @return logits {@code [sessions][vocabulary]}, of each session's last token
     */
    public float[][] run(Crew crew, RowStep step) {
        Shared shared = shared(step);
        float[][] logits = newLogits(step);
        crew.run(pace, step.tokens(), part -> {
            layers(part, step, shared, 0, weights.layers().size());
            logits(part, step, logits);
        });
        return logits;
    }

    /**
     * Room for logits.
     *
     * @param step the tokens
     * @return {@code [sessions][vocabulary]}
     */
    public float[][] newLogits(RowStep step) {
        return new float[step.last().length][weights.vocabulary()];
    }

    /**
     * The states of tokens before the first layer.
     *
     * @param tokens token ids
     * @return {@code [tokens][hidden]}
     */
    public float[][] embed(int[] tokens) {
        float[][] state = new float[tokens.length][dims.hidden];
        for (int s = 0; s < tokens.length; s++) {
            for (int c = 0; c < dims.hidden; c++) {
                state[s][c] = rounding.round(weights.embedding().get(tokens[s], c));
            }
        }
        return state;
    }

    /**
     * What the threads of a step share while they go through layers.
     *
     * @param query queries {@code [tokens][heads * headDim]}
     * @param key new keys {@code [tokens][kvHeads * headDim]}
     * @param value new values, the same
     * @param attended {@code [tokens][heads * headDim]}
     * @param gate {@code [tokens][intermediate]}
     * @param up the same
     * @param branch what a branch adds to the residual stream, {@code [tokens][hidden]}
     * @param rope rotations of each token's position
     */
    public record Shared(float[][] query, float[][] key, float[][] value, float[][] attended, float[][] gate, float[][] up, float[][] branch, float[][] rope) {}

    /**
     * Makes what the threads of a step share.
     *
     * @param step the tokens
     * @return buffers
     */
    public Shared shared(RowStep step) {
        int n = step.tokens();
        int q = dims.heads * dims.headDim;
        int kv = dims.kvHeads * dims.headDim;
        float[][] rotations = new float[n][];
        for (int s = 0; s < n; s++) {
            rotations[s] = rope.of(step.positions()[s], step.lengthAfter(s));
        }
        return new Shared(new float[n][q], new float[n][kv], new float[n][kv], new float[n][q], new float[n][dims.intermediate], new float[n][dims.intermediate],
                new float[n][dims.hidden], rotations);
    }

    /**
     * One thread's share of some layers. The states are complete when it returns.
     *
     * @param part the thread
     * @param step the tokens
     * @param shared their buffers, one and the same for all threads
     * @param first first layer
     * @param last one past the last layer
     */
    public void layers(Crew.Part part, RowStep step, Shared shared, int first, int last) {
        float[][] normed = new float[step.tokens()][dims.hidden];
        float[][] x = new float[step.tokens()][RowMath.room(Math.max(Math.max(dims.hidden, dims.intermediate), dims.heads * dims.headDim))];
        for (int i = first; i < last; i++) {
            RowWeights.Layer layer = weights.layers().get(i);
            norm(step.state(), layer.inputNorm(), normed);
            arrange(layer.query(), normed, x);
            linear(part, layer.query(), x, shared.query);
            linear(part, layer.key(), x, shared.key);
            linear(part, layer.value(), x, shared.value);
            part.await();
            attend(part, step, shared, i);
            part.await();
            arrange(layer.output(), shared.attended, x);
            residual(part, layer.output(), x, shared.branch, step.state());
            part.await();
            norm(step.state(), layer.postNorm(), normed);
            arrange(layer.gate(), normed, x);
            activated(part, layer, x, shared);
            part.await();
            arrange(layer.down(), shared.gate, x);
            residual(part, layer.down(), x, shared.branch, step.state());
            part.await();
        }
    }

    /**
     * One thread's share of the logits.
     *
     * @param part the thread
     * @param step the tokens with their final states, before the final norm
     * @param logits receives {@code [sessions][vocabulary]}; complete once all threads have returned
     */
    public void logits(Crew.Part part, RowStep step, float[][] logits) {
        float[][] state = step.last();
        float[][] normed = new float[state.length][dims.hidden];
        float[][] x = new float[state.length][RowMath.room(dims.hidden)];
        RowWeights.Linear head = new RowWeights.Linear(weights.head(), weights.vocabulary());
        norm(state, weights.norm(), normed);
        arrange(head, normed, x);
        linear(part, head, x, logits);
    }

    /** Every thread computes all norms, which takes less time than to wait for another's. */
    private void norm(float[][] state, float[] weight, float[][] normed) {
        for (int s = 0; s < state.length; s++) {
            math.rmsNorm(state[s], weight, dims.rmsNormEps, rounding, normed[s]);
        }
    }

    private void arrange(RowWeights.Linear linear, float[][] values, float[][] x) {
        for (int s = 0; s < x.length; s++) {
            math.arrange(linear.weight(), values[s], 0, linear.weight().columns(), x[s]);
        }
    }

    /** This thread's rows of {@code y = round(w x + b)}. */
    private void linear(Crew.Part part, RowWeights.Linear linear, float[][] x, float[][] y) {
        int from = part.fromRow(linear.rows());
        int to = part.toRow(linear.rows());
        math.product(linear.weight(), from, to, x, y, 0);
        for (float[] row : y) {
            addBias(linear, row, from, to);
            math.round(rounding, row, from, to);
        }
    }

    private static void addBias(RowWeights.Linear linear, float[] row, int from, int to) {
        if (linear.bias().length > 0) {
            for (int i = from; i < to; i++) {
                row[i] += linear.bias()[i];
            }
        }
    }

    /** This thread's rows of {@code state + round(w x + b)}: no other thread reads them before the next meeting. */
    private void residual(Crew.Part part, RowWeights.Linear linear, float[][] x, float[][] branch, float[][] state) {
        linear(part, linear, x, branch);
        for (int s = 0; s < state.length; s++) {
            math.add(rounding, state[s], branch[s], part.fromRow(dims.hidden), part.toRow(dims.hidden));
        }
    }

    /** {@code silu(W_gate x) * (W_up x)}: this thread's rows of both. */
    private void activated(Crew.Part part, RowWeights.Layer layer, float[][] x, Shared shared) {
        int from = part.fromRow(dims.intermediate);
        int to = part.toRow(dims.intermediate);
        math.product(layer.gate().weight(), from, to, x, shared.gate, 0);
        linear(part, layer.up(), x, shared.up);
        for (int s = 0; s < shared.gate.length; s++) {
            addBias(layer.gate(), shared.gate[s], from, to);
            math.swiGlu(rounding, shared.gate[s], shared.up[s], from, to);
        }
    }

    /** Attention of this thread's share of tokens and key heads; the new keys and values go into the caches. */
    private void attend(Crew.Part part, RowStep step, Shared shared, int layer) {
        int items = step.tokens() * dims.kvHeads;
        if (step.ofOneSession()) { // a token attends to those before it, which may be another thread's
            for (int item = part.from(items); item < part.to(items); item++) {
                remember(step, shared, layer, item);
            }
            part.await();
        }
        int group = dims.heads / dims.kvHeads;
        float[][] queries = new float[group][dims.headDim];
        float[][] scores = new float[group][longest(step)];
        for (int item = part.from(items); item < part.to(items); item++) {
            if (!step.ofOneSession()) {
                remember(step, shared, layer, item);
            }
            int s = item / dims.kvHeads;
            int head = item % dims.kvHeads;
            Matrix keys = step.caches()[s].keys().get(layer)[head];
            Matrix values = step.caches()[s].values().get(layer)[head];
            int length = step.positions()[s] + 1;
            for (int g = 0; g < group; g++) {
                int query = (head * group + g) * dims.headDim;
                math.rotate(rounding, shared.query[s], query, shared.rope[s]);
                math.arrange(keys, shared.query[s], query, dims.headDim, queries[g]);
            }
            math.product(keys, 0, length, queries, scores, 0);
            for (int g = 0; g < group; g++) {
                int to = (head * group + g) * dims.headDim;
                math.softmax(scores[g], length, (float) (1 / Math.sqrt(dims.headDim)));
                math.weightedSum(values, length, scores[g], shared.attended[s], to);
                math.round(rounding, shared.attended[s], to, to + dims.headDim);
            }
        }
    }

    private static int longest(RowStep step) {
        int longest = 0;
        for (int position : step.positions()) {
            longest = Math.max(longest, position + 1);
        }
        return longest;
    }

    private void remember(RowStep step, Shared shared, int layer, int item) {
        int s = item / dims.kvHeads;
        int head = item % dims.kvHeads;
        int at = head * dims.headDim;
        math.rotate(rounding, shared.key[s], at, shared.rope[s]);
        step.caches()[s].keys().get(layer)[head].set(step.positions()[s], shared.key[s], at);
        step.caches()[s].values().get(layer)[head].set(step.positions()[s], shared.value[s], at);
    }
}
