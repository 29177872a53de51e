package io.github.bts4j.train;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.github.bts4j.core.adapter.Adapter;
import io.github.bts4j.core.adapter.AdapterConfig;
import io.github.bts4j.core.adapter.AdapterFolders;
import io.github.bts4j.core.adapter.ModuleNames;
import io.github.bts4j.core.golden.GoldenCase;
import io.github.bts4j.core.golden.Tolerance;
import io.github.bts4j.core.llama.Precision;
import io.github.bts4j.core.torch.ActivationCheckpointing;
import io.github.bts4j.core.torch.TensorFiles;
import io.github.bts4j.core.torch.Tensors;
import io.github.bts4j.core.torch.Torch;
import io.github.bts4j.core.torch.llama.AdaptedLlama;
import io.github.bts4j.core.torch.llama.DocumentRows;
import io.github.bts4j.core.torch.llama.LlamaModel;
import io.github.bts4j.core.torch.llama.LoadOptions;
import io.github.bts4j.train.optim.AdamW;
import io.github.bts4j.train.optim.AdamWConfig;
import io.github.bts4j.train.optim.ParameterGroup;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The training of adapters, against PEFT and torch.optim.AdamW where the values come from them (src-test-data/adapters/generate.py). */
class AdapterTrainingTest {
    private static final Path BASE = AdapterFolders.ROOT.resolve("base");
    private static final AdamWConfig ADAMW = new AdamWConfig(0.9, 0.95, 1e-8, 0.1);

    @TempDir
    private Path folder;

    private static int[][] ids(Map<String, NDArray> golden) {
        long[] flat = golden.get("input_ids").toLongArray();
        int width = (int) golden.get("input_ids").getShape().get(1);
        int[][] ids = new int[flat.length / width][];
        for (int row = 0; row < ids.length; row++) {
            ids[row] = Arrays.stream(flat, row * width, (row + 1) * width).mapToInt(Math::toIntExact).toArray();
        }
        return ids;
    }

    private static int[][] tokens() {
        SplittableRandom random = new SplittableRandom(4);
        return IntStream.range(0, 3).mapToObj(row -> random.ints(16, 3, 96).toArray()).toArray(int[][]::new);
    }

    private static double mean(float[] losses) {
        double sum = 0;
        for (float loss : losses) {
            sum += loss;
        }
        return sum / losses.length;
    }

    /** Losses of ten steps, the gradients of the first, and every tensor after the last. */
    @ParameterizedTest
    @CsvSource({"lora, OFF", "rslora, OFF", "dora, OFF", "patterns, OFF", "saved, OFF", "dora, FULL", "saved, PARTIAL"})
    void tenStepsAreThoseOfPeft(String name, ActivationCheckpointing checkpointing) throws IOException {
        Path adapter = AdapterFolders.ROOT.resolve(name);
        try (NDManager scope = Torch.manager().newSubManager(); LlamaModel base = LlamaModel.open(BASE);
                AdapterTraining training = AdapterTraining.from(base, adapter).withCheckpointing(checkpointing)) {
            Map<String, NDArray> golden = TensorFiles.read(scope, adapter.resolve("golden.safetensors"));
            int[][] ids = ids(golden);
            float tokenWeight = 1f / (ids.length * (ids[0].length - 1));
            float[] losses = Tensors.toFloats(golden.get("losses"));
            List<ParameterGroup> all = List.of(new ParameterGroup(".*", ADAMW, 1)); // vectors decay too, as there
            int gradients = 0;
            try (AdamW optimizer = new AdamW(ADAMW, all, training.manager(), training.parameters())) {
                for (int step = 0; step < 10; step++) {
                    optimizer.zeroGradients();
                    assertEquals(losses[step], mean(training.accumulateGradients(ids, tokenWeight, step)), 2e-5, "loss of step " + step);
                    for (Map.Entry<String, NDArray> parameter : step == 0 ? training.parameters().entrySet() : Set.<Map.Entry<String, NDArray>>of()) {
                        try (NDArray gradient = parameter.getValue().getGradient()) {
                            assertNear(golden, "grad.", parameter.getKey(), gradient, 1e-4);
                            gradients++;
                        }
                    }
                    optimizer.step(2e-3);
                }
                training.parameters().forEach((parameter, tensor) -> assertNear(golden, "after.", parameter, tensor, 2e-4));
            }
            assertEquals(golden.keySet().stream().filter(key -> key.startsWith("grad.")).count(), gradients);
        }
    }

    /** Three documents in two sequences, against PEFT's passes over each document by itself; padding after the first two. */
    @ParameterizedTest
    @CsvSource({"lora, OFF", "dora, OFF", "dora, FULL", "saved, PARTIAL"})
    void packedDocumentsAreThoseOfPeftOneByOne(String name, ActivationCheckpointing checkpointing) throws IOException {
        Path adapter = AdapterFolders.ROOT.resolve(name);
        try (NDManager scope = Torch.manager().newSubManager(); LlamaModel base = LlamaModel.open(BASE);
                AdapterTraining training = AdapterTraining.from(base, adapter).withCheckpointing(checkpointing)) {
            Map<String, NDArray> golden = TensorFiles.read(scope, adapter.resolve("documents.safetensors"));
            int[][] tokens = new int[2][25];
            boolean[][] counted = new boolean[2][24];
            int[][] numbers = new int[2][24];
            float[] expected = new float[48];
            int at = 0;
            for (int i = 0; i < 3; i++) {
                long[] ids = golden.get("ids." + i).toLongArray();
                long[] counts = golden.get("counted." + i).toLongArray();
                int row = i / 2;
                int from = i == 1 ? at : 0;
                for (int t = 0; t < ids.length; t++) {
                    tokens[row][from + t] = (int) ids[t];
                    if (t + 1 < ids.length) {
                        counted[row][from + t] = counts[t] == 1;
                    }
                }
                Arrays.fill(numbers[row], from, 24, i);
                System.arraycopy(Tensors.toFloats(golden.get("losses." + i)), 0, expected, 24 * row + from, ids.length - 1);
                at = ids.length;
            }
            Arrays.fill(numbers[0], 22, 24, 3);
            training.parameters().values().forEach(tensor -> tensor.setRequiresGradient(true));
            float[] losses = training.accumulateGradients(new DocumentRows(tokens, counted, numbers), 0.1f, 0);
            tolerance(base).assertLossesClose("losses", expected, losses);
            for (Map.Entry<String, NDArray> parameter : training.parameters().entrySet()) {
                try (NDArray gradient = parameter.getValue().getGradient()) {
                    assertNear(golden, "grad.", parameter.getKey(), gradient, 1e-4);
                }
            }
            assertEquals(golden.keySet().stream().filter(key -> key.startsWith("grad.")).count(), training.parameters().size());
        }
    }

    /** Of a model with an adapter, which has twice as many products and roundings as the base. */
    private static Tolerance tolerance(LlamaModel base) {
        return Tolerance.of(base.config(), 25, Precision.FLOAT32).times(2);
    }

    private static void assertNear(Map<String, NDArray> golden, String kind, String name, NDArray found, double tolerance) {
        double error = GoldenCase.relativeError(Tensors.toFloats(golden.get(kind + "base_model.model." + name)), Tensors.toFloats(found));
        assertTrue(error <= tolerance, kind + name + ": relative error " + error);
    }

    /** A new adapter is the base; a trained one, saved, gives the losses that the training saw. */
    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void startsAsTheBaseAndIsSavedAsItIs(boolean dora) throws IOException {
        int[][] tokens = tokens();
        AdapterConfig config = AdapterConfig.lora(3, 6, new ModuleNames.AllLinear()).withDora(dora).withBase("../base");
        try (LlamaModel base = LlamaModel.open(BASE); AdapterTraining training = AdapterTraining.start(base, config, 7)) {
            assertEquals(dora ? 42 : 28, training.parameters().size());
            float[][] before = base.tokenLosses(tokens);
            for (int row = 0; row < tokens.length; row++) {
                tolerance(base).assertLossesClose("losses at the start", before[row], training.tokenLosses(tokens)[row]);
            }
            try (AdamW optimizer = new AdamW(ADAMW, training.manager(), training.parameters())) {
                for (int step = 0; step < 20; step++) {
                    optimizer.zeroGradients();
                    training.accumulateGradients(tokens, 1 / 45f, step);
                    optimizer.step(1e-2);
                }
            }
            float[][] after = training.tokenLosses(tokens);
            assertTrue(mean(after[0]) < mean(before[0]) - 0.1, mean(after[0]) + ", before " + mean(before[0]));
            training.save(folder);
            try (LlamaModel merged = AdaptedLlama.merged(BASE, folder, LoadOptions.defaults())) {
                for (int row = 0; row < tokens.length; row++) {
                    tolerance(base).assertLossesClose("losses of what was saved", after[row], merged.tokenLosses(tokens)[row]);
                }
            }
            assertEquals(config, AdapterConfig.read(folder));
        }
    }

    /** What is trained here is what was trained when PEFT loaded it, and PEFT's logits with it (src-test-data/tools/trained_adapter_golden.py) are those that it has here. */
    @ParameterizedTest
    @ValueSource(strings = {"dora", "rslora"})
    void peftLoadsWhatIsTrained(String kind) throws IOException {
        Path loaded = AdapterFolders.ROOT.resolveSibling("adapters-trained-here").resolve(kind);
        AdapterConfig config = AdapterConfig.lora(3, 6, new ModuleNames.AllLinear()).withDora(kind.equals("dora")).withRankStabilized(kind.equals("rslora")).withBase("../../adapters/base");
        try (NDManager scope = Torch.manager().newSubManager(); LlamaModel base = LlamaModel.open(BASE); AdapterTraining training = AdapterTraining.start(base, config, 7);
                AdamW optimizer = new AdamW(ADAMW, training.manager(), training.parameters())) {
            for (int step = 0; step < 20; step++) {
                optimizer.zeroGradients();
                training.accumulateGradients(tokens(), 1 / 45f, step);
                optimizer.step(1e-2);
            }
            training.save(folder);
            assertEquals(AdapterConfig.read(loaded), AdapterConfig.read(folder));
            Map<String, NDArray> before = TensorFiles.read(scope, loaded.resolve(Adapter.WEIGHTS));
            Map<String, NDArray> now = TensorFiles.read(scope, folder.resolve(Adapter.WEIGHTS));
            assertEquals(before.keySet(), now.keySet());
            before.forEach((name, tensor) -> {
                float[] weights = Tensors.toFloats(tensor);
                double allowed = tolerance(base).afterSteps(20 * 1e-2, weights);
                double error = GoldenCase.relativeError(weights, Tensors.toFloats(now.get(name)));
                assertTrue(error <= allowed, name + ": relative error " + error + ", allowed " + allowed);
            });
            Map<String, NDArray> golden = TensorFiles.read(scope, loaded.resolve("golden.safetensors"));
            float[] peft = Tensors.toFloats(golden.get("logits"));
            assertTrue(GoldenCase.relativeError(peft, base.forward(golden.get("input_ids")).toFloatArray()) > 0.1);
            try (LlamaModel beside = AdaptedLlama.beside(base, BASE, loaded, LoadOptions.defaults())) {
                tolerance(base).assertClose(kind, peft, beside.forward(golden.get("input_ids")).toFloatArray());
            }
        }
    }

    @Test
    void theBaseIsFrozenAndMayBeInBfloat16() throws IOException {
        int[][] tokens = tokens();
        LoadOptions options = LoadOptions.defaults().withPrecision(Precision.BFLOAT16);
        try (LlamaModel base = LlamaModel.open(BASE, options); AdapterTraining training = AdapterTraining.start(base, AdapterConfig.lora(4, 8, new ModuleNames.AllLinear()).withDora(true), 1)) {
            Map<String, String> hashes = TinyRuns.hashes(base.tensors());
            float first = 0;
            float last = 0;
            try (AdamW optimizer = new AdamW(ADAMW, training.manager(), training.parameters())) {
                for (int step = 0; step < 20; step++) {
                    optimizer.zeroGradients();
                    last = (float) mean(training.accumulateGradients(tokens, 1 / 45f, step));
                    first = step == 0 ? last : first;
                    optimizer.step(1e-2);
                }
            }
            assertTrue(last < first - 0.1, last + ", first " + first);
            assertEquals(hashes, TinyRuns.hashes(base.tensors()));
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void tenStepsAreFiveAndFiveResumedToTheBit(boolean dora) throws IOException {
        Torch.threads(1);
        AdapterConfig config = AdapterConfig.lora(2, 4, new ModuleNames.AllLinear()).withDora(dora);
        try (LlamaModel base = LlamaModel.open(TinyRuns.golden("bts-3x4").resolve("hub"))) {
            Map<String, String> whole = steps(base, config, 10);
            Map<String, String> half = steps(base, config, 5);
            assertTrue(whole.keySet().equals(half.keySet()) && !whole.equals(half));
            assertEquals(whole, steps(base, config, 10)); // from the run checkpoint
            try (AdapterTraining other = AdapterTraining.start(base, config, 2); Trainer trainer = new Trainer(other, TinyRuns.data(), TinyRuns.config(10), metrics -> { })) {
                assertThrows(ResumeException.class, () -> trainer.resumeFrom(folder.resolve("run 5")));
            }
        }
    }

    /** Up to a step; from the checkpoint of five steps if there is one. */
    private Map<String, String> steps(LlamaModel base, AdapterConfig config, int steps) throws IOException {
        Path run = folder.resolve("run 5");
        try (AdapterTraining training = AdapterTraining.start(base, config, 1); Trainer trainer = new Trainer(training, TinyRuns.data(), TinyRuns.config(10), metrics -> { })) {
            if (steps == 5) {
                trainer.saveTo(run);
            } else if (Files.exists(run)) {
                assertTrue(trainer.resumeFrom(run));
                assertEquals(5, trainer.step());
            }
            trainer.runTo(steps);
            return TinyRuns.hashes(training.parameters());
        }
    }

    @Test
    void theSameSeedIsTheSameAdapter() throws IOException {
        try (LlamaModel base = LlamaModel.open(BASE)) {
            AdapterConfig config = AdapterConfig.lora(4, 8, new ModuleNames.Listed(List.of("q_proj")));
            try (AdapterTraining a = AdapterTraining.start(base, config, 3); AdapterTraining b = AdapterTraining.start(base, config, 3); AdapterTraining c = AdapterTraining.start(base, config, 4)) {
                assertEquals(a.identity(), b.identity());
                assertTrue(!a.identity().equals(c.identity()));
                String name = "model.layers.0.self_attn.q_proj.lora_A.weight";
                assertArrayEquals(Tensors.toFloats(a.parameters().get(name)), Tensors.toFloats(b.parameters().get(name)));
            }
        }
    }

    @Test
    void refusals() throws IOException {
        try (LlamaModel base = LlamaModel.open(BASE)) {
            assertEquals("target modules = [query] match no matrix of the layers; they are q_proj, k_proj, v_proj, o_proj, gate_proj, up_proj and down_proj",
                    refusal(base, AdapterConfig.lora(4, 8, new ModuleNames.Listed(List.of("query")))));
            assertEquals("low-rank matrices of model.embed_tokens are not trained here: train it in full (modules_to_save), or the layers alone",
                    refusal(base, AdapterConfig.lora(4, 8, new ModuleNames.Listed(List.of("embed_tokens")))));
            assertEquals("r = 33 of model.layers.0.self_attn.q_proj is above 32, the smaller side of its matrix: nothing would be of low rank",
                    refusal(base, AdapterConfig.lora(33, 8, new ModuleNames.Listed(List.of("q_proj")))));
            assertThrows(IllegalArgumentException.class, () -> AdapterTraining.from(base, AdapterFolders.ROOT.resolve("lorabias")));
            try (LlamaModel beside = AdaptedLlama.beside(base, BASE, AdapterFolders.ROOT.resolve("lora"), LoadOptions.defaults())) {
                assertThrows(IllegalStateException.class, () -> AdapterTraining.from(beside, AdapterFolders.ROOT.resolve("lora")));
            }
            assertTrue(Adapter.isAdapter(AdapterFolders.ROOT.resolve("lora")));
        }
    }

    private static String refusal(LlamaModel base, AdapterConfig config) {
        return assertThrows(IllegalArgumentException.class, () -> AdapterTraining.start(base, config, 0)).getMessage();
    }
}
