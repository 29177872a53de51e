package io.github.bts4j.core.rows;

import io.github.bts4j.core.DecodeBatch;
import io.github.bts4j.core.support.ElementType;
import java.util.Arrays;
import java.util.List;
import java.util.function.Function;
import java.util.stream.IntStream;

/**
 * A Llama decoder (arXiv 2307.09288) for one new token of each of a few sessions, or a few of one.
 *
 * <p>Called by all threads of a {@link WorkerTeam} together. It holds no state of a step; the model's tensors must outlive it.
 */
public final class RowDecoder {
    /** The size of weights, in bytes, below which the set-up of libtorch's calls takes longer than their work. */
    public static final long SMALL_MODEL = 32 << 20;

    private static final int MOST_SESSIONS = 4; // with more, libtorch's products of whole matrices are faster
    private static final int MORE_SESSIONS = 16; // of small or repacked models, and in bfloat16, where the rounding in libtorch depends on their number
    private static final int LONGEST_PROMPT = 4; // with more tokens, libtorch's products of whole matrices are faster
    private static final int LONGEST_PROMPT_OF_REPACKED_MODELS = 16;
    private static final int MOST_TOKENS_OF_QUANTIZED_MODELS = 16; // libtorch dequantises all of the weights first
    private static final int LONGEST_PROMPT_OF_SMALL_MODELS = 128;

    private final Arithmetic math;
    private final Rounding rounding;
    private final RowDimensions dims;
    private final RowWeights weights;
    private final RowRotations rope;
    private final boolean small;
    private final boolean quantized;
    private final RowAttention attention;
    private final RowNorm norm;

    /**
     * Creates a decoder.
     *
     * @param math computes products
     * @param type the type that the model computes in
     * @param dims its sizes
     * @param weights its weights
     * @param rope the rotations of queries and keys
     */
    public RowDecoder(Arithmetic math, ElementType type, RowDimensions dims, RowWeights weights, RowRotations rope) {
        this(math, Rounding.of(type), dims, weights, rope);
    }

    private RowDecoder(Arithmetic math, Rounding rounding, RowDimensions dims, RowWeights weights, RowRotations rope) {
        this.math = math;
        this.rounding = rounding;
        this.dims = dims;
        this.weights = weights;
        this.rope = rope;
        this.small = weights.bytes() <= SMALL_MODEL;
        this.quantized = weights.isQuantized();
        this.norm = new RowNorm(math, rounding, dims.style().rmsNormEps(), dims.style().roundsNormOnce());
        this.attention = new RowAttention(math, rounding, dims, norm);
    }

    /**
     * A decoder of the layers of several streams over the same matrices: each matrix is read once for all of them.
     *
     * @param streams decoders that can be joined according to {@link #isOver}
     * @return the decoder
     */
    public static RowDecoder joint(List<RowDecoder> streams) {
        RowDecoder first = streams.get(0);
        return new RowDecoder(first.math, first.rounding, first.dims, RowWeights.joint(streams.stream().map(stream -> stream.weights).toList()), first.rope);
    }

    /**
     * Whether the layers are those of another decoder, except for adapters.
     *
     * @param other the other one
     * @return true if the matrices are the same objects, and norms and biases have the same values
     */
    public boolean isOver(RowDecoder other) {
        return rounding == other.rounding && dims.equals(other.dims) && weights.isOver(other.weights);
    }

    /**
     * One step of several streams, over their own states.
     *
     * @param streams the streams' steps, of the same tokens, one of each session
     * @return a step of all rows, stream after stream
     */
    public RowStep jointStep(List<RowStep> streams) {
        int[] tokens = streams.stream().flatMapToInt(step -> IntStream.of(step.batch().tokens())).toArray();
        int[] positions = streams.stream().flatMapToInt(step -> IntStream.of(step.batch().positions())).toArray();
        List<RowCache> caches = streams.stream().flatMap(step -> step.batch().states().stream()).toList();
        return step(new DecodeBatch<>(tokens, positions, caches), rows(streams, RowStep::hidden), rows(streams, RowStep::rope));
    }

    private static float[][] rows(List<RowStep> streams, Function<RowStep, float[][]> part) {
        return streams.stream().flatMap(step -> Arrays.stream(part.apply(step))).toArray(float[][]::new);
    }

    /** {@return the arithmetic of the products} */
    public Arithmetic math() {
        return math;
    }

    /** {@return how results are rounded to the type that it computes in} */
    public Rounding rounding() {
        return rounding;
    }

    /** {@return whether the matrices are repacked on the Java heap} */
    public boolean isRepacked() {
        return weights.isRepacked();
    }

    /**
     * Whether a step is faster here than in libtorch.
     *
     * @param batch a step
     * @return true if it is, as measured on two cores
     */
    boolean isFasterFor(DecodeBatch<?> batch) {
        if (quantized) {
            return batch.size() <= MOST_TOKENS_OF_QUANTIZED_MODELS;
        }
        if (!batch.isPrompt()) {
            boolean many = small || weights.isRepacked() || rounding == Rounding.BFLOAT16;
            return batch.size() <= (many ? MORE_SESSIONS : MOST_SESSIONS);
        }
        return batch.size() <= (small ? LONGEST_PROMPT_OF_SMALL_MODELS : weights.isRepacked() ? LONGEST_PROMPT_OF_REPACKED_MODELS : LONGEST_PROMPT);
    }

    /** Room for the logits of a step, {@code [sessions][vocabulary]}. */
    float[][] newLogits(RowStep step) {
        return new float[step.last().length][weights.head().rows()];
    }

    /** The beginning of a step: the tokens' states before the first layer, their rotations, and buffers. */
    RowStep step(DecodeBatch<RowCache> batch) {
        int n = batch.size();
        float[][] hidden = new float[n][dims.hidden()];
        float[][] rotations = new float[n][];
        for (int s = 0; s < n; s++) {
            rotations[s] = rope.of(batch.positions()[s], batch.lengthAfter(s));
            weights.embedding().stored().read(batch.tokens()[s], hidden[s]);
            rounding.round(hidden[s], 0, dims.hidden());
            math.multiply(rounding, hidden[s], dims.style().embeddingMultiplier(), 0, dims.hidden());
        }
        return step(batch, hidden, rotations);
    }

    private RowStep step(DecodeBatch<RowCache> batch, float[][] hidden, float[][] rotations) {
        int n = batch.size();
        int q = dims.heads() * dims.headDim();
        int kv = dims.kvHeads() * dims.headDim();
        return new RowStep(batch, hidden, rotations, new float[n][q], new float[n][kv], new float[n][kv], new float[n][q], new float[n][dims.intermediate()],
                new float[n][dims.intermediate()], new float[n][dims.hidden()]);
    }

    /**
     * Buffers of one worker.
     *
     * @param normed normalised states {@code [tokens][hidden]}
     * @param x packed inputs of a product
     * @param adapted the same, packed for adapters; the same array beside matrices that are not repacked
     */
    public record Scratch(float[][] normed, float[][] x, float[][] adapted) {
        /**
         * The buffers of some of the tokens.
         *
         * @param tokens indices of the tokens
         * @return the same buffers
         */
        public Scratch of(int... tokens) {
            return new Scratch(RowStep.select(normed, tokens), RowStep.select(x, tokens), RowStep.select(adapted, tokens));
        }

        private Linear.Packed packed(float[][] vectors, Linear... products) {
            Linear.Packed packed = new Linear.Packed(x, adapted);
            packed.pack(vectors, products);
            return packed;
        }

        /** What the next product of the same vectors reads. Matrices of one layer may be of several types. */
        private Linear.Packed next(Linear.Packed packed, float[][] vectors, Linear before, Linear product) {
            return before.weight().packsLike(product.weight()) ? packed : packed(vectors, product);
        }
    }

    /**
     * Creates buffers for one worker.
     *
     * @param step the step
     * @return buffers
     */
    public Scratch scratch(RowStep step) {
        int tokens = step.hidden().length;
        int widest = Math.max(Math.max(dims.hidden(), dims.intermediate()), dims.heads() * dims.headDim());
        float[][] x = new float[tokens][Matrix.room(widest)];
        return new Scratch(new float[tokens][dims.hidden()], x, weights.isRepacked() ? new float[tokens][Matrix.room(widest)] : x);
    }

    /**
     * One worker's share of some layers. The states are complete when it returns.
     *
     * @param share the worker's share
     * @param step the step, one and the same for all workers
     * @param first first layer
     * @param last one past the last layer
     */
    public void layers(WorkerTeam.Share share, RowStep step, int first, int last) {
        Scratch scratch = scratch(step);
        for (int layer = first; layer < last; layer++) {
            attentionNorm(step, layer, scratch);
            attention(share, step, layer, scratch);
            addBranch(share, step, weights.layers().get(layer).norms().afterAttention(), scratch);
            mlpNorm(step, layer, scratch);
            mlp(share, step, layer, scratch);
            addBranch(share, step, weights.layers().get(layer).norms().afterMlp(), scratch);
        }
    }

    /**
     * Normalises the states before attention. Every worker computes all norms, which takes less time than waiting for the other workers.
     *
     * @param step the step
     * @param layer number of the layer
     * @param scratch receives the normalised states
     */
    public void attentionNorm(RowStep step, int layer, Scratch scratch) {
        norm(step.hidden(), weights.layers().get(layer).norms().beforeAttention(), scratch.normed);
    }

    /**
     * Normalises the states before the feed-forward network.
     *
     * @param step the step
     * @param layer number of the layer
     * @param scratch receives the normalised states
     */
    public void mlpNorm(RowStep step, int layer, Scratch scratch) {
        norm(step.hidden(), weights.layers().get(layer).norms().beforeMlp(), scratch.normed);
    }

    /**
     * One worker's share of a layer's attention.
     *
     * @param share the worker's share
     * @param step the step, whose branch receives this worker's rows
     * @param index number of the layer
     * @param scratch the normalised states
     */
    public void attention(WorkerTeam.Share share, RowStep step, int index, Scratch scratch) {
        RowWeights.Layer layer = weights.layers().get(index);
        Linear.Packed x = scratch.packed(scratch.normed, layer.query(), layer.key(), layer.value());
        layer.query().run(share, math, rounding, x, step.query());
        x = scratch.next(x, scratch.normed, layer.query(), layer.key());
        layer.key().run(share, math, rounding, x, step.key());
        x = scratch.next(x, scratch.normed, layer.key(), layer.value());
        layer.value().run(share, math, rounding, x, step.value());
        share.await();
        attention.run(share, step, index, layer);
        share.await();
        layer.output().run(share, math, rounding, scratch.packed(step.attended(), layer.output()), step.branch());
    }

    /**
     * One worker's share of a layer's feed-forward network, {@code W_down (silu(W_gate x) * (W_up x))}, or GELU for SiLU.
     *
     * @param share the worker's share
     * @param step the step, whose branch receives this worker's rows
     * @param index number of the layer
     * @param scratch the normalised states
     */
    public void mlp(WorkerTeam.Share share, RowStep step, int index, Scratch scratch) {
        RowWeights.Layer layer = weights.layers().get(index);
        activated(share, layer, scratch, step);
        share.await();
        layer.down().run(share, math, rounding, scratch.packed(step.gate(), layer.down()), step.branch());
    }

    /** Adds the step's branch to the residual stream, behind the norm that follows it, if one does. */
    private void addBranch(WorkerTeam.Share share, RowStep step, float[] weight, Scratch scratch) {
        float[][] branch = step.branch();
        if (weight.length > 0) {
            share.await(); // a norm is of whole rows
            norm(branch, weight, scratch.normed);
            branch = scratch.normed;
        }
        for (float[] row : branch) {
            math.multiply(rounding, row, dims.style().residualMultiplier(), share.fromRow(dims.hidden()), share.toRow(dims.hidden()));
        }
        add(share, step, branch);
    }

    /**
     * Adds this worker's rows to the residual stream, which is complete when it returns.
     *
     * @param share the worker's share
     * @param step the step
     * @param branch what to add {@code [tokens][hidden]}
     */
    public void add(WorkerTeam.Share share, RowStep step, float[][] branch) {
        for (int s = 0; s < branch.length; s++) {
            math.add(rounding, step.hidden()[s], branch[s], share.fromRow(dims.hidden()), share.toRow(dims.hidden()));
        }
        share.await();
    }

    /** One worker's share of the logits of the final states, before the final norm; complete once all workers have returned. */
    void logits(WorkerTeam.Share share, RowStep step, float[][] logits) {
        float[][] state = step.last();
        float[][] normed = new float[state.length][dims.hidden()];
        float[][] x = new float[state.length][Matrix.room(dims.hidden())];
        norm(state, weights.norm(), normed);
        weights.head().weight().pack(normed, x);
        weights.head().run(share, math, rounding, x, logits);
    }

    private void norm(float[][] state, float[] weight, float[][] normed) {
        for (int s = 0; s < state.length; s++) {
            if (weight.length == 0) {
                System.arraycopy(state[s], 0, normed[s], 0, dims.hidden());
            } else {
                norm.of(state[s], weight, normed[s]);
            }
        }
    }

    /** This worker's rows of {@code silu(W_gate x) * (W_up x)}, or of GELU. */
    private void activated(WorkerTeam.Share share, RowWeights.Layer layer, Scratch scratch, RowStep step) {
        Linear.Packed x = scratch.packed(scratch.normed, layer.gate(), layer.up());
        int from = share.fromRow(dims.intermediate());
        int to = share.toRow(dims.intermediate());
        layer.gate().sum(from, to, x, step.gate());
        layer.up().run(share, math, rounding, scratch.next(x, scratch.normed, layer.gate(), layer.up()), step.up());
        for (int s = 0; s < step.gate().length; s++) {
            if (dims.style().gelu()) {
                math.geGlu(rounding, step.gate()[s], step.up()[s], from, to);
            } else {
                math.swiGlu(rounding, step.gate()[s], step.up()[s], from, to);
            }
        }
    }
}
