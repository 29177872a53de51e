package io.github.bts4j.core.llama;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.github.bts4j.core.DecodeSession;
import io.github.bts4j.core.checkpoint.ModelFingerprint;
import io.github.bts4j.core.checkpoint.ModelFormatException;
import io.github.bts4j.core.golden.GoldenCase;
import io.github.bts4j.core.golden.GreedyTokens;
import io.github.bts4j.core.golden.Tolerance;
import io.github.bts4j.core.llama.rope.RopeScaling;
import io.github.bts4j.core.torch.TensorFiles;
import io.github.bts4j.core.torch.Tensors;
import io.github.bts4j.core.torch.Torch;
import io.github.bts4j.core.torch.llama.LlamaModel;
import io.github.bts4j.core.torch.llama.LoadOptions;
import io.github.bts4j.core.torch.llama.Weights;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Models in GGUF files against the same checkpoints as safetensors, and against transformers' logits for both. */
class GgufModelTest {
    private static final Path DATA = Path.of(System.getProperty("bts4j.testData"), "gguf");
    private static final Path GOLDEN = Path.of(System.getProperty("bts4j.testData"), "golden");

    @ParameterizedTest
    @CsvSource({"llama2-gqa, f32, FLOAT32", "llama32-tied-scaled-bf16, bf16, BFLOAT16", "biased-headdim-fp16, f16, FLOAT16"})
    void equalsTheSafetensorsCheckpoint(String name, String type, Precision precision) throws IOException {
        Path gguf = DATA.resolve(name + "-" + type + ".gguf");
        LoadOptions options = LoadOptions.defaults().withPrecision(Precision.FLOAT32);
        try (GoldenCase golden = new GoldenCase(GOLDEN.resolve(name)); LlamaModel stored = LlamaModel.open(gguf);
                LlamaModel model = LlamaModel.open(gguf, options); LlamaModel reference = LlamaModel.open(GOLDEN.resolve(name), options)) {
            assertEquals(precision, stored.precision());
            reference.tensors().forEach((tensor, values) -> assertArrayEquals(Tensors.toFloats(values), Tensors.toFloats(model.tensors().get(tensor)), tensor));
            float[] logits = model.forward(golden.tensor("input_ids")).toFloatArray();
            tolerance(golden.tensor("input_ids"), model).assertClose("logits", golden.floats("logits"), logits);
            if (!name.contains("scaled")) { // there, the divisors in the file are float32
                assertArrayEquals(reference.forward(golden.tensor("input_ids")).toFloatArray(), logits);
            }
            assertEquals(reference.config().eosTokenIds(), model.config().eosTokenIds());
            assertEquals(reference.config().headDim(), model.config().headDim());
            assertEquals(Map.of("model.gguf", ModelFingerprint.sha256(gguf)), model.fingerprint().files());
        }
    }

    @ParameterizedTest
    @CsvSource({"llama2-gqa-q4, AS_STORED", "llama2-gqa-q4, DEQUANTIZED", "llama2-gqa-mixed, AS_STORED", "kept, AS_STORED", "kept, DEQUANTIZED"})
    void quantisedWeightsGiveTheLogitsThatTransformersComputesFromThem(String name, Weights weights) throws IOException {
        Path file = DATA.resolve(name + ".gguf");
        LoadOptions options = LoadOptions.defaults().withWeights(weights);
        try (NDManager manager = Torch.manager().newSubManager(); LlamaModel model = LlamaModel.open(file, options.withPrecision(Precision.FLOAT32));
                LlamaModel stored = LlamaModel.open(file, options)) {
            assertEquals(weights == Weights.AS_STORED, model.isQuantized());
            Map<String, NDArray> golden = TensorFiles.read(manager, DATA.resolve(name + ".golden.safetensors"));
            float[] expected = golden.get("logits").toFloatArray();
            tolerance(golden.get("input_ids"), model).assertClose("logits", expected, model.forward(golden.get("input_ids")).toFloatArray());
            assertEquals(Precision.BFLOAT16, stored.precision());
            assertTrue(GoldenCase.relativeError(expected, stored.forward(golden.get("input_ids")).toFloatArray()) < tolerance(golden.get("input_ids"), stored).ofNorm());
        }
    }

    /** One token at a time, which the row engine decodes where it is available. */
    @ParameterizedTest
    @ValueSource(strings = {"llama2-gqa-q4", "llama2-gqa-mixed", "kept"})
    void quantisedWeightsDecodeToTheLogitsThatTransformersComputesFromThem(String name) throws IOException {
        try (NDManager manager = Torch.manager().newSubManager(); LlamaModel model = LlamaModel.open(DATA.resolve(name + ".gguf"), LoadOptions.defaults().withPrecision(Precision.FLOAT32))) {
            Map<String, NDArray> golden = TensorFiles.read(manager, DATA.resolve(name + ".golden.safetensors"));
            long[] ids = golden.get("input_ids").toLongArray();
            float[] expected = golden.get("logits").toFloatArray();
            int length = (int) golden.get("input_ids").getShape().get(1);
            int vocab = model.vocabSize();
            double tolerance = tolerance(golden.get("input_ids"), model).of(expected);
            try (DecodeSession session = model.newSession(length)) {
                session.append((int) ids[0], (int) ids[1], (int) ids[2]);
                for (int t = 3; t < length; t++) {
                    GoldenCase.assertClose("at " + t, Arrays.copyOfRange(expected, t * vocab, (t + 1) * vocab), session.append((int) ids[t]), tolerance);
                }
            }
        }
    }

    @Test
    void greedyTokensAreThoseOfTransformers() throws IOException {
        try (NDManager manager = Torch.manager().newSubManager(); LlamaModel model = LlamaModel.open(DATA.resolve("kept.gguf"), LoadOptions.defaults().withPrecision(Precision.FLOAT32))) {
            Map<String, NDArray> golden = TensorFiles.read(manager, DATA.resolve("kept.golden.safetensors"));
            int[] prompt = Arrays.stream(golden.get("input_ids").toLongArray()).limit(8).mapToInt(id -> (int) id).toArray();
            int[] expected = Arrays.stream(golden.get("greedy").toLongArray()).mapToInt(id -> (int) id).toArray();
            assertArrayEquals(expected, Arrays.copyOfRange(GreedyTokens.after(model, prompt, 48), 8, 48));
        }
    }

    @Test
    void weightsThatStayQuantisedTakeTheFilesSize() throws IOException {
        Path file = DATA.resolve("kept.gguf");
        try (LlamaModel kept = LlamaModel.open(file); LlamaModel whole = LlamaModel.open(file, LoadOptions.defaults().withWeights(Weights.DEQUANTIZED))) {
            assertEquals(List.of("Q4_0", "Q4_1", "Q5_0", "Q5_1", "Q8_0", "Q4_K", "Q5_K", "Q6_K"), kept.quantizedTypes());
            assertTrue(kept.weightBytes() <= Files.size(file), kept.weightBytes() + " bytes");
            assertEquals(LlamaTensors.parameterCount(whole.config()) * 2, whole.weightBytes());
            String message = assertThrows(IllegalStateException.class, () -> kept.requireFullWeights("saved")).getMessage();
            assertTrue(message.contains("as Q4_0, Q4_1, Q5_0, Q5_1, Q8_0, Q4_K, Q5_K, Q6_K, rounded, and cannot be saved: load it without withQuantization, a GGUF file with withWeights(Weights.DEQUANTIZED)"), message);
        }
    }

    @Test
    void aSplitModelIsTheSameModel() throws IOException {
        try (LlamaModel whole = LlamaModel.open(DATA.resolve("llama2-gqa-q4.gguf")); LlamaModel split = LlamaModel.open(DATA.resolve("llama2-gqa-q4-00001-of-00003.gguf"))) {
            assertArrayEquals(whole.logits(5, 6, 7), split.logits(5, 6, 7));
        }
    }

    private static Tolerance tolerance(NDArray ids, LlamaModel model) {
        return Tolerance.of(model.config(), (int) ids.getShape().get(1), model.precision());
    }

    @Test
    void theDivisorsOfPublishedModelsGiveTheirScalingBack() {
        for (double[] published : new double[][] {{8, 128}, {32, 64}, {8, 64}}) {
            RopeScaling.Llama3 scaling = new RopeScaling.Llama3(published[0], 1, 4, 8192);
            int headDim = (int) published[1];
            double[] plain = RopeScaling.none().inverseFrequencies(headDim, 500_000, 131_072, 1);
            double[] scaled = scaling.inverseFrequencies(headDim, 500_000, 131_072, 1);
            double[] divisors = new double[plain.length];
            for (int i = 0; i < divisors.length; i++) {
                divisors[i] = (float) (plain[i] / scaled[i]);
            }
            RopeScaling.Llama3 found = Llama3Divisors.fit(divisors, headDim, 500_000);
            assertEquals(scaling.factor(), found.factor(), 1e-5);
            assertEquals(scaling.lowFreqFactor(), found.lowFreqFactor(), 1e-3);
            assertEquals(scaling.highFreqFactor(), found.highFreqFactor(), 1e-3);
        }
    }

    @Test
    void aFileThatHoldsNoModelSaysSo() {
        String message = assertThrows(ModelFormatException.class, () -> LlamaModel.open(DATA.resolve("spm.gguf"))).getMessage();
        assertTrue(message.contains("spm.gguf") && message.contains("'llama.embedding_length'"), message);
    }
}
