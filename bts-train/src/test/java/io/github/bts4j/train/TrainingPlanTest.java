package io.github.bts4j.train;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.github.bts4j.core.llama.LlamaConfig;
import io.github.bts4j.core.llama.Precision;
import io.github.bts4j.core.torch.ActivationCheckpointing;
import io.github.bts4j.stitch.StitchConfig;
import io.github.bts4j.train.optim.LearningRate;
import java.io.IOException;
import java.io.InputStream;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Operations against PyTorch's FlopCounterMode (src-test-data/tools/plan_golden.py), memory against what was measured (docs/benchmarks.md). */
class TrainingPlanTest {
    private static final double MIB = 1 << 20;

    @Test
    void operationsAreWhatPyTorchCounts() throws IOException {
        try (InputStream in = TrainingPlanTest.class.getResourceAsStream("plan.json")) {
            for (JsonNode golden : new ObjectMapper().readTree(in).get("cases")) {
                LlamaConfig model = model(golden.get("vocab").asInt(), golden.get("hidden").asInt(), golden.get("ff").asInt(), golden.get("layers").asInt(),
                        golden.get("heads").asInt(), golden.get("kv").asInt());
                List<Integer> places = new ArrayList<>();
                golden.get("places").forEach(place -> places.add(place.asInt()));
                TrainingPlan plan = plan(model, golden.get("experts").asInt(), StitchConfig.at(places), Precision.FLOAT32, golden.get("batch").asInt(),
                        golden.get("seq").asInt(), ActivationCheckpointing.OFF);
                double tokens = golden.get("batch").asDouble() * golden.get("seq").asDouble();
                assertEquals(golden.get("forward").asDouble() / tokens, plan.forwardFlopsPerToken(), 1, golden.toString());
                assertEquals(golden.get("training").asDouble() / tokens, plan.trainingFlopsPerToken(), 1, golden.toString());
                assertEquals(golden.get("cached").asDouble() / tokens, plan.cachedTrainingFlopsPerToken(), 1, golden.toString());
            }
        }
    }

    @Test
    void memoryIsWithinFifteenPercentOfWhatWasMeasured() {
        LlamaConfig m = model(49_152, 576, 1536, 30, 9, 3);
        LlamaConfig s = model(8192, 512, 1408, 8, 8, 4);
        near(1627, plan(m, 3, StitchConfig.evenly(30, 4), Precision.BFLOAT16, 4, 256, ActivationCheckpointing.OFF));
        near(922, plan(m, 3, StitchConfig.evenly(30, 4), Precision.BFLOAT16, 4, 256, ActivationCheckpointing.PARTIAL));
        near(644, plan(m, 3, StitchConfig.evenly(30, 4), Precision.BFLOAT16, 4, 256, ActivationCheckpointing.FULL));
        near(1060, plan(m, 3, StitchConfig.evenly(30, 2), Precision.BFLOAT16, 4, 256, ActivationCheckpointing.OFF));
        near(917, plan(m, 1, StitchConfig.evenly(30, 4), Precision.BFLOAT16, 4, 256, ActivationCheckpointing.OFF));
        near(1611, plan(m, 3, StitchConfig.evenly(30, 4), Precision.BFLOAT16, 4, 128, ActivationCheckpointing.OFF));
        near(2777, plan(m, 3, StitchConfig.evenly(30, 4), Precision.BFLOAT16, 1, 1024, ActivationCheckpointing.OFF));
        near(2700, plan(m, 3, StitchConfig.evenly(30, 4), Precision.FLOAT32, 4, 256, ActivationCheckpointing.OFF));
        near(739, plan(s, 3, StitchConfig.evenly(8, 4), Precision.BFLOAT16, 4, 256, ActivationCheckpointing.OFF));
        near(483, plan(s, 3, StitchConfig.evenly(8, 4), Precision.BFLOAT16, 4, 256, ActivationCheckpointing.FULL));
        near(1010, plan(s, 3, StitchConfig.evenly(8, 4), Precision.FLOAT32, 4, 256, ActivationCheckpointing.OFF));
        near(526, plan(s, 3, StitchConfig.evenly(8, 4), Precision.FLOAT32, 4, 256, ActivationCheckpointing.FULL));
        near(579, plan(s, 2, StitchConfig.evenly(8, 2), Precision.FLOAT32, 4, 256, ActivationCheckpointing.OFF));
        // the settings below had no part in finding the plan's constants
        near(1028, plan(m, 2, StitchConfig.evenly(30, 6), Precision.FLOAT32, 2, 384, ActivationCheckpointing.PARTIAL));
        near(886, plan(m, 3, StitchConfig.evenly(30, 10), Precision.FLOAT32, 4, 256, ActivationCheckpointing.FULL));
        near(573, plan(s, 2, StitchConfig.evenly(8, 8), Precision.BFLOAT16, 8, 200, ActivationCheckpointing.PARTIAL));
        near(1266, plan(m, 2, StitchConfig.evenly(30, 3), Precision.BFLOAT16, 8, 64, ActivationCheckpointing.OFF));
        near(325, plan(s, 1, StitchConfig.evenly(8, 1), Precision.FLOAT32, 2, 512, ActivationCheckpointing.OFF));
        near(1558, plan(m, 3, StitchConfig.evenly(30, 10), Precision.BFLOAT16, 1, 768, ActivationCheckpointing.PARTIAL));
    }

    @Test
    void theOptimizerHoldsTwoMomentsAndTheAverage() {
        LlamaConfig s = model(8192, 512, 1408, 8, 8, 4);
        TrainerConfig config = TrainerConfig.of(1, 1, 64, new LearningRate.Constant(1e-3));
        TrainingPlan plan = TrainingPlan.of(List.of(s, s), Precision.BFLOAT16, StitchConfig.evenly(8, 1), config, ActivationCheckpointing.OFF);
        long trained = 3L * 512 * 512; // W_0 and W_1 of the gate and the expert's projection
        assertEquals(trained, plan.trainedParameters());
        assertEquals(6 * trained, plan.weightBytes());
        assertEquals(4 * trained, plan.gradientBytes());
        assertEquals(8 * trained, plan.optimizerBytes());
        TrainingPlan averaged = TrainingPlan.of(List.of(s, s), Precision.FLOAT32, StitchConfig.evenly(8, 1), config.withWeightAverage(0.99),
                ActivationCheckpointing.OFF);
        assertEquals(4 * trained, averaged.weightBytes());
        assertEquals(12 * trained, averaged.optimizerBytes());
        assertEquals(2 * 512 * 2, plan.cacheBytesPerToken(), "streams, hidden, bytes of a bfloat16");
        assertTrue(plan.text().contains(String.format(java.util.Locale.ROOT, "%,d", trained)), plan.text());
        assertThrows(IllegalArgumentException.class,
                () -> TrainingPlan.of(List.of(s), Precision.FLOAT32, StitchConfig.evenly(8, 1), config, ActivationCheckpointing.OFF));
    }

    private static void near(double measuredMib, TrainingPlan plan) {
        assertEquals(1, plan.peakBytes() / MIB / measuredMib, 0.15, plan.text());
    }

    private static TrainingPlan plan(LlamaConfig model, int experts, StitchConfig stitches, Precision precision, int batch, int sequence,
            ActivationCheckpointing checkpointing) {
        return TrainingPlan.of(Collections.nCopies(experts + 1, model), precision, stitches,
                TrainerConfig.of(1, batch, sequence, new LearningRate.Constant(1e-3)), checkpointing);
    }

    private static LlamaConfig model(int vocab, int hidden, int feedForward, int layers, int heads, int kvHeads) {
        return LlamaConfig.builder().vocabSize(vocab).hiddenSize(hidden).intermediateSize(feedForward).numLayers(layers).numHeads(heads).numKvHeads(kvHeads)
                .maxPositionEmbeddings(2048).tieWordEmbeddings(true).build();
    }
}
