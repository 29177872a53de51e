package io.github.bts4j.core.rows;

/**
 * Attention of the new tokens of a step, which appends their keys and values to the KV caches.
 *
 * @param math the arithmetic
 * @param rounding how results are rounded
 * @param dims the decoder's sizes
 */
record RowAttention(Arithmetic math, Rounding rounding, RowDecoder.Dimensions dims) {
    /** This worker's share of tokens and key heads, of a step whose queries, keys and values are complete. */
    void run(WorkerTeam.Share share, RowStep step, int layer) {
        int items = step.batch().size() * dims.kvHeads();
        if (step.batch().isPrompt()) { // a token attends to those before it, which may be another worker's
            for (int item = share.from(items); item < share.to(items); item++) {
                append(step, layer, item);
            }
            share.await();
        }
        int group = dims.heads() / dims.kvHeads();
        float[][] queries = new float[group][dims.headDim()];
        float[][] scores = new float[group][step.longest()];
        for (int item = share.from(items); item < share.to(items); item++) {
            if (!step.batch().isPrompt()) {
                append(step, layer, item);
            }
            int s = item / dims.kvHeads();
            int head = item % dims.kvHeads();
            Matrix keys = step.batch().state(s).keys().get(layer)[head];
            Matrix values = step.batch().state(s).values().get(layer)[head];
            int length = step.batch().positions()[s] + 1;
            for (int g = 0; g < group; g++) {
                int query = (head * group + g) * dims.headDim();
                math.rotate(rounding, step.query()[s], query, step.rope()[s]);
                keys.pack(step.query()[s], query, dims.headDim(), queries[g]);
            }
            keys.matmul(0, length, queries, scores, 0);
            for (float[] each : scores) {
                math.softmax(each, length, (float) (1 / Math.sqrt(dims.headDim())));
            }
            int to = head * group * dims.headDim();
            values.weightedSums(length, scores, step.attended()[s], to);
            math.round(rounding, step.attended()[s], to, to + group * dims.headDim());
        }
    }

    private void append(RowStep step, int layer, int item) {
        int s = item / dims.kvHeads();
        int head = item % dims.kvHeads();
        int at = head * dims.headDim();
        math.rotate(rounding, step.key()[s], at, step.rope()[s]);
        step.batch().state(s).keys().get(layer)[head].elements().set(step.batch().positions()[s], step.key()[s], at);
        step.batch().state(s).values().get(layer)[head].elements().set(step.batch().positions()[s], step.value()[s], at);
    }
}
