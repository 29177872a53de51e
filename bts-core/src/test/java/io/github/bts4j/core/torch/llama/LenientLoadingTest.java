package io.github.bts4j.core.torch.llama;

import static org.junit.jupiter.api.Assertions.assertEquals;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.github.bts4j.core.DecodeSession;
import io.github.bts4j.core.golden.GoldenCase;
import io.github.bts4j.core.llama.Precision;
import io.github.bts4j.core.llama.rope.RopeScaling;
import io.github.bts4j.core.torch.TensorFiles;
import io.github.bts4j.core.torch.Torch;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Map;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Checkpoints that are written otherwise than most, against the logits of transformers ({@code src-test-data/tools/leniency_golden.py}). */
class LenientLoadingTest {
    private static final Path DATA = Path.of(System.getProperty("bts4j.testData"), "leniency");
    private static final LoadOptions FLOAT32 = LoadOptions.defaults().withPrecision(Precision.FLOAT32);
    private static final double TOLERANCE = 1e-4;

    @ParameterizedTest
    @CsvSource({"head-only, true", "other-head, false", "equal-head, true"})
    void theHeadOfATiedModelIsTheOneThatIsStored(String name, boolean tied, @TempDir Path saved) throws IOException {
        Path folder = DATA.resolve(name);
        try (LlamaModel model = LlamaModel.open(folder, FLOAT32)) {
            assertEquals(tied, model.config().tieWordEmbeddings());
            compare(model, folder.resolve("golden.safetensors"));
            model.save(saved.resolve("copy"));
        }
        try (LlamaModel copy = LlamaModel.open(saved.resolve("copy"), FLOAT32)) {
            assertEquals(tied, copy.config().tieWordEmbeddings());
            compare(copy, folder.resolve("golden.safetensors"));
        }
    }

    @ParameterizedTest
    @CsvSource({"rope-none, 1", "rope-untyped, 4"})
    void theFactorOfAGgufCountsUnlessItsTypeIsNone(String name, double factor) throws IOException {
        try (LlamaModel model = LlamaModel.open(DATA.resolve(name + ".gguf"), FLOAT32)) {
            assertEquals(factor == 1 ? RopeScaling.none() : new RopeScaling.Linear(factor), model.config().ropeScaling());
            compare(model, DATA.resolve(name + ".golden.safetensors"));
        }
    }

    private static void compare(LlamaModel model, Path golden) throws IOException {
        try (NDManager manager = Torch.manager().newSubManager()) {
            Map<String, NDArray> values = TensorFiles.read(manager, golden);
            float[] expected = values.get("logits").toFloatArray();
            GoldenCase.assertClose("logits", expected, model.forward(values.get("input_ids")).toFloatArray(), TOLERANCE);
            int[] ids = Arrays.stream(values.get("input_ids").toLongArray()).mapToInt(Math::toIntExact).toArray();
            try (DecodeSession session = model.newSession(ids.length)) {
                float[] last = session.append(ids);
                GoldenCase.assertClose("decoded", Arrays.copyOfRange(expected, expected.length - last.length, expected.length), last, TOLERANCE);
            }
        }
    }
}
