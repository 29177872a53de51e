package io.github.bts4j.stitch;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ai.djl.ndarray.NDArray;
import com.fasterxml.jackson.databind.JsonNode;
import io.github.bts4j.core.DecodeSession;
import io.github.bts4j.core.golden.GoldenCase;
import io.github.bts4j.core.golden.Int8Noise;
import io.github.bts4j.core.golden.Tolerance;
import io.github.bts4j.core.llama.Precision;
import io.github.bts4j.core.torch.llama.LlamaModel;
import io.github.bts4j.core.torch.llama.LoadOptions;
import io.github.bts4j.core.torch.llama.Quantization;
import io.github.bts4j.stitch.baseline.ModelSoup;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Stitch layers on int8 hub and experts, against the golden values of the same models in full precision. */
class StitchInt8Test {
    private static final LoadOptions INT8 = LoadOptions.defaults().withPrecision(Precision.FLOAT32).withQuantization(Quantization.INT8);

    @TempDir
    Path scratch;

    static List<Path> cases() {
        return GoldenCase.stitched();
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("cases")
    void logitsAndGradientsStayNearTheReference(Path folder) throws IOException {
        try (GoldenCase golden = new GoldenCase(folder); StitchedModel model = StitchGoldenTest.open(golden, INT8); StitchedModel noise = noise(golden)) {
            assertTrue(model.models().stream().allMatch(LlamaModel::isQuantized));
            NDArray ids = golden.tensor("input_ids");
            Tolerance.assertNoWorse("logits, against weights with noise of that size", golden.floats("logits"), noise.forward(ids).toFloatArray(), model.forward(ids).toFloatArray());
            Map<String, String> before = TinyModels.hashes(model);
            Map<String, float[]> noisy = TinyModels.gradients(noise, golden.ids("input_ids"));
            TinyModels.gradients(model, golden.ids("input_ids")).forEach((name, gradient) -> Tolerance.assertNoWorse(name, golden.floats("grad." + name), noisy.get(name), gradient));
            assertEquals(before, TinyModels.hashes(model));
        }
    }

    private StitchedModel noise(GoldenCase golden) throws IOException {
        Path models = scratch.resolve("noise");
        for (JsonNode name : golden.about().get("models")) {
            try (LlamaModel noise = Int8Noise.model(golden.manager(), golden.folder().resolve(name.asText()), name.asText().hashCode())) {
                noise.save(models.resolve(name.asText()));
            }
        }
        return StitchGoldenTest.open(golden, models, LoadOptions.defaults().withPrecision(Precision.FLOAT32));
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("cases")
    void cachedDecodingEqualsTheFullForward(Path folder) throws IOException {
        try (GoldenCase golden = new GoldenCase(folder); StitchedModel model = StitchGoldenTest.open(golden, INT8)) {
            float[] logits = model.forward(golden.tensor("input_ids")).toFloatArray();
            int[] ids = golden.ids("input_ids")[0];
            double tolerance = TinyModels.tolerance(model, ids.length).of(logits);
            int vocab = model.vocabSize();
            try (DecodeSession session = model.newSession(ids.length)) {
                session.append(Arrays.copyOf(ids, 20));
                for (int t = 20; t < ids.length; t++) {
                    GoldenCase.assertClose("at " + t, Arrays.copyOfRange(logits, t * vocab, (t + 1) * vocab), session.append(ids[t]), tolerance);
                }
            }
        }
    }

    @Test
    void aStitchCheckpointOpensOverQuantisedModels(@TempDir Path folder) throws IOException {
        Path one = cases().get(0);
        try (GoldenCase golden = new GoldenCase(one); StitchedModel model = StitchGoldenTest.open(golden, INT8)) {
            StitchCheckpoint.save(model, folder);
            try (StitchedModel opened = StitchCheckpoint.open(folder, INT8)) {
                NDArray ids = golden.tensor("input_ids");
                assertArrayEquals(model.forward(ids).toFloatArray(), opened.forward(ids).toFloatArray());
            }
            String message = assertThrows(IllegalStateException.class, () -> ModelSoup.average(model.models())).getMessage();
            assertTrue(message.contains("cannot be averaged"), message);
        }
    }

    @Test
    void ggufAndSafetensorsMembersStitchTogether(@TempDir Path folder) throws IOException {
        Path gguf = Path.of(System.getProperty("bts4j.testData"), "gguf", "llama2-gqa-f32.gguf");
        Path expert = Path.of(System.getProperty("bts4j.testData"), "golden", "llama2-gqa");
        StitchConfig config = StitchConfig.at(List.of(1, 3)).withDropout(0);
        try (StitchedModel mixed = StitchedModel.builder().hub(gguf).expert("same", expert).config(config).open();
                StitchedModel plain = StitchedModel.builder().hub(expert).expert("same", expert).config(config).open();
                GoldenCase golden = new GoldenCase(expert)) {
            TinyModels.disturbed(mixed, 4);
            TinyModels.disturbed(plain, 4);
            float[] expected = plain.forward(golden.tensor("input_ids")).toFloatArray();
            assertArrayEquals(expected, mixed.forward(golden.tensor("input_ids")).toFloatArray());
            StitchCheckpoint.save(mixed, folder);
            try (StitchedModel opened = StitchCheckpoint.open(folder, LoadOptions.defaults())) {
                assertArrayEquals(expected, opened.forward(golden.tensor("input_ids")).toFloatArray());
            }
        }
    }
}
