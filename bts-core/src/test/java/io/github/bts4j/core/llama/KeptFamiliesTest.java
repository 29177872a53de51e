package io.github.bts4j.core.llama;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.github.bts4j.core.DecodeSession;
import io.github.bts4j.core.golden.GoldenCase;
import io.github.bts4j.core.golden.GreedyTokens;
import io.github.bts4j.core.golden.Tolerance;
import io.github.bts4j.core.llama.family.Family;
import io.github.bts4j.core.torch.TensorFiles;
import io.github.bts4j.core.torch.Torch;
import io.github.bts4j.core.torch.llama.LlamaModel;
import io.github.bts4j.core.torch.llama.LoadOptions;
import io.github.bts4j.core.torch.llama.Weights;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Quantised GGUF files of every family, with their weights as they are stored, against transformers with the same values (src-test-data/tools/kept_families_golden.py). */
class KeptFamiliesTest {
    private static final Path DATA = Path.of(System.getProperty("bts4j.testData"), "gguf");
    private static final String KEPT = "-kept.gguf";
    private static final String K_QUANTS = "-k.gguf";
    private static final LoadOptions FLOAT32 = LoadOptions.defaults().withPrecision(Precision.FLOAT32);

    static List<Path> files() throws IOException {
        try (Stream<Path> files = Files.list(DATA)) {
            return files.filter(file -> file.toString().endsWith(KEPT) || file.toString().endsWith(K_QUANTS)).sorted().toList();
        }
    }

    private static Map<String, NDArray> golden(NDManager manager, Path file) throws IOException {
        return TensorFiles.read(manager, Path.of(file.toString().replace(".gguf", ".golden.safetensors")));
    }

    private static int[] ids(NDArray tensor) {
        return Arrays.stream(tensor.toLongArray()).mapToInt(Math::toIntExact).toArray();
    }

    private static Tolerance tolerance(NDArray ids, LlamaModel model) {
        return Tolerance.of(model.config(), (int) ids.getShape().get(1), model.precision());
    }

    @Test
    void everyFamilyButLlamaIsHere() throws IOException {
        Set<Family> found = EnumSet.noneOf(Family.class);
        for (Path file : files()) {
            Family family = LlamaConfig.read(file).traits().family();
            found.add(family == Family.LLAMA ? Family.MISTRAL : family); // a Mistral's architecture in GGUF is llama
        }
        assertEquals(EnumSet.complementOf(EnumSet.of(Family.LLAMA)), found);
        List<String> names = files().stream().map(file -> file.getFileName().toString()).filter(name -> name.endsWith(K_QUANTS)).toList();
        assertEquals(List.of("gemma3-k.gguf", "olmo2-k.gguf", "phi3-k.gguf", "qwen2-k.gguf", "qwen3-k.gguf"), names);
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("files")
    void logitsAreThoseOfTransformersKeptAndDequantised(Path file) throws IOException {
        try (NDManager manager = Torch.manager().newSubManager(); LlamaModel kept = LlamaModel.open(file, FLOAT32); LlamaModel half = LlamaModel.open(file);
                LlamaModel whole = LlamaModel.open(file, FLOAT32.withWeights(Weights.DEQUANTIZED))) {
            boolean blocksOf256 = file.toString().endsWith(K_QUANTS); // beside them IQ4_NL, which is dequantised
            assertEquals(blocksOf256 ? Set.of("Q4_K", "Q5_K", "Q6_K") : Set.of("Q4_0", "Q4_1", "Q5_0", "Q5_1", "Q8_0"), Set.copyOf(kept.quantizedTypes()));
            assertTrue(blocksOf256 || kept.weightBytes() <= Files.size(file), kept.weightBytes() + " bytes");
            Map<String, NDArray> golden = golden(manager, file);
            NDArray ids = golden.get("input_ids");
            float[] expected = golden.get("logits").toFloatArray();
            float[] logits = kept.forward(ids).toFloatArray();
            tolerance(ids, kept).assertClose("logits", expected, logits);
            tolerance(ids, kept).assertClose("dequantised", whole.forward(ids).toFloatArray(), logits);
            assertTrue(GoldenCase.relativeError(expected, half.forward(ids).toFloatArray()) < tolerance(ids, half).ofNorm());
        }
    }

    /** A prompt, and then one token at a time beside another session: the row engine where it is available, and libtorch otherwise. */
    @ParameterizedTest(name = "{0}")
    @MethodSource("files")
    void decodesAsTransformersComputes(Path file) throws IOException {
        try (NDManager manager = Torch.manager().newSubManager(); LlamaModel model = LlamaModel.open(file, FLOAT32)) {
            Map<String, NDArray> golden = golden(manager, file);
            int[] ids = ids(golden.get("input_ids"));
            int length = ids.length / 2;
            float[] expected = golden.get("logits").toFloatArray();
            double tolerance = tolerance(golden.get("input_ids"), model).of(expected);
            int vocab = model.vocabSize();
            try (DecodeSession session = model.newSession(length); DecodeSession other = model.newSession(length)) {
                session.append(Arrays.copyOf(ids, 5));
                other.append(Arrays.copyOfRange(ids, length, length + 5));
                for (int t = 5; t < length; t++) {
                    float[][] logits = model.appendEach(List.of(session, other), new int[] {ids[t], ids[length + t]});
                    GoldenCase.assertClose("at " + t, Arrays.copyOfRange(expected, t * vocab, (t + 1) * vocab), logits[0], tolerance);
                    GoldenCase.assertClose("other, at " + t, Arrays.copyOfRange(expected, (length + t) * vocab, (length + t + 1) * vocab), logits[1], tolerance);
                }
            }
            int[] greedy = ids(golden.get("greedy"));
            assertArrayEquals(greedy, GreedyTokens.after(model, Arrays.copyOf(greedy, 6), greedy.length));
        }
    }
}
