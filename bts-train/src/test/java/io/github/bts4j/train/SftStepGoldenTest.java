package io.github.bts4j.train;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.github.bts4j.core.golden.Tolerance;
import io.github.bts4j.core.llama.Precision;
import io.github.bts4j.core.torch.ActivationCheckpointing;
import io.github.bts4j.core.torch.TensorFiles;
import io.github.bts4j.core.torch.llama.LlamaModel;
import io.github.bts4j.train.data.Datamix;
import io.github.bts4j.train.data.TokenDataset;
import io.github.bts4j.train.data.TokenDatasetBuilder;
import io.github.bts4j.train.optim.LearningRate;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.stream.StreamSupport;
import org.junit.jupiter.api.Test;

/** A step over two micro-batches of packed conversations, weighted by the tokens that count in both, is that of transformers; {@code tools/sft_step_golden.py} wrote it. */
class SftStepGoldenTest {
    private static final Path GOLDEN = TinyRuns.golden("sft");
    /** Two sequences: the conversation of 20 tokens, and those of 9 and 14. */
    private static final int LENGTH = 23;

    private static TokenDataset conversations(JsonNode step) {
        TokenDatasetBuilder builder = TokenDataset.builder("chat");
        for (JsonNode batch : step.get("batches")) {
            for (JsonNode each : batch) {
                List<Boolean> counted = StreamSupport.stream(each.get("counted").spliterator(), false).map(JsonNode::asBoolean).toList();
                boolean[] marks = new boolean[counted.size()];
                for (int t = 0; t < marks.length; t++) {
                    marks[t] = counted.get(t);
                }
                builder.add(StreamSupport.stream(each.get("ids").spliterator(), false).mapToInt(JsonNode::asInt).toArray(), marks, marks.length);
            }
        }
        return builder.build().withWholeDocuments();
    }

    @Test
    void lossesAndGradients() throws IOException {
        JsonNode step = new ObjectMapper().readTree(GOLDEN.resolve("step.json").toFile());
        Datamix data = Datamix.of(List.of(conversations(step)), Map.of("chat", 1.0));
        TrainerConfig config = TrainerConfig.of(1, 1, LENGTH, new LearningRate.Constant(1e-3)).withAccumulation(2);
        double expected = step.get("losses").get(0).asDouble() + step.get("losses").get(1).asDouble();
        for (ActivationCheckpointing checkpointing : List.of(ActivationCheckpointing.OFF, ActivationCheckpointing.FULL)) {
            try (LlamaModel model = LlamaModel.open(TinyRuns.golden("llama2-gqa")); ExpertTraining expert = ExpertTraining.branch(model).withCheckpointing(checkpointing);
                    NDManager scope = expert.manager().newSubManager()) {
                expert.parameters().values().forEach(tensor -> tensor.setRequiresGradient(true));
                StepBatches batches = StepBatches.read(data, 0, 2, config);
                assertEquals(step.get("counted").asLong(), batches.predicted());
                DomainLosses losses = new DomainLosses(data.domains());
                for (int pass = 0; pass < 2; pass++) {
                    losses.add(batches.of().get(pass), batches.passes(0, 0).get(pass).accumulate(expert));
                }
                assertEquals(expected, losses.mean(), expected * 1e-5);
                Tolerance tolerance = Tolerance.of(expert.config(), LENGTH, Precision.FLOAT32).times(4);
                for (Map.Entry<String, NDArray> golden : TensorFiles.read(scope, GOLDEN.resolve("gradients.safetensors")).entrySet()) {
                    float[] values = golden.getValue().toFloatArray();
                    float largest = 0;
                    for (float value : values) {
                        largest = Math.max(largest, Math.abs(value));
                    }
                    try (NDArray gradient = expert.parameters().get(golden.getKey()).getGradient()) {
                        assertArrayEquals(values, gradient.toFloatArray(), (float) tolerance.of(largest), golden.getKey());
                    }
                }
            }
        }
    }

    /** Computed in bfloat16, the gradients are those of transformers in float32 up to that type's rounding. */
    @Test
    void gradientsInMixedPrecision() throws IOException {
        JsonNode step = new ObjectMapper().readTree(GOLDEN.resolve("step.json").toFile());
        Datamix data = Datamix.of(List.of(conversations(step)), Map.of("chat", 1.0));
        try (LlamaModel model = LlamaModel.open(TinyRuns.golden("llama2-gqa")); ExpertTraining expert = ExpertTraining.branch(model).withMixedPrecision();
                NDManager scope = expert.manager().newSubManager()) {
            expert.parameters().values().forEach(tensor -> tensor.setRequiresGradient(true));
            StepBatches batches = StepBatches.read(data, 0, 2, TrainerConfig.of(1, 1, LENGTH, new LearningRate.Constant(1e-3)).withAccumulation(2));
            for (int pass = 0; pass < 2; pass++) {
                batches.passes(0, 0).get(pass).accumulate(expert);
            }
            for (Map.Entry<String, NDArray> golden : TensorFiles.read(scope, GOLDEN.resolve("gradients.safetensors")).entrySet()) {
                try (NDArray gradient = expert.parameters().get(golden.getKey()).getGradient()) {
                    double error = Gradients.distance(golden.getValue().toFloatArray(), gradient.toFloatArray());
                    assertTrue(error > 0 && error < Gradients.BFLOAT16, golden.getKey() + " is off by " + error);
                }
            }
        }
    }
}
