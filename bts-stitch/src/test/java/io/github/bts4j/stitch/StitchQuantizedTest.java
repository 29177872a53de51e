package io.github.bts4j.stitch;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.github.bts4j.core.DecodeSession;
import io.github.bts4j.core.golden.GoldenCase;
import io.github.bts4j.core.golden.Tolerance;
import io.github.bts4j.core.llama.Precision;
import io.github.bts4j.core.torch.TensorFiles;
import io.github.bts4j.core.torch.Torch;
import io.github.bts4j.core.torch.llama.LlamaModel;
import io.github.bts4j.core.torch.llama.LoadOptions;
import io.github.bts4j.core.torch.llama.Weights;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** Stitch layers on a hub and an expert whose weights stay as a GGUF file quantises them, against those on the dequantised weights. */
class StitchQuantizedTest {
    private static final Path FILE = Path.of(System.getProperty("bts4j.testData"), "gguf", "kept.gguf");

    private static StitchedModel open(Weights weights) throws IOException {
        return TinyModels.disturbed(StitchedModel.builder().config(StitchConfig.evenly(2, 2).withDropout(0)).options(LoadOptions.defaults().withPrecision(Precision.FLOAT32).withWeights(weights))
                .hub(FILE).expert("expert", FILE).open(), 7);
    }

    private static int[][] tokens() throws IOException {
        try (NDManager manager = Torch.manager().newSubManager()) {
            NDArray ids = TensorFiles.read(manager, FILE.resolveSibling("kept.golden.safetensors")).get("input_ids");
            int length = (int) ids.getShape().get(1);
            int[] all = Arrays.stream(ids.toLongArray()).mapToInt(id -> (int) id).toArray();
            return new int[][] {Arrays.copyOf(all, length), Arrays.copyOfRange(all, length, 2 * length)};
        }
    }

    @Test
    void gradientsThroughFrozenBlocks() throws IOException {
        int[][] tokens = tokens();
        try (StitchedModel kept = open(Weights.AS_STORED); StitchedModel whole = open(Weights.DEQUANTIZED)) {
            assertTrue(kept.models().stream().allMatch(LlamaModel::isQuantized));
            Map<String, String> before = TinyModels.hashes(kept);
            Tolerance tolerance = TinyModels.tolerance(kept, tokens[0].length);
            Map<String, float[]> expected = TinyModels.gradients(whole, tokens);
            TinyModels.gradients(kept, tokens).forEach((name, gradient) -> tolerance.assertClose(name, expected.get(name), gradient));
            assertEquals(before, TinyModels.hashes(kept));
        }
    }

    @Test
    void decodesAsTheFullForward() throws IOException {
        int[] tokens = tokens()[0];
        try (StitchedModel kept = open(Weights.AS_STORED); StitchedModel whole = open(Weights.DEQUANTIZED)) {
            float[][] expected = whole.logits(tokens);
            Tolerance tolerance = TinyModels.tolerance(kept, tokens.length);
            float[][] all = kept.logits(tokens);
            try (DecodeSession session = kept.newSession(tokens.length)) {
                session.append(Arrays.copyOf(tokens, 4));
                for (int t = 4; t < tokens.length; t++) {
                    tolerance.assertClose("all, " + t, expected[t], all[t]);
                    GoldenCase.assertClose("at " + t, expected[t], session.append(tokens[t]), tolerance.of(expected[t]));
                }
            }
        }
    }
}
