package io.github.bts4j.train;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.github.bts4j.core.adapter.Adapter;
import io.github.bts4j.core.adapter.AdapterFolders;
import io.github.bts4j.core.llama.LlamaConfig;
import io.github.bts4j.core.llama.LlamaTensors;
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
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

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
                List<PlannedModel> models = new ArrayList<>(Collections.nCopies(1 + golden.get("experts").asInt(), PlannedModel.full(model)));
                for (int i = 0; i < golden.get("ranks").size(); i++) {
                    int rank = golden.get("ranks").get(i).asInt();
                    models.set(i + 1, rank == 0 ? models.get(0) : adapter(model, rank));
                }
                TrainingPlan plan = TrainingPlan.ofModels(models, Precision.FLOAT32, StitchConfig.at(places), trainer(golden.get("batch").asInt(), golden.get("seq").asInt()),
                        ActivationCheckpointing.OFF);
                double tokens = golden.get("batch").asDouble() * golden.get("seq").asDouble();
                assertEquals(golden.get("forward").asDouble() / tokens, plan.operations().forward(), 1, golden.toString());
                assertEquals(golden.get("training").asDouble() / tokens, plan.operations().training(), 1, golden.toString());
                assertEquals(golden.get("cached").asDouble() / tokens, plan.operations().cachedTraining(), 1, golden.toString());
            }
        }
    }

    @Test
    void memoryIsWithinFifteenPercentOfWhatWasMeasured() {
        LlamaConfig m = model(49_152, 576, 1536, 30, 9, 3);
        LlamaConfig s = model(8192, 512, 1408, 8, 8, 4);
        near(1127, plan(m, 3, StitchConfig.evenly(30, 4), Precision.BFLOAT16, 4, 256, ActivationCheckpointing.OFF));
        near(782, plan(m, 3, StitchConfig.evenly(30, 4), Precision.BFLOAT16, 4, 256, ActivationCheckpointing.PARTIAL));
        near(653, plan(m, 3, StitchConfig.evenly(30, 4), Precision.BFLOAT16, 4, 256, ActivationCheckpointing.FULL));
        near(794, plan(m, 3, StitchConfig.evenly(30, 2), Precision.BFLOAT16, 4, 256, ActivationCheckpointing.OFF));
        near(716, plan(m, 1, StitchConfig.evenly(30, 4), Precision.BFLOAT16, 4, 256, ActivationCheckpointing.OFF));
        near(1116, plan(m, 3, StitchConfig.evenly(30, 4), Precision.BFLOAT16, 4, 128, ActivationCheckpointing.OFF));
        near(1760, plan(m, 3, StitchConfig.evenly(30, 4), Precision.BFLOAT16, 1, 1024, ActivationCheckpointing.OFF));
        near(1669, plan(m, 3, StitchConfig.evenly(30, 4), Precision.FLOAT32, 4, 256, ActivationCheckpointing.OFF));
        near(810, plan(s, 3, StitchConfig.evenly(8, 4), Precision.BFLOAT16, 4, 256, ActivationCheckpointing.OFF));
        near(551, plan(s, 3, StitchConfig.evenly(8, 4), Precision.BFLOAT16, 4, 256, ActivationCheckpointing.FULL));
        near(841, plan(s, 3, StitchConfig.evenly(8, 4), Precision.FLOAT32, 4, 256, ActivationCheckpointing.OFF));
        near(608, plan(s, 3, StitchConfig.evenly(8, 4), Precision.FLOAT32, 4, 256, ActivationCheckpointing.FULL));
        near(741, plan(s, 2, StitchConfig.evenly(8, 2), Precision.FLOAT32, 4, 256, ActivationCheckpointing.OFF));
        // the settings below had no part in finding the constants of layers, only that of the states between them
        near(863, plan(m, 2, StitchConfig.evenly(30, 6), Precision.FLOAT32, 2, 384, ActivationCheckpointing.PARTIAL));
        near(1063, plan(m, 3, StitchConfig.evenly(30, 10), Precision.FLOAT32, 4, 256, ActivationCheckpointing.FULL));
        near(701, plan(s, 2, StitchConfig.evenly(8, 8), Precision.BFLOAT16, 8, 200, ActivationCheckpointing.PARTIAL));
        near(874, plan(m, 2, StitchConfig.evenly(30, 3), Precision.BFLOAT16, 8, 64, ActivationCheckpointing.OFF));
        near(392, plan(s, 1, StitchConfig.evenly(8, 1), Precision.FLOAT32, 2, 512, ActivationCheckpointing.OFF));
        near(1232, plan(m, 3, StitchConfig.evenly(30, 10), Precision.BFLOAT16, 1, 768, ActivationCheckpointing.PARTIAL));
    }

    @Test
    void theOptimizerHoldsTwoMomentsAndTheAverage() {
        LlamaConfig s = model(8192, 512, 1408, 8, 8, 4);
        TrainerConfig config = TrainerConfig.of(1, 1, 64, new LearningRate.Constant(1e-3));
        TrainingPlan plan = TrainingPlan.of(List.of(s, s), Precision.BFLOAT16, StitchConfig.evenly(8, 1), config, ActivationCheckpointing.OFF);
        long trained = 3L * 512 * 512; // W_0 and W_1 of the gate and the expert's projection
        assertEquals(trained, plan.parameters().trained());
        assertEquals(6 * trained, plan.memory().weights());
        assertEquals(4 * trained, plan.memory().gradients());
        assertEquals(8 * trained, plan.memory().optimizer());
        TrainingPlan averaged = TrainingPlan.of(List.of(s, s), Precision.FLOAT32, StitchConfig.evenly(8, 1), config.withWeightAverage(0.99),
                ActivationCheckpointing.OFF);
        assertEquals(4 * trained, averaged.memory().weights());
        assertEquals(12 * trained, averaged.memory().optimizer());
        assertEquals(2 * 512 * 2, plan.cacheBytesPerToken(), "streams, hidden, bytes of a bfloat16");
        assertTrue(plan.text().contains(String.format(java.util.Locale.ROOT, "%,d", trained)), plan.text());
        assertThrows(IllegalArgumentException.class,
                () -> TrainingPlan.of(List.of(s), Precision.FLOAT32, StitchConfig.evenly(8, 1), config, ActivationCheckpointing.OFF));
    }

    private static void near(double measuredMib, TrainingPlan plan) {
        assertEquals(1, plan.memory().peak() / MIB / measuredMib, 0.15, plan.text());
    }

    /** An adapter of all seven matrices of every layer. */
    private static PlannedModel adapter(LlamaConfig model, int rank) {
        long sides = LlamaTensors.shapes(model).entrySet().stream().filter(tensor -> tensor.getKey().startsWith("model.layers.0.") && tensor.getKey().endsWith("_proj.weight"))
                .mapToLong(tensor -> tensor.getValue().get(0) + tensor.getValue().get(1)).sum();
        return new PlannedModel(model, (long) model.numLayers() * rank * sides, Collections.nCopies(model.numLayers(), rank * sides), true, StoredBlocks.NONE);
    }

    /** The bytes that a prototype's measurements start from: shape m, bfloat16, K = 4. */
    @ParameterizedTest
    @CsvSource({"1, 0, 1.81", "3, 0, 3.43", "7, 0, 6.67", "1, 16, 1.06", "3, 16, 1.17", "7, 16, 1.40", "1, 64, 1.17", "3, 64, 1.50", "7, 64, 2.16"})
    void adaptersReadLittleMoreThanTheHub(int experts, int rank, double expected) {
        LlamaConfig m = model(49_152, 576, 1536, 30, 9, 3);
        List<PlannedModel> models = new ArrayList<>(List.of(PlannedModel.full(m)));
        models.addAll(Collections.nCopies(experts, rank == 0 ? models.get(0) : adapter(m, rank)));
        TrainingPlan plan = TrainingPlan.ofModels(models, Precision.BFLOAT16, StitchConfig.evenly(30, 4), trainer(4, 256), ActivationCheckpointing.OFF);
        assertEquals(expected, (double) plan.decoding().stitched() / plan.decoding().hub(), 0.0101);
        assertEquals(rank == 0 ? 0 : 2L * experts * models.get(1).parameters(), plan.memory().adapters());
        assertEquals(2 * LlamaTensors.parameterCount(m) * (rank == 0 ? 1 + experts : 1), plan.memory().frozen());
    }

    /** PEFT's own files: what an adapter holds, and whether its tokens go through the hub's layers. */
    @ParameterizedTest
    @CsvSource({"lora, 896, true", "dora, 2304, true", "saved, 7296, true", "norms, 288, false", "lorabias, 704, false", "embedding, 6336, true"})
    void adaptersFromTheirFiles(String name, long parameters, boolean shares) throws IOException {
        LlamaConfig base = LlamaConfig.read(AdapterFolders.ROOT.resolve("base"));
        PlannedModel planned = PlannedModel.of(base, Adapter.open(AdapterFolders.ROOT.resolve(name), LlamaTensors.shapes(base)));
        assertEquals(parameters, planned.parameters());
        assertEquals(shares, planned.sharesLayers());
        assertTrue(planned.isAdapter() && planned.lowRank().size() == 2, planned.toString());
    }

    private static TrainerConfig trainer(int batch, int sequence) {
        return TrainerConfig.of(1, batch, sequence, new LearningRate.Constant(1e-3));
    }

    private static TrainingPlan plan(LlamaConfig model, int experts, StitchConfig stitches, Precision precision, int batch, int sequence,
            ActivationCheckpointing checkpointing) {
        return TrainingPlan.of(Collections.nCopies(experts + 1, model), precision, stitches, trainer(batch, sequence), checkpointing);
    }

    private static LlamaConfig model(int vocab, int hidden, int feedForward, int layers, int heads, int kvHeads) {
        return LlamaConfig.builder().vocabSize(vocab).hiddenSize(hidden).intermediateSize(feedForward).numLayers(layers).numHeads(heads).numKvHeads(kvHeads)
                .maxPositionEmbeddings(2048).tieWordEmbeddings(true).build();
    }
}
