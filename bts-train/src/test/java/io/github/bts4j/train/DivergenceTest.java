package io.github.bts4j.train;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.github.bts4j.core.torch.Tensors;
import io.github.bts4j.core.torch.Torch;
import io.github.bts4j.stitch.StitchedModel;
import java.io.IOException;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A loss that is no number ends the training, and leaves what was there before the step. */
class DivergenceTest {
    @Test
    void aNanInTheWeightsStopsTheRunAndChangesNothing() throws IOException {
        try (StitchedModel model = TinyRuns.stitched(0); NDManager scope = Torch.manager().newSubManager()) {
            Map<String, NDArray> values = new LinkedHashMap<>(model.stitchTensors());
            float[] broken = values.get("stitch.1.proj.1.weight").toFloatArray();
            broken[5] = Float.NaN;
            values.put("stitch.1.proj.1.weight", Tensors.of(scope, broken, 48, 48));
            model.setStitchTensors(values);
            Map<String, String> before = TinyRuns.hashes(model.stitchTensors());
            TinyRuns.Record record = new TinyRuns.Record();
            try (Trainer trainer = new Trainer(new StitchTraining(model), TinyRuns.data(), TinyRuns.config(4), record)) {
                TrainingDivergedException diverged = assertThrows(TrainingDivergedException.class, trainer::run);
                assertEquals(0, diverged.step());
                assertTrue(Double.isNaN(diverged.loss()) && Double.isNaN(diverged.gradientNorm()), diverged.getMessage());
                assertTrue(diverged.getMessage().contains("step 0: loss = NaN, gradient norm = NaN"), diverged.getMessage());
                assertEquals(0, trainer.step());
            }
            assertEquals(before, TinyRuns.hashes(model.stitchTensors()));
            assertEquals(List.of(), record.steps);
        }
    }

    @Test
    void aRunThatDivergesLaterKeepsTheWeightsOfTheStepBefore(@TempDir Path folder) throws IOException {
        try (StitchedModel model = TinyRuns.stitched(0)) {
            TinyRuns.Record record = new TinyRuns.Record();
            try (Trainer trainer = new Trainer(new Failing(new StitchTraining(model), 3), TinyRuns.data(), TinyRuns.config(6), record)
                    .saveTo(folder)) {
                trainer.runTo(3);
                Map<String, String> before = TinyRuns.hashes(model.stitchTensors());
                TrainingDivergedException diverged = assertThrows(TrainingDivergedException.class, trainer::run);
                assertEquals(3, diverged.step());
                assertEquals(Double.POSITIVE_INFINITY, diverged.loss());
                assertTrue(diverged.gradientNorm() > 0, diverged.getMessage());
                assertEquals(before, TinyRuns.hashes(model.stitchTensors()));
                assertEquals(3, trainer.step());
                trainer.runTo(4); // the gradients of the failed step are gone: this is step 3 as it should have been
            }
            Map<String, String> after = TinyRuns.hashes(model.stitchTensors());
            try (StitchedModel other = TinyRuns.stitched(0);
                    Trainer trainer = new Trainer(new StitchTraining(other), TinyRuns.data(), TinyRuns.config(6), metrics -> { })) {
                trainer.runTo(4);
                assertEquals(TinyRuns.hashes(other.stitchTensors()), after);
            }
            assertEquals(4, record.steps.size());
        }
    }

    /** Reports one infinite loss, once. */
    private static final class Failing extends ForwardingTrainable {
        private int passesLeft;

        Failing(Trainable inner, int passes) {
            super(inner);
            this.passesLeft = passes;
        }

        @Override
        public float[] accumulateGradients(int[][] tokens, float tokenWeight, long seed) {
            float[] losses = super.accumulateGradients(tokens, tokenWeight, seed);
            if (passesLeft-- == 0) {
                losses[1] = Float.POSITIVE_INFINITY;
            }
            return losses;
        }
    }
}
