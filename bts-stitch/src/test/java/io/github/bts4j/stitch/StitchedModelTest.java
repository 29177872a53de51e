package io.github.bts4j.stitch;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.github.bts4j.core.golden.GoldenCase;
import io.github.bts4j.core.golden.Tolerance;
import io.github.bts4j.core.torch.Tensors;
import io.github.bts4j.core.torch.Torch;
import io.github.bts4j.core.torch.llama.LlamaModel;
import io.github.bts4j.core.torch.llama.LoadOptions;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** How stitched models start, and what holds for any weights. */
class StitchedModelTest {
    private static final String CASE = "bts-3x4";
    private static final int VOCAB = 160;
    private static final int HIDDEN = 48;
    private static final int[][] TOKENS = TinyModels.tokens(7, 2, 24, VOCAB);

    @Test
    void theAverageStartIsUniformGatesAndIdentityProjections() throws IOException {
        try (StitchedModel model = TinyModels.open(CASE, StitchConfig.evenly(4, 2), "hub", "code", "math");
                NDManager scope = Torch.manager().newSubManager()) {
            assertEquals(List.of("HubIntoExperts", "ExpertsIntoHub"), TinyModels.kinds(model));
            List<GateTrace> traces = model.gates(TinyModels.ids(scope, TOKENS, VOCAB), 0, 1);
            for (float gate : traces.get(0).gate().toFloatArray()) {
                assertEquals(0.5f, gate);
            }
            for (float gate : traces.get(1).gate().toFloatArray()) {
                assertEquals(1f / 3, gate, 3 * Tolerance.FLOAT32); // three roundings of a softmax
            }
            float[] identity = new float[HIDDEN * HIDDEN];
            for (int i = 0; i < HIDDEN; i++) {
                identity[i * HIDDEN + i] = 1;
            }
            for (StitchLayer layer : model.stitchLayers()) {
                assertEquals(2, layer.projections().size());
                assertTrue(layer.gateBias().isEmpty());
                layer.projections().forEach(projection -> assertArrayEquals(identity, projection.toFloatArray()));
            }
        }
    }

    /** K = 1 over the first three layers: what the fourth layer of the whole models gets as input is known from hiddenStates. */
    @Test
    void withOneStitchTheAverageStartIsTheAverageOfTheStreams(@TempDir Path folder) throws IOException {
        String[] names = {"hub", "code", "math"};
        double[] average = new double[TOKENS.length * TOKENS[0].length * HIDDEN];
        try (NDManager scope = Torch.manager().newSubManager()) {
            for (String name : names) {
                TinyModels.cut(TinyModels.golden(CASE).resolve(name), 3, folder.resolve(name));
                try (LlamaModel whole = LlamaModel.open(TinyModels.golden(CASE).resolve(name))) {
                    float[] state = whole.hiddenStates(TinyModels.ids(scope, TOKENS, VOCAB)).get(3).toFloatArray();
                    for (int i = 0; i < average.length; i++) {
                        average[i] += state[i] / (double) names.length;
                    }
                }
            }
            try (StitchedModel model = TinyModels.open(folder, StitchConfig.evenly(3, 1), LoadOptions.defaults(), names)) {
                List<GateTrace> traces = model.gates(TinyModels.ids(scope, TOKENS, VOCAB), 0);
                Tolerance tolerance = TinyModels.tolerance(model, TOKENS[0].length);
                tolerance.assertClose("hub after the stitch", floats(average), traces.get(0).states().get(0).toFloatArray());
                tolerance.assertClose("logits", headOf(model.models().get(0), average), TinyModels.logits(model, TOKENS));
            }
        }
    }

    /** A stitch of each kind: the experts are nearly what they are alone, far nearer than with gates of one half, and the hub is nearly the average. */
    @Test
    void theExpertsStartLeavesTheirStreamsAlone(@TempDir Path folder) throws IOException {
        String[] names = {"hub", "code", "math"};
        double[] average = new double[TOKENS.length * TOKENS[0].length * HIDDEN];
        List<float[]> alone = new ArrayList<>();
        StitchConfig config = StitchConfig.at(List.of(1, 3)).withInit(Init.EXPERTS);
        try (NDManager scope = Torch.manager().newSubManager()) {
            NDArray ids = TinyModels.ids(scope, TOKENS, VOCAB);
            for (String name : names) {
                TinyModels.cut(TinyModels.golden(CASE).resolve(name), 3, folder.resolve(name));
                try (LlamaModel whole = LlamaModel.open(TinyModels.golden(CASE).resolve(name))) {
                    alone.add(whole.hiddenStates(ids).get(3).toFloatArray());
                }
                for (int i = 0; i < average.length; i++) {
                    average[i] += alone.get(alone.size() - 1)[i] / (double) names.length;
                }
            }
            alone.set(0, floats(average));
            try (StitchedModel model = TinyModels.open(folder, config, LoadOptions.defaults(), names);
                    StitchedModel mixed = TinyModels.open(folder, config.withInit(Init.AVERAGE), LoadOptions.defaults(), names)) {
                List<NDArray> streams = model.gates(ids, 1).get(0).states();
                List<NDArray> mixedStreams = mixed.gates(ids, 1).get(0).states();
                for (int i = 0; i < names.length; i++) {
                    double near = GoldenCase.relativeError(alone.get(i), streams.get(i).toFloatArray());
                    double far = GoldenCase.relativeError(alone.get(i), mixedStreams.get(i).toFloatArray());
                    assertTrue(near < 0.02 && near < far / 10, names[i] + ": " + near + " from the stream alone, with gates of one half " + far);
                }
            }
        }
    }

    private static float[] floats(double[] values) {
        float[] floats = new float[values.length];
        for (int i = 0; i < floats.length; i++) {
            floats[i] = (float) values[i];
        }
        return floats;
    }

    /** Final norm and head in double. */
    private static float[] headOf(LlamaModel model, double[] states) {
        float[] norm = Tensors.toFloats(model.tensors().get("model.norm.weight"));
        float[] head = Tensors.toFloats(model.tensors().get("lm_head.weight"));
        int d = norm.length;
        float[] logits = new float[states.length / d * VOCAB];
        for (int row = 0; row < states.length / d; row++) {
            double squares = 0;
            for (int c = 0; c < d; c++) {
                squares += states[row * d + c] * states[row * d + c];
            }
            double scale = 1 / Math.sqrt(squares / d + model.config().rmsNormEps());
            for (int v = 0; v < VOCAB; v++) {
                double sum = 0;
                for (int c = 0; c < d; c++) {
                    sum += states[row * d + c] * scale * norm[c] * head[v * d + c];
                }
                logits[row * VOCAB + v] = (float) sum;
            }
        }
        return logits;
    }

    @Test
    void theHubStartHasNearlyTheHubsOwnLoss() throws IOException {
        for (String golden : List.of("bts-3x4", "bts-4x8")) {
            int layers = golden.equals("bts-3x4") ? 4 : 8;
            for (int stitches : new int[] {1, 2, 4}) {
                StitchConfig config = StitchConfig.evenly(layers, stitches).withInit(Init.HUB);
                try (StitchedModel model = TinyModels.open(golden, config, "hub", "code", "math")) {
                    assertNearlyTheHub(model, golden + ", K = " + stitches);
                }
            }
        }
    }

    /** The loss within 1 %, and logits much nearer to the hub's than those of the average are. */
    private static void assertNearlyTheHub(StitchedModel model, String what) throws IOException {
        LlamaModel hub = model.models().get(0);
        double own = TinyModels.mean(hub.tokenLosses(TOKENS));
        assertEquals(own, TinyModels.mean(model.tokenLosses(TOKENS)), 0.01 * own, what);
        StitchedModelBuilder average = StitchedModel.builder().config(model.config().withInit(Init.AVERAGE)).hub("first", model.members().get(0).folder());
        model.members().subList(1, model.members().size()).forEach(member -> average.expert(member.name(), member.folder()));
        try (NDManager scope = Torch.manager().newSubManager(); StitchedModel mixed = average.open()) {
            float[] logits = hub.forward(TinyModels.ids(scope, TOKENS, VOCAB)).toFloatArray();
            double near = GoldenCase.relativeError(logits, TinyModels.logits(model, TOKENS));
            double far = GoldenCase.relativeError(logits, TinyModels.logits(mixed, TOKENS));
            assertTrue(near < far / 10, what + ": " + near + " from the hub, the average " + far);
        }
    }

    @Test
    void anExpertCanBeTheHub() throws IOException {
        try (StitchedModel model = TinyModels.open(CASE, StitchConfig.evenly(4, 2).withInit(Init.HUB), "code", "hub", "math")) {
            assertEquals(List.of("code", "hub", "math"), model.members().stream().map(Member::name).toList());
            assertNearlyTheHub(model, "code as the hub");
        }
    }

    @Test
    void twoModelsAreAHubAndOneExpert() throws IOException {
        try (StitchedModel model = TinyModels.open(CASE, StitchConfig.evenly(4, 4).withDropout(0), "code", "math");
                NDManager scope = Torch.manager().newSubManager()) {
            assertEquals(1, model.numExperts());
            assertEquals(List.of("HubIntoExperts", "ExpertsIntoHub", "HubIntoExperts", "ExpertsIntoHub"), TinyModels.kinds(model));
            long parameters = model.stitchTensors().values().stream().mapToLong(NDArray::size).sum();
            assertEquals(4L * 3 * HIDDEN * HIDDEN, parameters);
            assertEquals(parameters, model.config().parameterCount(1, HIDDEN));
            for (float gate : model.gates(TinyModels.ids(scope, TOKENS, VOCAB), 3).get(0).gate().toFloatArray()) {
                assertEquals(0.5f, gate);
            }
            assertEquals(8, TinyModels.generate(model, TOKENS[0], 8).length);
        }
    }

    /** The first stitch sees what the models alone compute after layer 2: the hub becomes the average, the experts stay. */
    @Test
    void expertsIntoHubOnly() throws IOException {
        String[] names = {"hub", "code", "math"};
        try (StitchedModel model = TinyModels.open(CASE, StitchConfig.evenly(4, 2).withAlternating(false), names);
                NDManager scope = Torch.manager().newSubManager()) {
            assertEquals(List.of("ExpertsIntoHub", "ExpertsIntoHub"), TinyModels.kinds(model));
            NDArray ids = TinyModels.ids(scope, TOKENS, VOCAB);
            List<NDArray> states = model.gates(ids, 0).get(0).states();
            double[] average = new double[TOKENS.length * TOKENS[0].length * HIDDEN];
            for (int i = 0; i < names.length; i++) {
                float[] own = model.models().get(i).hiddenStates(ids).get(2).toFloatArray();
                if (i > 0) {
                    TinyModels.tolerance(model, TOKENS[0].length).assertClose(names[i], own, states.get(i).toFloatArray());
                }
                for (int k = 0; k < average.length; k++) {
                    average[k] += own[k] / (double) names.length;
                }
            }
            TinyModels.tolerance(model, TOKENS[0].length).assertClose("hub", floats(average), states.get(0).toFloatArray());
        }
    }

    @Test
    void gatesOfExpertsIntoHubSumToOneAndTheOthersLieBetweenZeroAndOne() throws IOException {
        StitchConfig config = StitchConfig.evenly(8, 4);
        for (Init init : Init.values()) {
            try (StitchedModel model = TinyModels.open("bts-4x8", config.withInit(init), "hub", "code", "math", "multilingual");
                    NDManager scope = Torch.manager().newSubManager()) {
                TinyModels.disturbed(model, 3);
                for (GateTrace trace : model.gates(TinyModels.ids(scope, TOKENS, VOCAB), 0, 1, 2, 3)) {
                    float[] gates = trace.gate().toFloatArray();
                    for (int at = 0; at < gates.length; at += 4) {
                        double sum = 0;
                        for (int i = 0; i < 4; i++) {
                            assertTrue(gates[at + i] > 0 && gates[at + i] < 1, "gate " + gates[at + i]);
                            sum += gates[at + i];
                        }
                        if (config.intoHub(trace.stitch())) {
                            assertEquals(1, sum, 4 * 2 * Tolerance.FLOAT32); // each of four is rounded, and so is what they are divided by
                        }
                    }
                    if (config.intoHub(trace.stitch())) {
                        for (float[] token : trace.meanOverChannels(1)) {
                            assertEquals(1, token[0] + token[1] + token[2] + token[3], Tolerance.ofSum(Tolerance.FLOAT32, HIDDEN + 4, 1, 1)); // means over channels
                        }
                    }
                }
            }
        }
    }

    @Test
    void gatesAreTracedInAscendingOrderWithoutRepetition() throws IOException {
        try (StitchedModel model = TinyModels.open("bts-4x8", StitchConfig.evenly(8, 4), "hub", "code");
                NDManager scope = Torch.manager().newSubManager()) {
            NDArray ids = TinyModels.ids(scope, TOKENS, VOCAB);
            assertEquals(List.of(1, 3), model.gates(ids, 3, 1, 3).stream().map(GateTrace::stitch).toList());
            assertEquals(List.of(), model.gates(ids));
            for (int wrong : new int[] {-1, 4}) {
                IllegalArgumentException refused = assertThrows(IllegalArgumentException.class, () -> model.gates(ids, 0, wrong));
                assertTrue(refused.getMessage().contains("stitch = " + wrong + " is outside 0 .. 3"), refused.getMessage());
            }
        }
    }

    @Test
    void theOrderOfExpertsDoesNotMatterIfTheirSlicesMoveWithThem() throws IOException {
        StitchConfig config = StitchConfig.evenly(8, 4).withInit(Init.HUB);
        int[] order = {0, 3, 1, 2}; // place i of the second model holds model order[i] of the first
        try (StitchedModel first = TinyModels.open("bts-4x8", config, "hub", "code", "math", "multilingual");
                StitchedModel second = TinyModels.open("bts-4x8", config, "hub", "multilingual", "code", "math")) {
            TinyModels.disturbed(first, 11);
            Map<String, float[]> moved = new LinkedHashMap<>();
            TinyModels.values(first).forEach((name, values) -> {
                if (name.contains(".proj.")) {
                    int from = Integer.parseInt(name.replaceAll(".*\\.proj\\.(\\d+)\\.weight", "$1"));
                    int to = Arrays.stream(new int[] {1, 2, 3}).filter(i -> order[i] == from).findFirst().orElseThrow();
                    moved.put(name.replace("proj." + from, "proj." + to), values);
                } else {
                    moved.put(name, slices(values, order));
                }
            });
            TinyModels.set(second, moved);
            TinyModels.tolerance(first, TOKENS[0].length).assertClose("logits", TinyModels.logits(first, TOKENS), TinyModels.logits(second, TOKENS));
            int[] generated = TinyModels.generate(first, TOKENS[1], 12);
            assertArrayEquals(generated, TinyModels.generate(second, TOKENS[1], 12));
        }
    }

    private static float[] slices(float[] values, int[] order) {
        int size = values.length / order.length;
        float[] moved = new float[values.length];
        for (int i = 0; i < order.length; i++) {
            System.arraycopy(values, order[i] * size, moved, i * size, size);
        }
        return moved;
    }

    @Test
    void stitchTensorsThatDoNotFitAreListedAndNothingChanges() throws IOException {
        try (StitchedModel model = TinyModels.open(CASE, StitchConfig.evenly(4, 2), "hub", "code", "math");
                NDManager scope = Torch.manager().newSubManager()) {
            TinyModels.disturbed(model, 1);
            float[] before = TinyModels.logits(model, TOKENS);
            Map<String, NDArray> values = new LinkedHashMap<>(model.stitchTensors());
            values.remove("stitch.0.proj.2.weight");
            values.put("stitch.1.gate.weight", scope.create(new float[] {1}));
            values.put("stitch.9.gate.weight", scope.create(new float[] {1}));
            String message = assertThrows(IllegalArgumentException.class, () -> model.setStitchTensors(values)).getMessage();
            for (String part : List.of("missing: stitch.0.proj.2.weight", "stitch.1.gate.weight has shape (1)", "extra: stitch.9.gate.weight")) {
                assertTrue(message.contains(part), message);
            }
            assertArrayEquals(before, TinyModels.logits(model, TOKENS));
        }
    }
}
