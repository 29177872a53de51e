package io.github.bts4j.core.rows;

import io.github.bts4j.core.torch.TorchType;
import java.util.List;
import java.util.function.IntFunction;
import java.util.stream.Stream;

/**
 * A Llama decoder (arXiv 2307.09288) for one new token of each of a few sessions.
 *
 * <p>Called by all threads of a {@link Crew} together. It holds no state of a step; the model's tensors must outlive it.
 */
public final class RowDecoder {
    private static final int MOST_SESSIONS = 4; // with more, libtorch's products of whole matrices are faster
    private static final int MOST_SESSIONS_OF_SMALL_MODELS = 16; // where the set-up of libtorch's calls takes longer than their work
    private static final long SMALL_MODEL = 32 << 20; // bytes

    private final RowMath math;
    private final Rounding rounding;
    private final Dimensions dims;
    private final Weights weights;
    private final IntFunction<float[]> rope;
    private final int mostSessions;

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

    /**
     * A matrix product with its bias.
     *
     * @param weight {@code [out, in]}
     * @param bias {@code [out]}, or empty
     */
    public record Linear(Matrix weight, float... bias) {}

    /**
     * The weights of one layer.
     *
     * @param inputNorm {@code [hidden]}
     * @param query the queries' projection
     * @param key the keys' projection
     * @param value the values' projection
     * @param output the projection of what was attended to
     * @param postNorm {@code [hidden]}
     * @param gate the MLP's projection that goes through SiLU
     * @param up the one that it is multiplied with
     * @param down the one back to the residual stream
     */
    public record Layer(float[] inputNorm, Linear query, Linear key, Linear value, Linear output, float[] postNorm, Linear gate, Linear up, Linear down) {}

    /**
     * All weights.
     *
     * @param embedding {@code [vocabulary, hidden]}
     * @param layers the layers
     * @param norm the final norm {@code [hidden]}
     * @param head {@code [vocabulary, hidden]}
     * @param vocabulary number of tokens
     */
    public record Weights(Matrix embedding, List<Layer> layers, float[] norm, Matrix head, int vocabulary) {
        /** What a step reads. */
        private long bytes() {
            return head.bytes().capacity() + layers.stream()
                    .flatMap(layer -> Stream.of(layer.query, layer.key, layer.value, layer.output, layer.gate, layer.up, layer.down))
                    .mapToLong(linear -> linear.weight.bytes().capacity()).sum();
        }
    }

    /**
     * Puts a decoder together.
     *
     * @param math what computes products
     * @param type the type that the model computes in
     * @param dims its sizes
     * @param weights its weights
     * @param rope for a position, the cosines and then the sines of its rotations, {@code [2 * headDim / 2]}
     */
    public RowDecoder(RowMath math, TorchType type, Dimensions dims, Weights weights, IntFunction<float[]> rope) {
        this.math = math;
        this.rounding = Rounding.of(type);
        this.dims = dims;
        this.weights = weights;
        this.rope = rope;
        this.mostSessions = weights.bytes() > SMALL_MODEL ? MOST_SESSIONS : MOST_SESSIONS_OF_SMALL_MODELS;
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
     * Says where libtorch is slower.
     *
     * @param sessions number of sessions
     * @return true if a step of so many is faster here, as measured on two cores
     */
    public boolean isFasterFor(int sessions) {
        return sessions <= mostSessions;
    }

    /**
     * A whole step.
     *
     * @param crew the threads
     * @param step the sessions, their states as {@link #embed} gives them
     * @return logits {@code [sessions][vocabulary]}
     */
    public float[][] run(Crew crew, RowStep step) {
        Shared shared = shared(step.positions());
        float[][] logits = newLogits(step.sessions());
        crew.run(part -> {
            layers(part, step, shared, 0, weights.layers.size());
            logits(part, step.state(), logits);
        });
        return logits;
    }

    /**
     * Room for logits.
     *
     * @param sessions number of sessions
     * @return {@code [sessions][vocabulary]}
     */
    public float[][] newLogits(int sessions) {
        return new float[sessions][weights.vocabulary];
    }

    /**
     * The states of tokens before the first layer.
     *
     * @param tokens token ids
     * @return {@code [sessions][hidden]}
     */
    public float[][] embed(int[] tokens) {
        float[][] state = new float[tokens.length][dims.hidden];
        for (int s = 0; s < tokens.length; s++) {
            for (int c = 0; c < dims.hidden; c++) {
                state[s][c] = rounding.round(weights.embedding.get(tokens[s], c));
            }
        }
        return state;
    }

    /**
     * What the threads of a step share while they go through layers.
     *
     * @param query queries {@code [sessions][heads * headDim]}
     * @param key new keys {@code [sessions][kvHeads * headDim]}
     * @param value new values, the same
     * @param attended {@code [sessions][heads * headDim]}
     * @param gate {@code [sessions][intermediate]}
     * @param up the same
     * @param branch what a branch adds to the residual stream, {@code [sessions][hidden]}
     * @param rope rotations of each session's position
     */
    public record Shared(float[][] query, float[][] key, float[][] value, float[][] attended, float[][] gate, float[][] up, float[][] branch, float[][] rope) {}

    /**
     * Makes what the threads of a step share.
     *
     * @param positions position of each session's new token
     * @return buffers
     */
    public Shared shared(int[] positions) {
        int n = positions.length;
        int q = dims.heads * dims.headDim;
        int kv = dims.kvHeads * dims.headDim;
        float[][] rotations = new float[n][];
        for (int s = 0; s < n; s++) {
            rotations[s] = rope.apply(positions[s]);
        }
        return new Shared(new float[n][q], new float[n][kv], new float[n][kv], new float[n][q], new float[n][dims.intermediate], new float[n][dims.intermediate],
                new float[n][dims.hidden], rotations);
    }

    /**
     * One thread's share of some layers. The states are complete when it returns.
     *
     * @param part the thread
     * @param step the sessions
     * @param shared their buffers, one and the same for all threads
     * @param first first layer
     * @param last one past the last layer
     */
    public void layers(Crew.Part part, RowStep step, Shared shared, int first, int last) {
        Own own = new Own(step.sessions());
        for (int i = first; i < last; i++) {
            Layer layer = weights.layers.get(i);
            own.normed(step.state(), layer.inputNorm, layer.query.weight.type());
            linear(part, layer.query, own.x, shared.query);
            linear(part, layer.key, own.x, shared.key);
            linear(part, layer.value, own.x, shared.value);
            part.await();
            attend(part, step, shared, i);
            part.await();
            own.arranged(shared.attended, layer.output.weight.type());
            residual(part, layer.output, own.x, shared.branch, step.state());
            part.await();
            own.normed(step.state(), layer.postNorm, layer.gate.weight.type());
            activated(part, layer, own, shared);
            part.await();
            own.arranged(shared.gate, layer.down.weight.type());
            residual(part, layer.down, own.x, shared.branch, step.state());
            part.await();
        }
    }

    /**
     * One thread's share of the logits.
     *
     * @param part the thread
     * @param state final states {@code [sessions][hidden]}, before the final norm
     * @param logits receives {@code [sessions][vocabulary]}; complete once all threads have returned
     */
    public void logits(Crew.Part part, float[][] state, float[][] logits) {
        Own own = new Own(state.length);
        own.normed(state, weights.norm, weights.head.type());
        linear(part, new Linear(weights.head), own.x, logits);
    }

    /** This thread's rows of {@code y = round(w x + b)}. */
    private void linear(Crew.Part part, Linear linear, float[][] x, float[][] y) {
        int from = part.from(y[0].length);
        int to = part.to(y[0].length);
        math.product(linear.weight, from, to, x, y, 0);
        for (float[] row : y) {
            if (linear.bias.length > 0) {
                for (int i = from; i < to; i++) {
                    row[i] += linear.bias[i];
                }
            }
            rounding.round(row, from, to);
        }
    }

    /** This thread's rows of {@code state + round(w x + b)}: no other thread reads them before the next meeting. */
    private void residual(Crew.Part part, Linear linear, float[][] x, float[][] branch, float[][] state) {
        linear(part, linear, x, branch);
        for (int s = 0; s < state.length; s++) {
            for (int i = part.from(dims.hidden); i < part.to(dims.hidden); i++) {
                state[s][i] = rounding.round(state[s][i] + branch[s][i]);
            }
        }
    }

    /** {@code silu(W_gate x) * (W_up x)}: this thread's rows of both. */
    private void activated(Crew.Part part, Layer layer, Own own, Shared shared) {
        int from = part.from(dims.intermediate);
        int to = part.to(dims.intermediate);
        math.product(layer.gate.weight, from, to, own.x, shared.gate, 0);
        linear(part, layer.up, own.x, shared.up);
        for (int s = 0; s < shared.gate.length; s++) {
            float[] gate = shared.gate[s];
            float[] up = shared.up[s];
            for (int i = from; i < to; i++) {
                gate[i] += layer.gate.bias.length > 0 ? layer.gate.bias[i] : 0;
                own.exps[i] = -gate[i];
            }
            math.exp(own.exps, from, to);
            for (int i = from; i < to; i++) {
                gate[i] = rounding.round(rounding.round(gate[i] / (1 + own.exps[i])) * up[i]);
            }
        }
    }

    /** Attention of this thread's share of sessions and key heads; the new keys and values go into the caches. */
    private void attend(Crew.Part part, RowStep step, Shared shared, int layer) {
        int items = step.sessions() * dims.kvHeads;
        int group = dims.heads / dims.kvHeads;
        float[][] queries = new float[group][dims.headDim];
        for (int item = part.from(items); item < part.to(items); item++) {
            int s = item / dims.kvHeads;
            int head = item % dims.kvHeads;
            Matrix keys = step.caches()[s].keys().get(layer)[head];
            Matrix values = step.caches()[s].values().get(layer)[head];
            int position = step.positions()[s];
            int at = head * dims.headDim;
            rotate(shared.key[s], at, shared.rope[s]);
            keys.set(position, shared.key[s], at);
            values.set(position, shared.value[s], at);
            float[][] scores = new float[group][position + 1];
            for (int g = 0; g < group; g++) {
                int query = (head * group + g) * dims.headDim;
                rotate(shared.query[s], query, shared.rope[s]);
                math.arrange(keys.type(), shared.query[s], query, dims.headDim, queries[g]);
            }
            math.product(keys, 0, position + 1, queries, scores, 0);
            for (int g = 0; g < group; g++) {
                int to = (head * group + g) * dims.headDim;
                softmax(scores[g]);
                math.weightedSum(values, position + 1, scores[g], shared.attended[s], to);
                rounding.round(shared.attended[s], to, to + dims.headDim);
            }
        }
    }

    private void softmax(float[] scores) {
        float scale = (float) (1 / Math.sqrt(dims.headDim));
        float largest = Float.NEGATIVE_INFINITY;
        for (float score : scores) {
            largest = Math.max(largest, score);
        }
        for (int i = 0; i < scores.length; i++) {
            scores[i] = (scores[i] - largest) * scale;
        }
        math.exp(scores, 0, scores.length);
        float sum = 0;
        for (float score : scores) {
            sum += score;
        }
        for (int i = 0; i < scores.length; i++) {
            scores[i] /= sum;
        }
    }

    /** Rotates one head: its two halves are the two coordinates of each pair. */
    private void rotate(float[] x, int at, float[] cosSin) {
        int half = dims.headDim / 2;
        for (int i = 0; i < half; i++) {
            float a = x[at + i];
            float b = x[at + half + i];
            float cos = cosSin[i];
            float sin = cosSin[half + i];
            x[at + i] = rounding.round(rounding.round(a * cos) - b * sin);
            x[at + half + i] = rounding.round(rounding.round(b * cos) + a * sin);
        }
    }

    /** What a thread has for itself. */
    private final class Own {
        private final float[][] x;
        private final float[] normed = new float[dims.hidden];
        private final float[] exps = new float[dims.intermediate];

        Own(int sessions) {
            x = new float[sessions][Math.max(Math.max(dims.hidden, dims.intermediate), dims.heads * dims.headDim)];
        }

        /** {@code x = RMSNorm(state)}, arranged: every thread computes all of it, which takes less time than to wait for another's. */
        void normed(float[][] state, float[] weight, TorchType type) {
            for (int s = 0; s < x.length; s++) {
                float scale = (float) (1 / Math.sqrt(meanSquare(state[s]) + dims.rmsNormEps));
                for (int i = 0; i < normed.length; i++) {
                    normed[i] = rounding.round(rounding.round(state[s][i] * scale) * weight[i]);
                }
                math.arrange(type, normed, 0, normed.length, x[s]);
            }
        }

        void arranged(float[][] values, TorchType type) {
            for (int s = 0; s < x.length; s++) {
                math.arrange(type, values[s], 0, values[s].length, x[s]);
            }
        }
    }

    private static float meanSquare(float[] x) {
        float a = 0;
        float b = 0;
        float c = 0;
        float d = 0;
        int i = 0;
        for (; i + 4 <= x.length; i += 4) {
            a += x[i] * x[i];
            b += x[i + 1] * x[i + 1];
            c += x[i + 2] * x[i + 2];
            d += x[i + 3] * x[i + 3];
        }
        for (; i < x.length; i++) {
            a += x[i] * x[i];
        }
        return ((a + b) + (c + d)) / x.length;
    }
}
