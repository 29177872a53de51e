package io.github.bts4j.stitch;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ai.djl.ndarray.NDArray;
import com.fasterxml.jackson.databind.JsonNode;
import io.github.bts4j.core.DecodeSession;
import io.github.bts4j.core.golden.GoldenCase;
import io.github.bts4j.core.golden.Tolerance;
import io.github.bts4j.core.torch.TensorFiles;
import io.github.bts4j.core.torch.llama.LlamaModel;
import io.github.bts4j.core.torch.llama.LoadOptions;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** The stitched model against the paper's appendix B on Hugging Face layers, on every case in {@code -Dbts4j.golden}. */
class StitchGoldenTest {
    static List<Path> cases() {
        return GoldenCase.stitched();
    }

    /** The model of a golden case, without dropout, with the case's stitch weights. */
    static StitchedModel open(GoldenCase golden) throws IOException {
        return open(golden, LoadOptions.defaults());
    }

    static StitchedModel open(GoldenCase golden, LoadOptions options) throws IOException {
        return open(golden, golden.folder(), options);
    }

    /** The same of models in another folder. */
    static StitchedModel open(GoldenCase golden, Path models, LoadOptions options) throws IOException {
        List<Integer> afterLayers = new ArrayList<>();
        golden.about().get("places").forEach(place -> afterLayers.add(place.asInt()));
        StitchedModelBuilder builder = StitchedModel.builder().config(StitchConfig.at(afterLayers).withDropout(0)).options(options);
        for (JsonNode name : golden.about().get("models")) {
            Path folder = models.resolve(name.asText());
            if (name.asText().equals("hub")) {
                builder.hub(folder);
            } else {
                builder.expert(name.asText(), folder);
            }
        }
        StitchedModel model = builder.open();
        model.setStitchTensors(TensorFiles.read(golden.manager(), golden.folder().resolve("stitch.safetensors")));
        return model;
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("cases")
    void gatesStatesLogitsAndLoss(Path folder) throws IOException {
        try (GoldenCase golden = new GoldenCase(folder); StitchedModel model = open(golden)) {
            NDArray ids = golden.tensor("input_ids");
            Tolerance tolerance = TinyModels.tolerance(model, (int) ids.getShape().get(1));
            tolerance.assertClose("logits", golden.floats("logits"), model.forward(ids).toFloatArray());
            int stitches = model.config().numStitches();
            List<GateTrace> traces = model.gates(ids, IntStream.range(0, stitches).toArray());
            assertEquals(stitches, traces.size());
            for (int j = 0; j < stitches; j++) {
                assertEquals(j, traces.get(j).stitch());
                GoldenCase.assertClose("gate." + j, golden.floats("gate." + j), traces.get(j).gate().toFloatArray(), tolerance.of(1)); // gates lie between 0 and 1
                for (int i = 0; i <= model.numExperts(); i++) {
                    tolerance.assertClose("stitched." + j + "." + i, golden.floats("stitched." + j + "." + i), traces.get(j).states().get(i).toFloatArray());
                }
            }
            double sum = 0;
            float[][] losses = model.tokenLosses(golden.ids("input_ids"));
            for (float[] row : losses) {
                for (float loss : row) {
                    sum += loss;
                }
            }
            assertEquals(golden.floats("loss")[0], sum / (losses.length * losses[0].length), tolerance.ofLosses(losses[0]));
        }
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("cases")
    void summariesAreMeansOverTheGoldenGates(Path folder) throws IOException {
        try (GoldenCase golden = new GoldenCase(folder); StitchedModel model = open(golden)) {
            int[][] rows = golden.ids("input_ids");
            List<GateSummary> summaries = GateSummary.of(model, List.of(rows));
            assertEquals(model.stitchLayers().stream().filter(StitchLayer::intoHub).count(), summaries.size());
            int models = model.numExperts() + 1;
            for (GateSummary summary : summaries) {
                float[] gates = golden.floats("gate." + summary.stitch()); // [batch, sequence, hidden, models]
                int tokens = rows.length * rows[0].length;
                int hidden = gates.length / tokens / models;
                double[] shares = new double[models];
                double entropy = 0;
                for (int token = 0; token < tokens; token++) {
                    for (int i = 0; i < models; i++) {
                        double share = 0;
                        for (int c = 0; c < hidden; c++) {
                            share += gates[(token * hidden + c) * models + i] / (double) hidden;
                        }
                        shares[i] += share / tokens;
                        entropy -= share * Math.log(share) / Math.log(2) / tokens;
                    }
                }
                assertEquals(tokens, summary.tokens());
                double tolerance = TinyModels.tolerance(model, rows[0].length).of(1); // gates lie between 0 and 1
                double slope = 0; // of the entropy: d(-p log2 p) = -(log2 p + log2 e) dp
                for (int i = 0; i < models; i++) {
                    assertEquals(shares[i], summary.shares().get(i), tolerance);
                    slope += Math.abs(Math.log(shares[i]) + 1) / Math.log(2);
                }
                assertEquals(entropy, summary.entropy(), tolerance * slope);
            }
            assertThrows(IllegalArgumentException.class, () -> GateSummary.of(model, List.of()));
        }
    }

    private static double norm(float[] states, int tokens) {
        double sum = 0;
        for (float state : states) {
            sum += Math.abs(state);
        }
        return sum / tokens;
    }

    /** A layer into the experts leaves the golden hub as it read it; the first one, of whatever kind, reads the hub as it is alone. */
    @ParameterizedTest(name = "{0}")
    @MethodSource("cases")
    void gateInputsAreNormsOfTheHubsStates(Path folder) throws IOException {
        try (GoldenCase golden = new GoldenCase(folder); StitchedModel model = open(golden); LlamaModel hub = LlamaModel.open(folder.resolve("hub"))) {
            List<int[]> rows = List.of(golden.ids("input_ids"));
            int tokens = rows.stream().mapToInt(row -> row.length).sum();
            List<GateInput> inputs = GateInput.of(model, rows);
            assertEquals(model.config().numStitches(), inputs.size());
            for (GateInput input : inputs) {
                if (!model.config().intoHub(input.stitch())) {
                    float[] states = golden.floats("stitched." + input.stitch() + ".0");
                    assertEquals(norm(states, tokens), input.norm(), TinyModels.tolerance(model, tokens).of(states) * states.length / tokens);
                }
            }
            assertThrows(IllegalArgumentException.class, () -> GateInput.of(model, List.of()));
            StitchConfig both = StitchConfig.at(List.of(1, hub.config().numLayers())).withAlternating(false);
            try (StitchedModel intoHub = StitchedModel.builder().config(both).hub(folder.resolve("hub")).expert("same", folder.resolve("hub")).open()) {
                float[] states = hub.hiddenStates(golden.tensor("input_ids")).get(1).toFloatArray();
                assertEquals(norm(states, tokens), GateInput.of(intoHub, rows).get(0).norm(), TinyModels.tolerance(intoHub, tokens).of(states) * states.length / tokens);
            }
        }
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("cases")
    void kindsAlternateAndEndInTheHub(Path folder) throws IOException {
        try (GoldenCase golden = new GoldenCase(folder); StitchedModel model = open(golden)) {
            List<String> expected = new ArrayList<>();
            golden.about().get("kinds").forEach(kind -> expected.add(kind.asText()));
            assertEquals(expected, TinyModels.kinds(model));
        }
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("cases")
    void gradientsOfEveryStitchTensor(Path folder) throws IOException {
        try (GoldenCase golden = new GoldenCase(folder); StitchedModel model = open(golden)) {
            int[][] tokens = golden.ids("input_ids");
            Map<String, NDArray> tensors = model.stitchTensors();
            tensors.values().forEach(tensor -> tensor.setRequiresGradient(true));
            float[] losses = model.accumulateGradients(tokens, 1f / (tokens.length * (tokens[0].length - 1)), 0);
            double sum = 0;
            for (float loss : losses) {
                sum += loss;
            }
            assertEquals(golden.floats("loss")[0], sum / losses.length, TinyModels.tolerance(model, tokens[0].length).ofLosses(losses));
            int compared = 0;
            for (Map.Entry<String, NDArray> tensor : tensors.entrySet()) {
                try (NDArray gradient = tensor.getValue().getGradient()) {
                    double error = GoldenCase.relativeError(golden.floats("grad." + tensor.getKey()), gradient.toFloatArray());
                    double allowed = TinyModels.tolerance(model, tokens[0].length).times(3).ofNorm(); // forward, and backward two products for each
                    assertTrue(error <= allowed, tensor.getKey() + ": relative error " + error + " above " + allowed);
                    compared++;
                }
            }
            assertEquals(model.config().numStitches() * (model.numExperts() + 1), compared);
        }
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("cases")
    void greedyTokensThroughTheCachesAfterTraining(Path folder) throws IOException {
        try (GoldenCase golden = new GoldenCase(folder); StitchedModel model = open(golden)) {
            Map<String, NDArray> trained = new java.util.HashMap<>();
            model.stitchTensors().keySet().forEach(name -> trained.put(name, golden.tensor("after." + name)));
            model.setStitchTensors(trained);
            int[] expected = golden.ids("greedy_after_ids")[0];
            int[] ids = Arrays.copyOf(expected, 8);
            try (DecodeSession session = model.newSession(expected.length)) {
                float[] logits = session.append(ids);
                while (ids.length < expected.length) {
                    int next = argMax(logits);
                    ids = Arrays.copyOf(ids, ids.length + 1);
                    ids[ids.length - 1] = next;
                    if (ids.length < expected.length) {
                        logits = session.append(next);
                    }
                }
            }
            assertArrayEquals(expected, ids);
        }
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("cases")
    void cachedDecodingEqualsTheFullForward(Path folder) throws IOException {
        try (GoldenCase golden = new GoldenCase(folder); StitchedModel model = open(golden)) {
            int[] ids = golden.ids("input_ids")[1];
            float[] logits = golden.floats("logits");
            double tolerance = TinyModels.tolerance(model, ids.length).of(logits);
            int vocab = model.vocabSize();
            try (DecodeSession session = model.newSession(ids.length)) {
                int at = 0;
                for (int piece : new int[] {11, 1, 1, 14, 1, 19, 1}) {
                    float[] last = session.append(Arrays.copyOfRange(ids, at, at + piece));
                    at += piece;
                    int row = ids.length + at - 1; // the second sequence of the batch
                    GoldenCase.assertClose("after " + at, Arrays.copyOfRange(logits, row * vocab, (row + 1) * vocab), last, tolerance);
                }
                assertEquals(ids.length, at);
            }
        }
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("cases")
    void changingATokenChangesNothingBeforeIt(Path folder) throws IOException {
        try (GoldenCase golden = new GoldenCase(folder); StitchedModel model = open(golden)) {
            int[][] tokens = {golden.ids("input_ids")[0]};
            int length = tokens[0].length;
            float[] before = logits(model, tokens);
            for (int t : new int[] {1, length / 2, length - 1}) {
                int[][] changed = {tokens[0].clone()};
                changed[0][t] = (changed[0][t] + 1) % model.vocabSize();
                float[] after = logits(model, changed);
                int prefix = t * model.vocabSize();
                assertArrayEquals(Arrays.copyOf(before, prefix), Arrays.copyOf(after, prefix), "before token " + t);
                assertFalse(Arrays.equals(Arrays.copyOfRange(before, prefix, before.length),
                        Arrays.copyOfRange(after, prefix, after.length)), "token " + t + " changes nothing at all");
            }
        }
    }

    static float[] logits(io.github.bts4j.core.torch.FrozenLm model, int[][] tokens) {
        try (NDArray ids = io.github.bts4j.core.TokenBatch.tensor(model.getNDManager(), tokens, 0, tokens[0].length, model.vocabSize());
                NDArray logits = model.forward(ids)) {
            return logits.toFloatArray();
        }
    }

    static int argMax(float[] logits) {
        int best = 0;
        for (int i = 1; i < logits.length; i++) {
            best = logits[i] > logits[best] ? i : best;
        }
        return best;
    }
}
