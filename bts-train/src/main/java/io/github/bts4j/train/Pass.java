package io.github.bts4j.train;

import io.github.bts4j.core.torch.llama.DocumentRows;
import io.github.bts4j.train.data.Batch;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * One forward and backward pass of an optimizer step. Arrays are not copied, so equality is that of the array objects.
 *
 * @param tokens token ids {@code [batch][sequence + 1]}
 * @param documents the same sequences with what counts of them and which tokens belong together, where they hold whole documents; else empty
 * @param tokenWeight weight of each token's loss
 * @param seed seed of the pass's random draws
 */
public record Pass(int[][] tokens, Optional<DocumentRows> documents, float tokenWeight, long seed) {
    static Pass of(Batch batch, float tokenWeight, long seed) {
        return new Pass(batch.documents().map(DocumentRows::tokens).orElseGet(batch::rows), batch.documents(), tokenWeight, seed);
    }

    /**
     * Runs it.
     *
     * @param model adds the pass's gradients to its parameters'
     * @return losses in nats {@code [batch * sequence]}, 0 where nothing counts
     */
    public float[] accumulate(Trainable model) {
        return documents.isPresent() ? model.accumulateGradients(documents.get(), tokenWeight, seed) : model.accumulateGradients(tokens, tokenWeight, seed);
    }

    /**
     * The lanes of a step: pass i of p belongs to lane {@code i * lanes / p}, rounded down, so that lanes are as equal as possible, and each is a run of consecutive passes.
     * A step with fewer passes than lanes, at the beginning of a {@link BatchRamp}, has one lane for each.
     *
     * @param passes all passes of the step
     * @param lanes the number of lanes, at least 1
     * @return the lanes with their passes, none of them empty
     */
    public static List<List<Pass>> lanes(List<Pass> passes, int lanes) {
        List<List<Pass>> all = new ArrayList<>();
        long last = -1;
        for (int i = 0; i < passes.size(); i++) {
            long lane = (long) i * lanes / passes.size();
            if (lane != last) {
                all.add(new ArrayList<>());
            }
            all.get(all.size() - 1).add(passes.get(i));
            last = lane;
        }
        return all;
    }
}
