package io.github.bts4j.stitch;

import static io.github.bts4j.core.support.Problems.throwIf;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.github.bts4j.core.GateWeights;
import io.github.bts4j.core.TokenBatch;
import java.util.List;
import java.util.stream.IntStream;

/**
 * Computes gate weights of the Experts-into-Hub layers, averaged over channels.
 *
 * @param models names, hub first
 * @param config the layout
 */
record StitchGates(List<String> models, StitchConfig config) {
    private int[] stitches() {
        return IntStream.range(0, config.numStitches()).filter(config::intoHub).toArray();
    }

    private GateWeights weights(float[][][] values) {
        return new GateWeights(models, IntStream.of(stitches()).mapToObj(j -> new GateWeights.GateLayer(j, config.afterLayers().get(j))).toList(), values);
    }

    GateWeights none() {
        return weights(new float[0][][]);
    }

    /** For a text, in one pass. */
    GateWeights along(NDManager manager, StitchedForward pass, int[] tokenIds) {
        throwIf(tokenIds.length == 0, () -> new IllegalArgumentException("The text is empty: gates need at least one token"));
        int[] stitches = stitches();
        int vocabSize = pass.streams().models().get(0).vocabSize();
        float[][][] values = new float[tokenIds.length][stitches.length][];
        try (NDManager scope = manager.newSubManager()) {
            NDArray ids = TokenBatch.tensor(scope, new int[][] {tokenIds}, 0, tokenIds.length, vocabSize);
            List<NDArray> found = pass.trace(scope, ids, IntStream.of(stitches).asLongStream().toArray());
            for (int k = 0; k < stitches.length; k++) {
                put(new GateTrace(stitches[k], found.get(1 + k * (models.size() + 1)), List.of()).meanOverChannels(0), k, values);
            }
        }
        return weights(values);
    }

    private static void put(float[][] ofPlace, int place, float[][][] values) {
        for (int t = 0; t < values.length; t++) {
            values[t][place] = ofPlace[t];
        }
    }
}
