package io.github.bts4j.stitch.baseline;

import ai.djl.ndarray.NDArray;
import io.github.bts4j.core.rows.Arithmetic;
import io.github.bts4j.core.rows.Linear;
import io.github.bts4j.core.rows.Matrix;
import io.github.bts4j.core.rows.Rounding;
import io.github.bts4j.core.rows.RowDecoder;
import io.github.bts4j.core.rows.RowEngine;
import io.github.bts4j.core.rows.RowStep;
import io.github.bts4j.core.rows.WorkerTeam;
import io.github.bts4j.core.torch.Tensors;
import java.util.List;
import java.util.stream.IntStream;

/**
 * The layers of an upcycled mixture for a few tokens: the computation of {@code upcycled.py} without libtorch. The residual stream is the first expert's. The tensors must outlive it.
 *
 * <p>Called by all workers of a team together; each computes its share of the rows.
 */
final class UpcycledRows implements RowEngine.Layers {
    private final UpcycledConfig config;
    private final List<RowDecoder> experts;
    private final Arithmetic math;
    private final Rounding rounding;
    private final List<Matrix> routers;
    private final List<Linear> adapters;
    private final int hidden;

    UpcycledRows(UpcycledConfig config, List<RowDecoder> experts, List<NDArray> routers, List<NDArray> adapters) {
        this.config = config;
        this.hidden = config.base().hiddenSize();
        this.experts = experts;
        this.math = experts.get(0).math();
        this.rounding = experts.get(0).rounding();
        this.routers = routers.stream().map(router -> math.matrix(Tensors.elements(router))).toList();
        this.adapters = adapters.stream().map(adapter -> new Linear(math.matrix(Tensors.elements(adapter)), hidden)).toList();
    }

    @Override
    public void run(WorkerTeam.Share share, List<RowStep> steps) {
        RowDecoder first = experts.get(0);
        RowStep step = steps.get(0);
        RowDecoder.Scratch scratch = first.scratch(step);
        for (int i = 0; i < config.base().numLayers(); i++) {
            int layer = i;
            first.attentionNorm(step, layer, scratch);
            if (config.attentionExperts()) {
                first.add(share, step, mixture(share, steps, config.base().numLayers() + layer, scratch, expert -> experts.get(expert).attention(share, steps.get(expert), layer, scratch)));
            } else {
                first.attention(share, step, layer, scratch);
                first.add(share, step, step.branch());
            }
            first.mlpNorm(step, layer, scratch);
            first.add(share, step, config.topOne() ? topOne(share, steps, layer, scratch)
                    : mixture(share, steps, layer, scratch, expert -> experts.get(expert).mlp(share, steps.get(expert), layer, scratch)));
        }
    }

    /** Computes this worker's rows of one expert's branch. */
    private interface Branch {
        void run(int expert);
    }

    /** This worker's rows of {@code sum_i softmax(W x)_i A_i branch_i(x)}. */
    private float[][] mixture(WorkerTeam.Share share, List<RowStep> steps, int router, RowDecoder.Scratch scratch, Branch branch) {
        float[][] g = logits(routers.get(router), scratch);
        for (float[] weights : g) {
            math.softmax(weights, weights.length, 1);
            math.round(rounding, weights, 0, weights.length);
        }
        IntStream.range(0, experts.size()).forEach(branch::run);
        if (!adapters.isEmpty()) {
            share.await(); // an adapter reads all rows
        }
        float[][] sum = new float[g.length][hidden];
        for (int i = 0; i < experts.size(); i++) {
            float[][] found = steps.get(i).branch();
            float[][] own = adapters.isEmpty() ? found : adapted(share, adapters.get(router * experts.size() + i), found);
            for (int s = 0; s < sum.length; s++) {
                for (int c = share.fromRow(hidden); c < share.toRow(hidden); c++) {
                    sum[s][c] = rounding.round(sum[s][c] + g[s][i] * own[s][c]);
                }
            }
        }
        return sum;
    }

    /** {@code W x}, computed completely by every worker, since a router has few rows. */
    private float[][] logits(Matrix router, RowDecoder.Scratch scratch) {
        float[][] z = new float[scratch.normed().length][experts.size()];
        router.pack(scratch.normed(), scratch.x());
        router.matmul(0, experts.size(), scratch.x(), z, 0);
        for (float[] row : z) {
            math.round(rounding, row, 0, row.length);
        }
        return z;
    }

    private float[][] adapted(WorkerTeam.Share share, Linear adapter, float[][] branch) {
        float[][] y = new float[branch.length][hidden];
        adapter.run(share, math, rounding, adapter.weight().packed(branch), y);
        return y;
    }

    /** This worker's rows of {@code FFN_i(x)} with {@code i = argmax(W x)}, the first of equals. */
    private float[][] topOne(WorkerTeam.Share share, List<RowStep> steps, int layer, RowDecoder.Scratch scratch) {
        float[][] z = logits(routers.get(layer), scratch);
        float[][] branch = new float[z.length][];
        for (int i = 0; i < experts.size(); i++) {
            int expert = i;
            int[] tokens = IntStream.range(0, z.length).filter(s -> Router.largest(z[s]) == expert).toArray();
            if (tokens.length > 0) {
                RowStep step = steps.get(i).of(tokens);
                experts.get(i).mlp(share, step, layer, scratch.of(tokens));
                IntStream.range(0, tokens.length).forEach(k -> branch[tokens[k]] = step.branch()[k]);
            }
        }
        return branch;
    }
}
