package io.github.bts4j.stitch;

import ai.djl.ndarray.NDArray;
import io.github.bts4j.core.rows.Arithmetic;
import io.github.bts4j.core.rows.GateSums;
import io.github.bts4j.core.rows.Linear;
import io.github.bts4j.core.rows.Matrix;
import io.github.bts4j.core.rows.Rounding;
import io.github.bts4j.core.rows.RowDecoder;
import io.github.bts4j.core.rows.RowEngine;
import io.github.bts4j.core.rows.RowStep;
import io.github.bts4j.core.rows.RowWeights;
import io.github.bts4j.core.rows.WorkerTeam;
import io.github.bts4j.core.torch.Tensors;
import java.util.Arrays;
import java.util.List;
import java.util.function.Function;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/**
 * The layers of all streams, joined by stitch layers (arXiv 2502.00075, eq. 3 and 4), for a few tokens: the computation of {@code stitch.py} without libtorch.
 *
 * <p>Called by all threads of a {@link WorkerTeam} together; each computes its share of the hidden dimensions. The tensors must outlive it.
 *
 * @param streams the decoders, hub first
 * @param math the arithmetic of the products
 * @param rounding how results are rounded
 * @param config the layout of the stitch layers
 * @param gates products by stitch and model
 * @param projs projections by stitch and expert
 * @param hidden width of the streams
 * @param together the hub, and the experts that are adapters of it
 * @param joint the decoder of these streams
 */
record StitchRows(List<RowDecoder> streams, Arithmetic math, Rounding rounding, StitchConfig config, List<List<Linear>> gates, List<Linear> projs, int hidden,
        int[] together, RowDecoder joint) implements RowEngine.Layers {
    /** Without biases. Repacked, if the hub's matrices are repacked and there is room. */
    static StitchRows of(List<RowDecoder> streams, StitchConfig config, StitchWeights.Arguments weights) {
        Arithmetic math = streams.get(0).math();
        int hidden = Tensors.elements(weights.gates().tensors().get(0)).columns();
        int[] together = IntStream.range(0, streams.size()).filter(i -> i == 0 || streams.get(i).isOver(streams.get(0))).toArray();
        RowDecoder joint = RowDecoder.joint(IntStream.of(together).mapToObj(streams::get).toList());
        long bytes = Stream.of(weights.gates(), weights.projs()).flatMap(each -> each.tensors().stream()).mapToLong(tensor -> tensor.size() * Tensors.type(tensor).bytes()).sum();
        boolean repacked = streams.get(0).isRepacked() && RowWeights.hasRoom(bytes);
        Function<Matrix, Linear> product = matrix -> repacked ? new Linear(matrix, hidden).repacked() : new Linear(matrix, hidden);
        List<List<Linear>> gates = weights.gates().tensors().stream().map(gate -> {
            Matrix all = math.matrix(Tensors.elements(gate));
            return IntStream.range(0, Math.toIntExact(gate.getShape().get(0))).mapToObj(i -> product.apply(all.from(i * hidden))).toList();
        }).toList();
        List<Linear> projs = weights.projs().tensors().stream().map(proj -> product.apply(math.matrix(Tensors.elements(proj)))).toList();
        return new StitchRows(streams, math, streams.get(0).rounding(), config, gates, projs, hidden, together, joint);
    }

    /** Shares the matrices, with other biases by stitch, or without biases. */
    StitchRows withBiases(List<NDArray> biases) {
        List<float[]> values = biases.stream().map(Tensors::toFloats).toList();
        return values.isEmpty() ? this : new StitchRows(streams, math, rounding, config, IntStream.range(0, gates.size()).mapToObj(j -> IntStream.range(0, gates.get(j).size())
                .mapToObj(i -> new Linear(gates.get(j).get(i).weight(), hidden, Arrays.copyOfRange(values.get(j), i * hidden, (i + 1) * hidden))).toList()).toList(), projs, hidden, together, joint);
    }

    /** Of streams over the same matrices, the rows are one step more; a prompt has rows enough by itself. */
    @Override
    public List<RowStep> prepared(List<RowStep> steps) {
        if (together.length == 1 || steps.get(0).batch().isPrompt()) {
            return steps;
        }
        return Stream.concat(steps.stream(), Stream.of(joint.jointStep(IntStream.of(together).mapToObj(steps::get).toList()))).toList();
    }

    @Override
    public void run(WorkerTeam.Share share, List<RowStep> steps) {
        run(share, steps, GateSums.NONE);
    }

    @Override
    public void run(WorkerTeam.Share share, List<RowStep> steps, GateSums sums) {
        float[][][] h = steps.stream().limit(streams.size()).map(RowStep::hidden).toArray(float[][][]::new); // [streams][tokens][hidden]
        boolean areJoint = steps.size() > streams.size();
        int first = 0;
        for (int j = 0; j < config.numStitches(); j++) {
            if (areJoint) {
                joint.layers(share, steps.get(streams.size()), first, config.afterLayers().get(j));
            }
            for (int i = 0; i < h.length; i++) {
                if (!areJoint || Arrays.binarySearch(together, i) < 0) {
                    streams.get(i).layers(share, steps.get(i), first, config.afterLayers().get(j));
                }
            }
            stitch(share, j, h, sums);
            first = config.afterLayers().get(j);
        }
    }

    /** One worker's share of stitch layer j; the states {@code [streams][tokens][hidden]}, hub first, are complete when it returns. */
    private void stitch(WorkerTeam.Share share, int j, float[][][] h, GateSums sums) {
        int from = share.fromRow(hidden);
        int to = share.toRow(hidden);
        float[][][] stitched = config.intoHub(j) ? intoHub(share, j, h, sums) : intoExperts(share, j, h);
        share.await(); // all workers have read the states
        for (int i = 0; i < h.length; i++) {
            for (int s = 0; s < h[i].length; s++) {
                System.arraycopy(stitched[i][s], from, h[i][s], from, to - from);
            }
        }
        share.await();
    }

    /** {@code h~_i = W_i h_i} for the experts, {@code h~_0 = g_0 h_0 + sum_i g_i h~_i}. */
    private float[][][] intoHub(WorkerTeam.Share share, int j, float[][][] h, GateSums sums) {
        int from = share.fromRow(hidden);
        int to = share.toRow(hidden);
        int experts = h.length - 1;
        float[][] hub = gates.get(j).get(0).weight().packed(h[0]);
        float[][][] out = new float[h.length][][];
        float[][][] g = new float[h.length][][];
        for (int i = 0; i <= experts; i++) {
            g[i] = product(share, gates.get(j).get(i), hub);
        }
        softmax(g, from, to);
        sums.add(j, g, from, to);
        out[0] = new float[hub.length][hidden];
        for (int s = 0; s < hub.length; s++) {
            for (int c = from; c < to; c++) {
                out[0][s][c] = rounding.round(g[0][s][c] * h[0][s][c]);
            }
        }
        for (int i = 1; i <= experts; i++) {
            Linear proj = projs.get(j * experts + i - 1);
            out[i] = product(share, proj, proj.weight().packed(h[i]));
            for (int s = 0; s < hub.length; s++) {
                for (int c = from; c < to; c++) {
                    out[0][s][c] = rounding.round(out[0][s][c] + g[i][s][c] * out[i][s][c]);
                }
            }
        }
        return out;
    }

    /** {@code h~_0 = h_0}, {@code h~_i = (1 - g_i) h_i + g_i W_i h_0}. */
    private float[][][] intoExperts(WorkerTeam.Share share, int j, float[][][] h) {
        int from = share.fromRow(hidden);
        int to = share.toRow(hidden);
        int experts = h.length - 1;
        float[][] hub = gates.get(j).get(0).weight().packed(h[0]);
        float[][][] out = new float[h.length][][];
        out[0] = h[0];
        for (int i = 1; i <= experts; i++) {
            float[][] g = product(share, gates.get(j).get(i), hub);
            out[i] = product(share, projs.get(j * experts + i - 1), hub);
            for (int s = 0; s < hub.length; s++) {
                sigmoid(g[s], from, to);
                for (int c = from; c < to; c++) {
                    out[i][s][c] = rounding.round(lerp(h[i][s][c], out[i][s][c], g[s][c]));
                }
            }
        }
        return out;
    }

    /** This worker's rows. */
    private float[][] product(WorkerTeam.Share share, Linear linear, float[][] x) {
        float[][] y = new float[x.length][hidden];
        linear.run(share, math, rounding, x, y);
        return y;
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

    /** Like torch.lerp: starts from the nearer end. */
    private static float lerp(float start, float end, float weight) {
        return weight < 0.5f ? start + weight * (end - start) : end - (end - start) * (1 - weight);
    }
}
