package io.github.bts4j.stitch;

import ai.djl.ndarray.NDArray;
import io.github.bts4j.core.rows.Crew;
import io.github.bts4j.core.rows.Matrix;
import io.github.bts4j.core.rows.Rounding;
import io.github.bts4j.core.rows.RowDecoder;
import io.github.bts4j.core.rows.RowMath;
import io.github.bts4j.core.rows.RowWeights;
import io.github.bts4j.core.torch.Tensors;
import java.util.List;
import java.util.function.UnaryOperator;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/**
 * Stitch layers (arXiv 2502.00075, eq. 3 and 4) for a few tokens, row by row: what {@code stitch.py} computes, outside of libtorch.
 *
 * <p>Called by all threads of a {@link Crew} together; each computes its share of the hidden dimensions. The tensors must outlive it.
 */
final class StitchRows {
    private final RowMath math;
    private final Rounding rounding;
    private final StitchConfig config;
    private final List<List<Matrix>> gates;
    private final List<float[]> biases;
    private final List<Matrix> projs;
    private final int hidden;

    private StitchRows(RowMath math, Rounding rounding, StitchConfig config, List<List<Matrix>> gates, List<float[]> biases, List<Matrix> projs, int hidden) {
        this.math = math;
        this.rounding = rounding;
        this.config = config;
        this.gates = gates;
        this.biases = biases;
        this.projs = projs;
        this.hidden = hidden;
    }

    /** Repacked, if the hub's matrices are and there is room. */
    static StitchRows of(RowDecoder hub, StitchConfig config, StitchWeights.Arguments weights) {
        RowMath math = hub.math();
        int hidden = Matrix.of(math, weights.gates().tensors().get(0)).columns();
        long bytes = Stream.of(weights.gates(), weights.projs()).flatMap(each -> each.tensors().stream()).mapToLong(tensor -> tensor.size() * Tensors.type(tensor).bytes()).sum();
        boolean repacked = hub.isRepacked() && RowWeights.hasRoom(bytes);
        UnaryOperator<Matrix> held = matrix -> repacked ? math.repacked(matrix, hidden) : matrix;
        List<List<Matrix>> gates = weights.gates().tensors().stream().map(gate -> models(Matrix.of(math, gate), gate, hidden).map(held).toList()).toList();
        List<Matrix> projs = weights.projs().tensors().stream().map(proj -> held.apply(Matrix.of(math, proj))).toList();
        return new StitchRows(math, hub.rounding(), config, gates, floats(weights.biases().tensors()), projs, hidden);
    }

    /** A gate's rows for each model. */
    private static Stream<Matrix> models(Matrix gate, NDArray tensor, int hidden) {
        return IntStream.range(0, Math.toIntExact(tensor.size() / gate.columns() / hidden)).mapToObj(model -> gate.from(model * hidden));
    }

    private static List<float[]> floats(List<NDArray> tensors) {
        return tensors.stream().map(Tensors::toFloats).toList();
    }

    /**
     * One thread's share of a stitch layer; the states are complete when it returns.
     *
     * @param part the thread
     * @param j number of the stitch layer
     * @param h states {@code [streams][sessions][hidden]}, hub first, changed in place
     */
    void stitch(Crew.Part part, int j, float[][][] h) {
        int from = part.fromRow(hidden);
        int to = part.toRow(hidden);
        float[][][] stitched = config.intoHub(j) ? intoHub(j, h, from, to) : intoExperts(j, h, from, to);
        part.await(); // everybody has read the states
        for (int i = 0; i < h.length; i++) {
            for (int s = 0; s < h[i].length; s++) {
                System.arraycopy(stitched[i][s], from, h[i][s], from, to - from);
            }
        }
        part.await();
    }

    /** {@code h~_i = W_i h_i} for the experts, {@code h~_0 = g_0 h_0 + sum_i g_i h~_i}. */
    private float[][][] intoHub(int j, float[][][] h, int from, int to) {
        int experts = h.length - 1;
        float[][] hub = arranged(h[0], gates.get(j).get(0));
        float[][][] out = new float[h.length][][];
        float[][][] g = new float[h.length][][];
        for (int i = 0; i <= experts; i++) {
            g[i] = gateLogits(j, i, hub, from, to);
        }
        softmax(g, from, to);
        out[0] = new float[hub.length][hidden];
        for (int s = 0; s < hub.length; s++) {
            for (int c = from; c < to; c++) {
                out[0][s][c] = rounding.round(g[0][s][c] * h[0][s][c]);
            }
        }
        for (int i = 1; i <= experts; i++) {
            Matrix proj = projs.get(j * experts + i - 1);
            out[i] = product(proj, arranged(h[i], proj), from, to);
            for (int s = 0; s < hub.length; s++) {
                for (int c = from; c < to; c++) {
                    out[0][s][c] = rounding.round(out[0][s][c] + g[i][s][c] * out[i][s][c]);
                }
            }
        }
        return out;
    }

    /** {@code h~_0 = h_0}, {@code h~_i = (1 - g_i) h_i + g_i W_i h_0}. */
    private float[][][] intoExperts(int j, float[][][] h, int from, int to) {
        int experts = h.length - 1;
        float[][] hub = arranged(h[0], gates.get(j).get(0));
        float[][][] out = new float[h.length][][];
        out[0] = h[0];
        for (int i = 1; i <= experts; i++) {
            float[][] g = gateLogits(j, i, hub, from, to);
            out[i] = product(projs.get(j * experts + i - 1), hub, from, to);
            for (int s = 0; s < hub.length; s++) {
                sigmoid(g[s], from, to);
                for (int c = from; c < to; c++) {
                    out[i][s][c] = rounding.round(lerp(h[i][s][c], out[i][s][c], g[s][c]));
                }
            }
        }
        return out;
    }

    private float[][] arranged(float[][] states, Matrix like) {
        float[][] x = new float[states.length][RowMath.room(hidden)];
        for (int s = 0; s < x.length; s++) {
            math.arrange(like, states[s], 0, hidden, x[s]);
        }
        return x;
    }

    private float[][] product(Matrix w, float[][] x, int from, int to) {
        float[][] y = new float[x.length][hidden];
        math.product(w, from, to, x, y, 0);
        for (float[] row : y) {
            math.round(rounding, row, from, to);
        }
        return y;
    }

    /** The logits of one model's gates; a bias joins the sum before it is rounded. */
    private float[][] gateLogits(int j, int model, float[][] hub, int from, int to) {
        float[][] z = new float[hub.length][hidden];
        math.product(gates.get(j).get(model), from, to, hub, z, 0);
        for (float[] row : z) {
            if (!biases.isEmpty()) {
                for (int c = from; c < to; c++) {
                    row[c] += biases.get(j)[model * hidden + c];
                }
            }
            math.round(rounding, row, from, to);
        }
        return z;
    }

    /** Over the models, for every session and dimension. */
    private void softmax(float[][][] g, int from, int to) {
        for (int s = 0; s < g[0].length; s++) {
            for (int c = from; c < to; c++) {
                float largest = g[0][s][c];
                for (float[][] model : g) {
                    largest = Math.max(largest, model[s][c]);
                }
                for (float[][] model : g) {
                    model[s][c] -= largest;
                }
            }
            for (float[][] model : g) {
                math.exp(model[s], from, to);
            }
            for (int c = from; c < to; c++) {
                float sum = 0;
                for (float[][] model : g) {
                    sum += model[s][c];
                }
                for (float[][] model : g) {
                    model[s][c] = rounding.round(model[s][c] / sum);
                }
            }
        }
    }

    private void sigmoid(float[] z, int from, int to) {
        for (int c = from; c < to; c++) {
            z[c] = -z[c];
        }
        math.exp(z, from, to);
        for (int c = from; c < to; c++) {
            z[c] = rounding.round(1 / (1 + z[c]));
        }
    }

    /** As torch.lerp computes it: from the nearer end. */
    private static float lerp(float start, float end, float weight) {
        return weight < 0.5f ? start + weight * (end - start) : end - (end - start) * (1 - weight);
    }
}
