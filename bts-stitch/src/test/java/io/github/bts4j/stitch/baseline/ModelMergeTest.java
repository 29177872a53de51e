package io.github.bts4j.stitch.baseline;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.github.bts4j.core.golden.GoldenCase;
import io.github.bts4j.core.golden.Tolerance;
import io.github.bts4j.core.torch.TensorFiles;
import io.github.bts4j.core.torch.Tensors;
import io.github.bts4j.core.torch.Torch;
import io.github.bts4j.core.torch.llama.LlamaModel;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Merges against PyTorch's (src-test-data/tools/merge_golden.py). */
class ModelMergeTest {
    private static final int ROUNDINGS = 16; // of an element: a difference, a product and a sum for each of three models, signs and counts, factors, the last sum
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

    /** Two ways to the same merge. */
    private static void close(String what, float[] expected, float[] found) {
        GoldenCase.assertClose(what, expected, found, Tolerance.ofSums(0, ROUNDINGS).of(expected));
    }

    private static void compare(String method, LlamaModel merged) {
        try (merged) {
            int compared = 0;
            for (Map.Entry<String, float[]> golden : GOLDEN.entrySet()) {
                if (golden.getKey().startsWith(method + ".model.")) {
                    float[] found = Tensors.toFloats(merged.tensors().get(golden.getKey().substring(method.length() + 1)));
                    int terms = method.equals("slerp") ? 3 * found.length : 0; // the angle: two norms and a product of whole tensors
                    GoldenCase.assertClose(golden.getKey(), golden.getValue(), found, Tolerance.ofSums(terms, ROUNDINGS).of(golden.getValue()));
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
            soup.tensors().forEach((name, tensor) -> close(name, Tensors.toFloats(tensor), Tensors.toFloats(linear.tensors().get(name))));
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
        double largest = Math.max(IntStream.range(0, found.length).mapToDouble(i -> Math.abs(found[i])).max().orElseThrow(), 1);
        for (int i = 0; i < base.length; i++) {
            before += Math.abs(other[i] - base[i]);
            after += Math.abs(found[i] - base[i]);
            if (Math.abs(found[i] - base[i]) > 1e-6) {
                kept++;
                if (Math.abs(other[i] - base[i]) > 0.05) {
                    double ratio = (found[i] - base[i]) / (other[i] - base[i]);
                    assertEquals(Double.isNaN(scale) ? ratio : scale, ratio, ROUNDINGS * Tolerance.FLOAT32 * largest / 0.05, "one factor for all that are kept");
                    scale = ratio;
                }
            }
        }
        assertEquals(before, after, Tolerance.ofSum(Tolerance.FLOAT32, base.length, before, 0) + 4 * Tolerance.FLOAT32 * largest * base.length, "a factor from a sum, and values that are rounded");
        assertEquals(0.25, kept / (double) base.length, 5 * Math.sqrt(0.25 * 0.75 / base.length), "five standard deviations");
        assertEquals(4, scale, 0.6, "about one over the density");
        assertArrayEquals(found, dare(3));
        assertFalse(Arrays.equals(found, dare(4)));
        try (LlamaModel ties = ModelMerge.dareTies(hub, List.of(code), 0.25, 3, 1)) {
            close("one model agrees with itself", found, Tensors.toFloats(ties.tensors().get(Q)));
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
            close("0", Tensors.toFloats(hub.tensors().get(Q)), Tensors.toFloats(first.tensors().get(Q)));
            close("1", Tensors.toFloats(code.tensors().get(Q)), Tensors.toFloats(second.tensors().get(Q)));
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
