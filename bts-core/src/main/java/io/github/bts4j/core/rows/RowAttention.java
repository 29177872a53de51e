package io.github.bts4j.core.rows;

/**
 * Attention of the new tokens of a step, which appends their keys and values to the KV caches.
 *
 * @param math the arithmetic
 * @param rounding how results are rounded
 * @param dims the decoder's sizes
 * @param norm the norm of queries and keys, where there is one
 */
record RowAttention(Arithmetic math, Rounding rounding, RowDimensions dims, RowNorm norm) {
    /** This worker's share of tokens and key heads, of a step whose queries, keys and values are complete. */
    void run(WorkerTeam.Share share, RowStep step, int layer, RowWeights.Layer weights) {
        normAll(share, step, weights.norms());
        RowWeights.Kind kind = weights.kind();
        int items = step.batch().size() * dims.kvHeads();
        if (step.batch().isPrompt()) { // a token attends to those before it, which may be another worker's
            for (int item = share.from(items); item < share.to(items); item++) {
                append(step, layer, item, weights);
            }
            share.await();
        }
        int group = dims.heads() / dims.kvHeads();
        float[][] queries = new float[group][dims.headDim()];
        float[][] scores = new float[group][step.longest()];
        for (int item = share.from(items); item < share.to(items); item++) {
            if (!step.batch().isPrompt()) {
                append(step, layer, item, weights);
            }
            int s = item / dims.kvHeads();
            int head = item % dims.kvHeads();
            int first = kind.first(step.batch().positions()[s] + 1);
            int length = step.batch().positions()[s] + 1 - first;
            Matrix keys = from(first, step.batch().state(s).keys().get(layer)[head]);
            Matrix values = from(first, step.batch().state(s).values().get(layer)[head]);
            float[] rotation = kind.of(step.rope()[s]);
            for (int g = 0; g < group; g++) {
                int query = (head * group + g) * dims.headDim();
                normEach(step.query()[s], query, weights.norms().query(), weights.norms());
                math.rotate(rounding, step.query()[s], query, rotation);
                keys.pack(step.query()[s], query, dims.headDim(), queries[g]);
            }
            keys.matmul(0, length, queries, scores, 0);
            for (float[] each : scores) {
                math.softmax(each, length, dims.style().attentionScale());
            }
            int to = head * group * dims.headDim();
            values.weightedSums(length, scores, step.attended()[s], to);
            math.round(rounding, step.attended()[s], to, to + group * dims.headDim());
        }
    }

    /** Where all heads have one norm, it is of whole rows, which workers share. */
    private void normAll(WorkerTeam.Share share, RowStep step, RowWeights.Norms norms) {
        if (norms.query().length > dims.headDim()) {
            for (int s = share.from(step.batch().size()); s < share.to(step.batch().size()); s++) {
                norm.inPlace(step.query()[s], 0, norms.query());
                norm.inPlace(step.key()[s], 0, norms.key());
            }
            share.await();
        }
    }

    private static Matrix from(int first, Matrix rows) {
        return first == 0 ? rows : rows.from(first);
    }

    private void normEach(float[] x, int at, float[] weight, RowWeights.Norms norms) {
        if (norms.query().length == dims.headDim()) {
            norm.inPlace(x, at, weight);
        }
    }

    private void append(RowStep step, int layer, int item, RowWeights.Layer weights) {
        int s = item / dims.kvHeads();
        int head = item % dims.kvHeads();
        int at = head * dims.headDim();
        normEach(step.key()[s], at, weights.norms().key(), weights.norms());
        math.rotate(rounding, step.key()[s], at, weights.kind().of(step.rope()[s]));
        step.batch().state(s).keys().get(layer)[head].elements().set(step.batch().positions()[s], step.key()[s], at);
        step.batch().state(s).values().get(layer)[head].elements().set(step.batch().positions()[s], step.value()[s], at);
    }
}
