package io.github.bts4j.train;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ai.djl.Device;
import io.github.bts4j.core.llama.LlamaConfig;
import io.github.bts4j.core.torch.ActivationCheckpointing;
import io.github.bts4j.core.torch.llama.LlamaModel;
import io.github.bts4j.stitch.PassOptions;
import io.github.bts4j.stitch.StitchedModel;
import java.io.IOException;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Runs with activation checkpointing end with the same bits as without. */
class CheckpointingTest {
    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void anExpertsWeightsAreTheSame(boolean tied) throws IOException {
        LlamaConfig config = LlamaConfig.builder().vocabSize(TinyRuns.VOCAB).hiddenSize(32).intermediateSize(64).numLayers(4).numHeads(4)
                .numKvHeads(2).maxPositionEmbeddings(64).tieWordEmbeddings(tied).build();
        for (boolean all : new boolean[] {true, false}) {
            Map<String, String> expected = expert(config, all, ActivationCheckpointing.OFF, 6);
            assertEquals(all ? tied ? 38 : 39 : 36, expected.size());
            assertNotEquals(expected, expert(config, all, ActivationCheckpointing.OFF, 5));
            assertEquals(expected, expert(config, all, ActivationCheckpointing.PARTIAL, 6));
            assertEquals(expected, expert(config, all, ActivationCheckpointing.FULL, 6));
        }
    }

    private static Map<String, String> expert(LlamaConfig config, boolean all, ActivationCheckpointing checkpointing, long steps) throws IOException {
        ExpertTraining training = ExpertTraining.fromScratch(config, 0.02, 5, Device.cpu());
        try (ExpertTraining expert = (all ? training : training.withFrozenEmbeddings()).withCheckpointing(checkpointing);
                Trainer trainer = new Trainer(expert, TinyRuns.data(), TinyRuns.config(6), metrics -> {})) {
            trainer.runTo(steps);
            return TinyRuns.hashes(expert.parameters());
        }
    }

    @Test
    void stitchWeightsAreTheSame() throws IOException {
        Map<String, String> expected = stitched(ActivationCheckpointing.OFF);
        assertEquals(expected, stitched(ActivationCheckpointing.PARTIAL));
        assertEquals(expected, stitched(ActivationCheckpointing.FULL));
    }

    private static Map<String, String> stitched(ActivationCheckpointing checkpointing) throws IOException {
        try (StitchedModel model = TinyRuns.stitched(0.1);
                Trainer trainer = new Trainer(new StitchTraining(model).withOptions(PassOptions.DEFAULT.withCheckpointing(checkpointing)), TinyRuns.data(),
                        TinyRuns.config(6), metrics -> {})) {
            trainer.run();
            return TinyRuns.hashes(model.stitchTensors());
        }
    }

    /** No optimizer has taken the weights. */
    @ParameterizedTest
    @EnumSource(ActivationCheckpointing.class)
    void anExpertWithNothingToTrainIsRefused(ActivationCheckpointing kind) throws IOException {
        try (LlamaModel model = LlamaModel.open(TinyRuns.golden("llama2-gqa")); ExpertTraining training = ExpertTraining.branch(model).withCheckpointing(kind)) {
            String message = assertThrows(IllegalStateException.class, () -> training.accumulateGradients(new int[][] {{1, 2, 3}}, 1, 0)).getMessage();
            assertTrue(message.startsWith("No tensor that the loss depends on requires a gradient"), message);
        }
    }
}
