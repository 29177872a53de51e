package io.github.bts4j.train;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.bts4j.stitch.StitchedModel;
import io.github.bts4j.train.metrics.MetricsListener;
import io.github.bts4j.train.optim.AdamWConfig;
import io.github.bts4j.train.optim.LearningRate;
import java.io.IOException;
import java.util.Map;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A learning rate of their own for the projections. */
class ProjectionRateTest {
    private static final double RATE = 1e-3;

    /** Adam's first step moves every weight by the learning rate, wherever the gradient is far above eps; without decay nothing else does. */
    @ParameterizedTest
    @ValueSource(doubles = {0, 0.1, 1})
    void theFirstStepIsTheRateOfEachKind(double factor) throws IOException {
        AdamWConfig optimizer = new AdamWConfig(0.9, 0.95, 1e-12, 0);
        TrainerConfig config = TrainerConfig.of(1, 4, TinyRuns.LENGTH, new LearningRate.Constant(RATE)).withOptimizer(optimizer)
                .withParameterGroups(StitchTraining.projections(optimizer, factor));
        try (StitchedModel model = TinyRuns.stitched(0); Trainer trainer = new Trainer(new StitchTraining(model), TinyRuns.data(), config, MetricsListener.all())) {
            Map<String, float[]> before = TinyRuns.values(model.stitchTensors());
            trainer.run();
            Map<String, float[]> after = TinyRuns.values(model.stitchTensors());
            int projections = 0;
            for (Map.Entry<String, float[]> tensor : after.entrySet()) {
                boolean projection = tensor.getKey().contains(".proj.");
                projections += projection ? 1 : 0;
                double largest = 0;
                for (int i = 0; i < tensor.getValue().length; i++) {
                    largest = Math.max(largest, Math.abs(tensor.getValue()[i] - before.get(tensor.getKey())[i]));
                }
                assertEquals(RATE * (projection ? factor : 1), largest, RATE * 1e-3, tensor.getKey());
            }
            assertTrue(projections > 0 && projections < after.size(), after.keySet().toString());
        }
    }
}
