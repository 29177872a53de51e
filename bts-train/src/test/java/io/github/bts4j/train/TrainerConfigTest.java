package io.github.bts4j.train;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.bts4j.train.optim.AdamWConfig;
import io.github.bts4j.train.optim.LearningRate;
import io.github.bts4j.train.stability.Safeguards;
import java.util.List;
import org.junit.jupiter.api.Test;

/** A trainer's settings: limits, and published recipes. */
class TrainerConfigTest {
    @Test
    void aConfigurationOutOfRangeIsRefusedWithEveryProblem() {
        String message = assertThrows(IllegalArgumentException.class, () -> new TrainerConfig(0, new TrainerConfig.Batches(0, 0, 0, BatchRamp.NONE, 0), new LearningRate.Constant(1),
                new TrainerConfig.Optimization(AdamWConfig.STITCH, Double.NaN, 1, List.of()), 0, new TrainerConfig.Checkpoints(-1, 0), Safeguards.OFF)).getMessage();
        for (String part : List.of("totalSteps = 0 is below 1", "microBatch = 0", "accumulation = 0", "sequenceLength = 0", "checkpointEvery = -1",
                "keepCheckpoints = 0", "maxGradNorm = NaN", "averageDecay = 1.0 is outside [0, 1)")) {
            assertTrue(message.contains(part), part + " is not in: " + message);
        }
    }

    /** The numbers of arXiv 2307.09288, section 2.2. */
    @Test
    void llama2sRecipe() {
        TrainerConfig config = TrainerConfig.llama2(500_000, 8, 4096, 3e-4);
        assertEquals(4L << 20, (long) config.sequencesPerStep() * config.batches().sequenceLength());
        assertEquals(new AdamWConfig(0.9, 0.95, 1e-5, 0.1), config.optimization().optimizer());
        assertEquals(1, config.optimization().maxGradNorm());
        assertEquals(1.5e-4, config.learningRate().at(999), 1e-12);
        assertEquals(3e-4, config.learningRate().at(1999), 1e-12);
        assertEquals(3e-5, config.learningRate().at(499_999), 1e-8);
    }
}
