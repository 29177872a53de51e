package io.github.bts4j.stitch.baseline;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.github.bts4j.core.checkpoint.TensorFiles;
import io.github.bts4j.core.llama.LlamaModel;
import io.github.bts4j.core.torch.Tensors;
import io.github.bts4j.core.torch.Torch;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Merges against PyTorch's (src-test-data/tools/merge_golden.py). */
class ModelMergeTest {
    private static final String Q = "model.layers.0.self_attn.q_proj.weight";

    @TempDir
    private static Path folder;

    private static final Map<String, float[]> GOLDEN = new HashMap<>();
    private static LlamaModel hub;
    private static LlamaModel code;
    private static LlamaModel math;

    @BeforeAll
    static void open() throws IOException {
        Path root = Path.of(System.getProperty("bts4j.testData"), "golden").resolve("bts-3x4");
        hub = LlamaModel.open(root.resolve("hub"));
        code = LlamaModel.open(root.resolve("code"));
        math = LlamaModel.open(root.resolve("math"));
        Path file = folder.resolve("merge.safetensors");
        try (InputStream in = ModelMergeTest.class.getResourceAsStream("merge.safetensors")) {
            Files.copy(in, file);
        }
        try (NDManager scope = Torch.manager().newSubManager()) {
            for (Map.Entry<String, NDArray> tensor : TensorFiles.read(scope, file).entrySet()) {
                GOLDEN.put(tensor.getKey(), Tensors.toFloats(tensor.getValue()));
            }
        }
    }

    @AfterAll
    static void close() {
        List.of(hub, code, math).forEach(LlamaModel::close);
    }

    private static void compare(String method, LlamaModel merged) {
        try (merged) {
            int compared = 0;
            for (Map.Entry<String, float[]> golden : GOLDEN.entrySet()) {
                if (golden.getKey().startsWith(method + ".model.")) {
                    float[] found = Tensors.toFloats(merged.tensors().get(golden.getKey().substring(method.length() + 1)));
                    assertArrayEquals(golden.getValue(), found, 2e-6f, golden.getKey());
                    compared++;
                }
            }
            assertEquals(3, compared);
            assertEquals(hub.vocabSize(), merged.vocabSize());
        }
    }

    @Test
    void asPyTorchComputesThem() {
        compare("linear", ModelMerge.linear(List.of(hub, code, math), 0.5, 0.3, 0.4));
        compare("task_arithmetic", ModelMerge.taskArithmetic(hub, List.of(code, math), 0.7, 0.4));
        compare("ties.0.3", ModelMerge.ties(hub, List.of(code, math), 0.3, 0.7, 0.4));
        compare("ties.1.0", ModelMerge.ties(hub, List.of(code, math), 1, 0.7, 0.4));
        compare("slerp", ModelMerge.slerp(hub, code, 0.3));
        // with everything kept there is nothing to draw
        compare("task_arithmetic", ModelMerge.dareLinear(hub, List.of(code, math), 1, 5, 0.7, 0.4));
    }

    @Test
    void equalWeightsAreTheSoup() {
        try (LlamaModel soup = ModelSoup.average(List.of(hub, code, math)); LlamaModel linear = ModelMerge.linear(List.of(hub, code, math), 1, 1, 1)) {
            soup.tensors().forEach((name, tensor) -> assertArrayEquals(Tensors.toFloats(tensor), Tensors.toFloats(linear.tensors().get(name)), 1e-6f, name));
        }
    }

    /** One model: what is left of its differences can be read off the result. */
    @Test
    void dareDropsAtRandomAndKeepsTheSum() {
        float[] base = Tensors.toFloats(hub.tensors().get(Q));
        float[] other = Tensors.toFloats(code.tensors().get(Q));
        float[] found = dare(3);
        double before = 0;
        double after = 0;
        int kept = 0;
        double scale = Double.NaN;
        for (int i = 0; i < base.length; i++) {
            before += Math.abs(other[i] - base[i]);
            after += Math.abs(found[i] - base[i]);
            if (Math.abs(found[i] - base[i]) > 1e-6) {
                kept++;
                if (Math.abs(other[i] - base[i]) > 0.05) {
                    double ratio = (found[i] - base[i]) / (other[i] - base[i]);
                    assertEquals(Double.isNaN(scale) ? ratio : scale, ratio, 1e-4, "one factor for all that are kept");
                    scale = ratio;
                }
            }
        }
        assertEquals(before, after, 1e-3 * before);
        assertEquals(0.25, kept / (double) base.length, 0.05);
        assertEquals(4, scale, 0.6, "about one over the density");
        assertArrayEquals(found, dare(3));
        assertFalse(Arrays.equals(found, dare(4)));
        try (LlamaModel ties = ModelMerge.dareTies(hub, List.of(code), 0.25, 3, 1)) {
            assertArrayEquals(found, Tensors.toFloats(ties.tensors().get(Q)), 1e-6f, "one model agrees with itself");
        }
    }

    private static float[] dare(long seed) {
        try (LlamaModel merged = ModelMerge.dareLinear(hub, List.of(code), 0.25, seed, 1)) {
            return Tensors.toFloats(merged.tensors().get(Q));
        }
    }

    @Test
    void theEndsOfSlerpAreTheModels() {
        try (LlamaModel first = ModelMerge.slerp(hub, code, 0); LlamaModel second = ModelMerge.slerp(hub, code, 1)) {
            assertArrayEquals(Tensors.toFloats(hub.tensors().get(Q)), Tensors.toFloats(first.tensors().get(Q)), 1e-6f);
            assertArrayEquals(Tensors.toFloats(code.tensors().get(Q)), Tensors.toFloats(second.tensors().get(Q)), 1e-6f);
        }
    }

    @Test
    void whatDoesNotFitIsRefused() {
        assertRefused("2 models and 1 weights", () -> ModelMerge.linear(List.of(hub, code), 1));
        assertRefused("sum to 0.0", () -> ModelMerge.linear(List.of(hub, code), 1, -1));
        assertRefused("density = 0.0", () -> ModelMerge.ties(hub, List.of(code), 0, 1));
        assertRefused("keeps nothing", () -> ModelMerge.ties(hub, List.of(code), 1e-9, 1));
        assertRefused("t = 2.0", () -> ModelMerge.slerp(hub, code, 2));
        assertRefused("not finite", () -> ModelMerge.taskArithmetic(hub, List.of(code), Double.NaN));
    }

    private static void assertRefused(String message, org.junit.jupiter.api.function.Executable call) {
        String found = assertThrows(IllegalArgumentException.class, call).getMessage();
        assertTrue(found.contains(message), found);
    }
}
