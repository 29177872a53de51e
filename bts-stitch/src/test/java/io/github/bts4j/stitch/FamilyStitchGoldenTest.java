package io.github.bts4j.stitch;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ai.djl.ndarray.NDArray;
import io.github.bts4j.core.DecodeSession;
import io.github.bts4j.core.golden.GoldenCase;
import io.github.bts4j.core.golden.Tolerance;
import io.github.bts4j.core.llama.Precision;
import io.github.bts4j.core.torch.TensorFiles;
import io.github.bts4j.core.torch.llama.LoadOptions;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Stitched models of every family, with a sibling or with a model of another family, against the paper's appendix B on Hugging Face layers (src-test-data/families/generate.py). */
class FamilyStitchGoldenTest {
    private static final Path DATA = Path.of(System.getProperty("bts4j.testData"), "families");

    static List<Path> cases() throws IOException {
        try (Stream<Path> folders = Files.list(DATA)) {
            return folders.filter(folder -> Files.exists(folder.resolve("stitch.safetensors"))).sorted().toList();
        }
    }

    /** Where the frequencies follow the length, the keys in a cache are those of the length that they were made at. */
    static List<Path> fixedFrequencies() throws IOException {
        return cases().stream().filter(folder -> !GoldenCase.dependsOnLength(folder.resolve("expert"))).toList();
    }

    private static StitchedModel open(GoldenCase golden) throws IOException {
        List<Integer> places = new ArrayList<>();
        golden.about().get("places").forEach(place -> places.add(place.asInt()));
        StitchedModel model = StitchedModel.builder().config(StitchConfig.at(places).withDropout(0)).options(LoadOptions.defaults().withPrecision(Precision.FLOAT32))
                .hub(DATA.resolve(golden.about().get("hub").asText())).expert("expert", golden.folder().resolve("expert")).open();
        model.setStitchTensors(TensorFiles.read(golden.manager(), golden.folder().resolve("stitch.safetensors")));
        return model;
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("cases")
    void logitsLossAndGradientsThroughFrozenLayers(Path folder) throws IOException {
        try (GoldenCase golden = new GoldenCase(folder); StitchedModel model = open(golden)) {
            int[][] tokens = golden.ids("input_ids");
            Tolerance tolerance = TinyModels.tolerance(model, tokens[0].length);
            tolerance.assertClose("logits", golden.floats("logits"), model.forward(golden.tensor("input_ids")).toFloatArray());
            Map<String, NDArray> tensors = model.stitchTensors();
            tensors.values().forEach(tensor -> tensor.setRequiresGradient(true));
            float[] losses = model.accumulateGradients(tokens, 1f / (tokens.length * (tokens[0].length - 1)), 0);
            double sum = 0;
            for (float loss : losses) {
                sum += loss;
            }
            assertEquals(golden.floats("loss")[0], sum / losses.length, tolerance.ofLosses(losses));
            for (Map.Entry<String, NDArray> tensor : tensors.entrySet()) {
                try (NDArray gradient = tensor.getValue().getGradient()) {
                    double error = GoldenCase.relativeError(golden.floats("grad." + tensor.getKey()), gradient.toFloatArray());
                    double allowed = tolerance.times(3).ofNorm(); // forward, and backward two products for each
                    assertTrue(error <= allowed, tensor.getKey() + ": relative error " + error + " above " + allowed);
                }
            }
        }
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("fixedFrequencies")
    void greedyTokensThroughTheCaches(Path folder) throws IOException {
        try (GoldenCase golden = new GoldenCase(folder); StitchedModel model = open(golden)) {
            int[] expected = golden.ids("greedy_ids")[0];
            int[] ids = Arrays.copyOf(expected, 6);
            try (DecodeSession session = model.newSession(expected.length)) {
                float[] logits = session.append(ids);
                while (ids.length < expected.length) {
                    int next = StitchGoldenTest.argMax(logits);
                    ids = Arrays.copyOf(ids, ids.length + 1);
                    ids[ids.length - 1] = next;
                    logits = ids.length < expected.length ? session.append(next) : logits;
                }
            }
            assertArrayEquals(expected, ids);
        }
    }
}
