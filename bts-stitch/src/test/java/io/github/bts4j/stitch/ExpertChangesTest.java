package io.github.bts4j.stitch;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.github.bts4j.core.DecodeSession;
import io.github.bts4j.core.golden.GoldenCase;
import io.github.bts4j.core.golden.Tolerance;
import io.github.bts4j.core.torch.FrozenLm;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Experts that leave and join without training. */
class ExpertChangesTest {
    private static final String CASE = "bts-4x8";
    private static final int VOCAB = 160;
    private static final int HIDDEN = 48;
    private static final int[][] TOKENS = TinyModels.tokens(21, 2, 20, VOCAB);
    private static final StitchConfig CONFIG = StitchConfig.evenly(8, 4);

    /** The values without model {@code index}, cut out of Java arrays. */
    private static Map<String, float[]> without(Map<String, float[]> values, int index, int models) {
        Map<String, float[]> rest = new LinkedHashMap<>();
        values.forEach((name, array) -> {
            if (name.contains(".proj.")) {
                int expert = Integer.parseInt(name.replaceAll(".*\\.proj\\.(\\d+)\\.weight", "$1"));
                if (expert != index) {
                    rest.put(name.replace("proj." + expert, "proj." + (expert > index ? expert - 1 : expert)), array);
                }
            } else {
                int slice = array.length / models;
                float[] kept = new float[array.length - slice];
                System.arraycopy(array, 0, kept, 0, index * slice);
                System.arraycopy(array, (index + 1) * slice, kept, index * slice, kept.length - index * slice);
                rest.put(name, kept);
            }
        });
        return rest;
    }

    @ParameterizedTest
    @EnumSource(Init.class)
    void removingAnExpertIsNeverHavingHadIt(Init init) throws IOException {
        List<String> experts = List.of("code", "math", "multilingual");
        for (int index = 1; index <= 3; index++) {
            String gone = experts.get(index - 1);
            String[] rest = Stream.of("hub", "code", "math", "multilingual").filter(name -> !name.equals(gone)).toArray(String[]::new);
            try (StitchedModel model = TinyModels.open(CASE, CONFIG.withInit(init), "hub", "code", "math", "multilingual");
                    StitchedModel never = TinyModels.open(CASE, CONFIG.withInit(init), rest)) {
                TinyModels.disturbed(model, 5 + index);
                TinyModels.set(never, without(TinyModels.values(model), index, 4));
                float[] before = TinyModels.logits(model, TOKENS);
                model.removeExpert(gone);
                assertEquals(never.members().stream().map(Member::name).toList(), model.members().stream().map(Member::name).toList());
                assertEquals(2, model.numExperts());
                float[] after = TinyModels.logits(model, TOKENS);
                assertArrayEquals(TinyModels.logits(never, TOKENS), after, "without " + gone);
                assertTrue(GoldenCase.relativeError(before, after) > 1e-3, "removing " + gone + " changed nothing");
                assertArrayEquals(TinyModels.generate(never, TOKENS[0], 10), TinyModels.generate(model, TOKENS[0], 10));
            }
        }
    }

    /** A switched-off expert is a removed one: logits, losses, decoding alone and in step. */
    @ParameterizedTest
    @EnumSource(Init.class)
    void switchingAnExpertOffIsRemovingIt(Init init) throws IOException {
        for (String gone : List.of("code", "math", "multilingual")) {
            try (StitchedModel model = TinyModels.open(CASE, CONFIG.withInit(init), "hub", "code", "math", "multilingual")) {
                TinyModels.disturbed(model, 9);
                float[] whole = TinyModels.logits(model, TOKENS);
                float[] off;
                float[][] offLosses;
                int[] offText;
                float[][] together;
                try (FrozenLm view = model.without(Set.of(gone))) {
                    off = TinyModels.logits(view, TOKENS);
                    offLosses = view.tokenLosses(TOKENS);
                    offText = TinyModels.generate(view, TOKENS[0], 10);
                    try (DecodeSession first = view.newSession(30); DecodeSession second = view.newSession(30)) {
                        first.append(TOKENS[0]);
                        second.append(TOKENS[1]);
                        together = view.appendEach(List.of(first, second), new int[] {3, 4});
                    }
                }
                assertArrayEquals(whole, TinyModels.logits(model, TOKENS), "the model itself is what it was");
                int closed = model.members().stream().map(Member::name).toList().indexOf(gone);
                try (NDManager scope = model.getNDManager().newSubManager()) {
                    NDArray ids = TinyModels.ids(scope, TOKENS, VOCAB);
                    for (GateTrace trace : model.gates(Set.of(gone), ids, 1, 3)) {
                        for (float[] token : trace.meanOverChannels(1)) {
                            assertEquals(0, token[closed]);
                            assertEquals(1, token[0] + token[1] + token[2] + token[3], Tolerance.ofSum(Tolerance.FLOAT32, 64, 1, 1), "means over channels");
                        }
                    }
                    assertTrue(model.gates(ids, 3).get(0).meanOverChannels(1)[0][closed] > 0);
                }
                assertTrue(GoldenCase.relativeError(whole, off) > 1e-3, gone);
                model.removeExpert(gone);
                Tolerance tolerance = TinyModels.tolerance(model, TOKENS[0].length);
                tolerance.assertClose(gone, TinyModels.logits(model, TOKENS), off);
                tolerance.assertLossesClose(gone, model.tokenLosses(TOKENS)[0], offLosses[0]);
                assertArrayEquals(TinyModels.generate(model, TOKENS[0], 10), offText);
                try (DecodeSession first = model.newSession(30); DecodeSession second = model.newSession(30)) {
                    first.append(TOKENS[0]);
                    second.append(TOKENS[1]);
                    tolerance.assertClose("together", model.appendEach(List.of(first, second), new int[] {3, 4})[1], together[1]);
                }
            }
        }
        try (StitchedModel model = TinyModels.open(CASE, CONFIG, "hub", "code", "math")) {
            assertThrows(IllegalArgumentException.class, () -> model.without(Set.of("hub")));
            assertThrows(IllegalArgumentException.class, () -> model.without(Set.of("law")));
            try (FrozenLm none = model.without(Set.of("code", "math"))) {
                // the hub's own stream alone
                TinyModels.tolerance(model, TOKENS[0].length).assertLossesClose("the hub", model.models().get(0).tokenLosses(TOKENS)[1], none.tokenLosses(TOKENS)[1]);
            }
        }
    }

    @Test
    void expertsCanBeRemovedDownToOneAndTheModelStillTrains() throws IOException {
        try (StitchedModel model = TinyModels.open(CASE, CONFIG.withDropout(0), "hub", "code", "math", "multilingual")) {
            model.removeExpert("math");
            model.removeExpert("code");
            assertEquals(List.of("hub", "multilingual"), model.members().stream().map(Member::name).toList());
            model.stitchTensors().values().forEach(tensor -> tensor.setRequiresGradient(true));
            float[] losses = model.accumulateGradients(TOKENS, 1f / 38, 0);
            assertEquals(38, losses.length);
            double mean = 0;
            for (float loss : losses) {
                mean += loss / losses.length;
            }
            assertEquals(TinyModels.mean(model.tokenLosses(TOKENS)), mean, TinyModels.tolerance(model, TOKENS[0].length).ofLosses(losses));
        }
    }

    @Test
    void theLastExpertAndTheHubAndUnknownNamesAreNotRemoved() throws IOException {
        try (StitchedModel model = TinyModels.open(CASE, CONFIG, "hub", "code")) {
            float[] before = TinyModels.logits(model, TOKENS);
            assertRefused("'code' is the last expert", () -> model.removeExpert("code"));
            assertRefused("No expert is called 'hub'; the experts are [code]", () -> model.removeExpert("hub"));
            assertRefused("No expert is called 'poetry'; the experts are [code]", () -> model.removeExpert("poetry"));
            assertArrayEquals(before, TinyModels.logits(model, TOKENS));
        }
    }

    private static void assertRefused(String part, Executable call) {
        String message = assertThrows(IllegalArgumentException.class, call).getMessage();
        assertTrue(message.contains(part), message);
    }

    @ParameterizedTest
    @EnumSource(Init.class)
    void addingAnExpertKeepsTheOldWeightsAndStartsTheNewSlices(Init init) throws IOException {
        try (StitchedModel model = TinyModels.open(CASE, CONFIG.withInit(init), "hub", "code", "math")) {
            TinyModels.disturbed(model, 8);
            Map<String, float[]> before = TinyModels.values(model);
            model.addExpert("multilingual", TinyModels.golden(CASE).resolve("multilingual"));
            Map<String, float[]> after = TinyModels.values(model);
            assertEquals(List.of("hub", "code", "math", "multilingual"), model.members().stream().map(Member::name).toList());
            assertEquals(model.config().parameterCount(3, HIDDEN), after.values().stream().mapToLong(array -> array.length).sum());
            Map<String, float[]> old = without(after, 3, 4);
            assertEquals(before.keySet(), old.keySet());
            before.forEach((name, values) -> assertArrayEquals(values, old.get(name), name));
            for (StitchLayer layer : model.stitchLayers()) {
                float[] gate = after.get("stitch." + layer.index() + ".gate.weight");
                assertArrayEquals(new float[HIDDEN * HIDDEN], Arrays.copyOfRange(gate, 3 * HIDDEN * HIDDEN, 4 * HIDDEN * HIDDEN));
                float[] projection = after.get("stitch." + layer.index() + ".proj.3.weight");
                for (int i = 0; i < projection.length; i++) {
                    assertEquals(i % (HIDDEN + 1) == 0 ? 1f : 0f, projection[i]);
                }
                if (init != Init.AVERAGE) {
                    float[] bias = after.get("stitch." + layer.index() + ".gate.bias");
                    float[] expected = new float[HIDDEN];
                    Arrays.fill(expected, layer.intoHub() ? 0 : -Init.BIAS);
                    assertArrayEquals(expected, Arrays.copyOfRange(bias, 3 * HIDDEN, 4 * HIDDEN));
                }
            }
            assertEquals(10, TinyModels.generate(model, TOKENS[0], 10).length);
        }
    }

    @Test
    void addingAndRemovingAnExpertGivesTheSameModel() throws IOException {
        try (StitchedModel model = TinyModels.open(CASE, CONFIG, "hub", "code", "math")) {
            TinyModels.disturbed(model, 9);
            float[] before = TinyModels.logits(model, TOKENS);
            model.addExpert("multilingual", TinyModels.golden(CASE).resolve("multilingual"));
            assertTrue(GoldenCase.relativeError(before, TinyModels.logits(model, TOKENS)) > 1e-3);
            model.removeExpert("multilingual");
            assertArrayEquals(before, TinyModels.logits(model, TOKENS));
        }
    }

    @Test
    void anExpertThatDoesNotFitIsNotAdded(@TempDir Path folder) throws IOException {
        try (StitchedModel model = TinyModels.open(CASE, CONFIG, "hub", "code")) {
            float[] before = TinyModels.logits(model, TOKENS);
            Path shallow = TinyModels.golden("bts-3x4").resolve("math");
            assertRefused("expert 'math' has num_hidden_layers = 4, the hub 'hub' has 8", () -> model.addExpert("math", shallow));
            assertRefused("two models are called 'code'", () -> model.addExpert("code", TinyModels.golden(CASE).resolve("math")));
            assertThrows(IOException.class, () -> model.addExpert("nowhere", folder.resolve("nowhere")));
            assertEquals(1, model.numExperts());
            assertArrayEquals(before, TinyModels.logits(model, TOKENS));
        }
    }
}
