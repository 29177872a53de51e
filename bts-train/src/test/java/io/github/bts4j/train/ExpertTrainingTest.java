package io.github.bts4j.train;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ai.djl.Device;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.github.bts4j.core.TokenBatch;
import io.github.bts4j.core.llama.LlamaConfig;
import io.github.bts4j.core.torch.FrozenLm;
import io.github.bts4j.core.torch.Torch;
import io.github.bts4j.core.torch.llama.LlamaModel;
import io.github.bts4j.train.data.Datamix;
import io.github.bts4j.train.optim.LearningRate;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Training from random weights: what is learned is what is saved, and the seed decides where it begins. */
class ExpertTrainingTest {
    @Test
    void anExpertLearnsATinyTextFromRandomWeights(@TempDir Path folder) throws IOException {
        LlamaConfig config = LlamaConfig.builder().vocabSize(TinyRuns.VOCAB).hiddenSize(32).intermediateSize(64).numLayers(2).numHeads(4)
                .numKvHeads(2).maxPositionEmbeddings(64).build();
        TinyRuns.Record record = new TinyRuns.Record();
        Datamix data = Datamix.of(List.of(TinyRuns.domain("code", 3, 7)), Map.of("code", 1.0));
        TrainerConfig run = TrainerConfig.of(80, 8, TinyRuns.LENGTH, new LearningRate.WarmupCosine(0.02, 5, 80, 0.1));
        try (ExpertTraining expert = ExpertTraining.fromScratch(config, 0.02, 5, Device.cpu());
                Trainer trainer = new Trainer(expert, data, run, record)) {
            trainer.run();
            assertEquals(Math.log(TinyRuns.VOCAB), record.losses().get(0), 0.1, "random weights know nothing");
            double last = record.losses().subList(70, 80).stream().mapToDouble(Double::doubleValue).average().orElseThrow();
            assertTrue(last < 0.5 * record.losses().get(0), "mean loss of the last ten steps: " + last);
            expert.save(folder.resolve("expert"), TinyRuns.golden("bts-3x4"));
            int[][] tokens = {Arrays.copyOf(data.batch(900, 1, 31).tokens(), 32)};
            try (FrozenLm frozen = expert.freeze("frozen"); LlamaModel saved = LlamaModel.open(folder.resolve("expert"));
                    NDManager scope = Torch.manager().newSubManager()) {
                NDArray ids = TokenBatch.tensor(scope, tokens, 0, 32, TinyRuns.VOCAB);
                assertArrayEquals(frozen.forward(ids).toFloatArray(), saved.forward(ids).toFloatArray());
                double sum = 0;
                for (float loss : saved.tokenLosses(tokens)[0]) {
                    sum += loss / 31;
                }
                assertTrue(sum < 0.6 * record.losses().get(0), "loss of the saved model: " + sum);
            }
        }
    }

    @Test
    void theSameSeedGivesTheSameWeightsAndAnotherSeedOthers() {
        LlamaConfig config = LlamaConfig.builder().vocabSize(20).hiddenSize(16).intermediateSize(16).numLayers(1).numHeads(2)
                .maxPositionEmbeddings(16).build();
        try (ExpertTraining first = ExpertTraining.fromScratch(config, 0.02, 5, Device.cpu());
                ExpertTraining again = ExpertTraining.fromScratch(config, 0.02, 5, Device.cpu());
                ExpertTraining other = ExpertTraining.fromScratch(config, 0.02, 6, Device.cpu())) {
            assertEquals(TinyRuns.hashes(first.parameters()), TinyRuns.hashes(again.parameters()));
            assertNotEquals(TinyRuns.hashes(first.parameters()), TinyRuns.hashes(other.parameters()));
        }
    }
}
