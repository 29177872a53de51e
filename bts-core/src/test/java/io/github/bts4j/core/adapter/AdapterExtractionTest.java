package io.github.bts4j.core.adapter;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.github.bts4j.core.golden.GoldenCase;
import io.github.bts4j.core.torch.TensorFiles;
import io.github.bts4j.core.torch.Tensors;
import io.github.bts4j.core.torch.Torch;
import io.github.bts4j.core.torch.llama.AdaptedLlama;
import io.github.bts4j.core.torch.llama.LlamaModel;
import io.github.bts4j.core.torch.llama.LoadOptions;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Adapters out of full models, on models whose difference from the base is known: PEFT's adapters, merged. */
class AdapterExtractionTest {
    private static final Path BASE = AdapterFolders.ROOT.resolve("base");

    @TempDir
    private Path folder;

    private static double largest(AdapterExtraction extraction) {
        return extraction.parts().stream().mapToDouble(AdapterExtraction.Part::error).max().orElseThrow();
    }

    /** A difference of rank 5 at most needs no more; of rank 4 and with a table and a head of its own, these too. */
    @ParameterizedTest
    @CsvSource({"patterns, 5, false", "patterns, 64, false", "saved, 4, true", "norms, 2, true"})
    void whatHasTheRankIsKept(String name, int rank, boolean whole) throws IOException {
        Path adapter = AdapterFolders.ROOT.resolve(name);
        try (NDManager scope = Torch.manager().newSubManager(); LlamaModel base = LlamaModel.open(BASE); LlamaModel expert = AdaptedLlama.merged(BASE, adapter, LoadOptions.defaults())) {
            AdapterExtraction extraction = AdapterExtraction.of(scope, expert.tensors(), base.tensors(), rank, whole);
            assertTrue(largest(extraction) < 1e-5, extraction.parts().toString());
            AdapterWriter.write(folder, extraction.config(), extraction.modules(), extraction.whole());
            try (LlamaModel again = AdaptedLlama.merged(BASE, folder, LoadOptions.defaults())) {
                Map<String, NDArray> golden = TensorFiles.read(scope, adapter.resolve("golden.safetensors"));
                GoldenCase.assertClose(name, Tensors.toFloats(golden.get("logits")), again.forward(golden.get("input_ids")).toFloatArray(), 1e-4);
            }
        }
    }

    /** Singular values from numpy (src-test-data/tools/svd_golden.py): small matrices lose what is least possible, wide ones hardly more, and the error is what the matrices themselves give. */
    @Test
    void errorsAreThoseOfTheBestApproximations() throws IOException {
        try (InputStream in = AdapterExtractionTest.class.getResourceAsStream("svd.json"); NDManager scope = Torch.manager().newSubManager()) {
            for (JsonNode golden : new ObjectMapper().readTree(in).get("cases")) {
                try (NDManager own = scope.newSubManager()) {
                    extract(own, golden);
                }
            }
        }
    }

    private static void extract(NDManager scope, JsonNode golden) {
        int rows = golden.get("rows").asInt();
        int columns = golden.get("columns").asInt();
        float[] base = new float[rows * columns];
        float[] model = new float[rows * columns];
        double[] difference = new double[rows * columns];
        double norm = 0;
        for (int at = 0; at < base.length; at++) {
            int i = at / columns;
            int j = at % columns;
            double waves = Math.sin(12.9898 * (i + 1) + 78.233 * (j + 1)) * 4375.85453;
            difference[at] = golden.get("matrix").asText().equals("flat") ? waves - (long) waves : 1 / (1 + Math.abs(i - 0.4 * j));
            base[at] = 0.25f;
            model[at] = (float) (base[at] + difference[at]);
            norm += difference[at] * difference[at];
        }
        String module = "model.layers.0.mlp.up_proj";
        AdapterExtraction found = AdapterExtraction.of(scope, Map.of(module + ".weight", Tensors.of(scope, model, rows, columns)), Map.of(module + ".weight", Tensors.of(scope, base, rows, columns)),
                golden.get("rank").asInt(), false);
        double error = found.parts().get(0).error();
        double best = golden.get("error").asDouble();
        double allowed = Math.min(rows, columns) <= 512 ? 1e-4 : 0.01; // of which most falls on matrices without large singular values
        assertTrue(error > best - 1e-4 && error < best * (1 + allowed) + 1e-5, golden + ": " + error);
        LowRank<NDArray> part = found.modules().get(module);
        float[] a = Tensors.toFloats(part.a());
        float[] b = Tensors.toFloats(part.b());
        int rank = (int) part.a().getShape().get(0);
        double left = 0;
        for (int at = 0; at < difference.length; at++) {
            double value = difference[at];
            for (int r = 0; r < rank; r++) {
                value -= (double) b[at / columns * rank + r] * a[r * columns + at % columns];
            }
            left += value * value;
        }
        assertEquals(Math.sqrt(left / norm), error, 1e-5, golden.toString());
    }

    @Test
    void whatIsLostIsTold() throws IOException {
        try (NDManager scope = Torch.manager().newSubManager(); LlamaModel base = LlamaModel.open(BASE);
                LlamaModel expert = AdaptedLlama.merged(BASE, AdapterFolders.ROOT.resolve("saved"), LoadOptions.defaults())) {
            double before = 2;
            for (int rank = 1; rank <= 3; rank++) {
                AdapterExtraction extraction = AdapterExtraction.of(scope, expert.tensors(), base.tensors(), rank, false);
                double error = extraction.parts().stream().filter(part -> part.tensor().endsWith("0.self_attn.q_proj.weight")).findFirst().orElseThrow().error();
                assertTrue(error > 1e-3 && error < before, "rank " + rank + ": " + error + ", before " + before);
                before = error;
                assertEquals(2, extraction.parts().stream().filter(part -> part.error() == 1).count()); // the table and the head
            }
            assertThrows(IllegalArgumentException.class, () -> AdapterExtraction.of(scope, base.tensors(), base.tensors(), 1, false));
        }
        try (NDManager scope = Torch.manager().newSubManager(); LlamaModel base = LlamaModel.open(BASE); LlamaModel tied = LlamaModel.open(AdapterFolders.ROOT.resolve("base-tied"))) {
            assertTrue(assertThrows(IllegalArgumentException.class, () -> AdapterExtraction.of(scope, tied.tensors(), base.tensors(), 1, false)).getMessage().startsWith("tensor 'lm_head.weight' is not in the model"));
        }
    }
}
