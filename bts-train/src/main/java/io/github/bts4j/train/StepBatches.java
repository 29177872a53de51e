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

    /** The losses of a pass, whose gradients join those of the step's mean loss. */
    float[] gradients(Trainable model, int pass, long seed) {
        Batch batch = of.get(pass);
        float tokenWeight = 1f / predicted;
        return batch.documents().isPresent() ? model.accumulateGradients(batch.documents().get(), tokenWeight, seed) : model.accumulateGradients(batch.rows(), tokenWeight, seed);
    }
}
