package io.github.bts4j.train;

import io.github.bts4j.train.data.Batch;
import io.github.bts4j.train.data.Datamix;
import java.util.ArrayList;
import java.util.List;

/** The micro-batches of one optimizer step. A token that the loss counts counts equally in whichever of them it is. */
record StepBatches(List<Batch> of, long predicted) {
    static StepBatches read(Datamix data, long position, int passes, TrainerConfig config) {
        List<Batch> batches = new ArrayList<>();
        for (int pass = 0; pass < passes; pass++) {
            batches.add(data.batch(position + (long) pass * config.batches().microBatch(), config.batches().microBatch(), config.batches().sequenceLength()));
        }
        return new StepBatches(batches, batches.stream().mapToLong(Batch::predicted).sum());
    }

    /** The passes of the step after {@code step} steps, whose gradients together are those of the step's mean loss. */
    List<Pass> passes(long seed, long step) {
        List<Pass> passes = new ArrayList<>();
        for (Batch batch : of) {
            passes.add(Pass.of(batch, 1f / predicted, PassSeed.of(seed, step, passes.size())));
        }
        return passes;
    }
}
