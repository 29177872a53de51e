package io.github.bts4j.stitch;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import io.github.bts4j.core.FileFormatException;
import io.github.bts4j.core.MismatchException;
import io.github.bts4j.core.checkpoint.ModelFingerprint;
import io.github.bts4j.core.checkpoint.ModelFormatException;
import io.github.bts4j.core.golden.GoldenCase;
import io.github.bts4j.core.torch.FrozenLm;
import io.github.bts4j.core.torch.TensorFiles;
import io.github.bts4j.core.torch.Torch;
import io.github.bts4j.core.torch.llama.LoadOptions;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Stitches that were trained apart, in one model: without the experts of the others, it is the model that each owner trained. */
class StitchCombinationTest {
    private static final String CASE = "bts-4x8";
    private static final StitchConfig CONFIG = StitchConfig.evenly(8, 4);
    private static final int[][] TOKENS = TinyModels.tokens(31, 2, 20, 160);

    @TempDir
    private Path folder;

    /** Saves a model with random stitches, and gives its logits. */
    private float[] site(String name, StitchConfig config, long seed, String... members) throws IOException {
        try (StitchedModel model = TinyModels.disturbed(TinyModels.open(CASE, config, members), seed)) {
            StitchCheckpoint.save(model, folder.resolve(name));
            return TinyModels.logits(model, TOKENS);
        }
    }

    private StitchedModel combine(String... names) throws IOException {
        return StitchCombination.open(List.of(names).stream().map(folder::resolve).toList(), Map.of(), LoadOptions.defaults());
    }

    private String refusal(String... names) {
        return assertThrows(MismatchException.class, () -> combine(names).close()).getMessage();
    }

    @ParameterizedTest
    @EnumSource(Init.class)
    void withoutTheOthersItIsWhatAnOwnerTrained(Init init) throws IOException {
        float[] code = site("code", CONFIG.withInit(init), 1, "hub", "code");
        float[] rest = site("rest", CONFIG.withInit(init), 2, "hub", "math", "multilingual");
        try (StitchedModel combined = combine("code", "rest")) {
            assertEquals(List.of("hub", "code", "math", "multilingual"), combined.modelNames());
            try (FrozenLm first = combined.without(Set.of("math", "multilingual")); FrozenLm second = combined.without(Set.of("code"))) {
                assertTrue(GoldenCase.relativeError(code, TinyModels.logits(first, TOKENS)) < 1e-5);
                assertTrue(GoldenCase.relativeError(rest, TinyModels.logits(second, TOKENS)) < 1e-5);
            }
            assertTrue(GoldenCase.relativeError(code, TinyModels.logits(combined, TOKENS)) > 1e-3, "the other experts change nothing");
        }
    }

    /** The stitches of what was combined stay known, also after another combination. */
    @Test
    void theLineageIsSaved() throws IOException {
        site("a", CONFIG, 1, "hub", "code");
        site("b", CONFIG, 2, "hub", "math");
        site("c", CONFIG, 3, "hub", "multilingual");
        StitchCheckpoint.Description a = StitchCheckpoint.describe(folder.resolve("a"));
        float[] logits;
        try (StitchedModel two = combine("a", "b")) {
            StitchCheckpoint.save(two, folder.resolve("ab"));
        }
        try (StitchedModel three = combine("ab", "c")) {
            StitchCheckpoint.save(three, folder.resolve("abc"));
            logits = TinyModels.logits(three, TOKENS);
        }
        List<LineageStep> lineage = StitchCheckpoint.describe(folder.resolve("abc")).lineage();
        assertEquals(List.of("code", "math", "code", "math", "multilingual"), lineage.stream().map(LineageStep::expert).toList());
        assertEquals(new LineageStep(LineageStep.Change.COMBINED, "code", Map.of(a.weights(), a.sha256())), lineage.get(0));
        try (StitchedModel opened = StitchCheckpoint.open(folder.resolve("abc"), LoadOptions.defaults())) {
            assertArrayEquals(logits, TinyModels.logits(opened, TOKENS));
            assertEquals(lineage, StitchCheckpoint.lineage(opened));
        }
    }

    @Test
    void whatDoesNotFitIsRefused() throws IOException {
        site("a", CONFIG, 1, "hub", "code");
        site("same", CONFIG, 1, "hub", "code");
        site("hub", CONFIG, 1, "math", "multilingual");
        site("layers", StitchConfig.evenly(8, 2), 1, "hub", "math");
        site("kinds", CONFIG.withAlternating(false), 1, "hub", "math");
        site("biased", CONFIG.withInit(Init.HUB), 1, "hub", "math");
        assertTrue(refusal("a", "same").contains("two experts are called 'code': each needs a name of its own"));
        assertTrue(refusal("a", "hub").contains("hub has another hub than"));
        assertTrue(refusal("a", "layers").contains("layers has stitches after layers [4, 8] of alternating kinds, "));
        assertTrue(refusal("a", "kinds").contains(" that all lead into the hub"));
        assertTrue(refusal("a", "biased").contains("was initialised as HUB"));
        assertTrue(refusal("a").contains("at least two are combined"));
        String unknown = assertThrows(MismatchException.class, () -> StitchCombination.open(List.of(folder.resolve("a"), folder.resolve("hub")), Map.of("law", folder), LoadOptions.defaults()).close()).getMessage();
        assertTrue(unknown.contains("there is no model 'law'; the models are [code, hub, math, multilingual]"), unknown);
    }

    @Test
    void aReplacedExpertTakesOverTheStitches() throws IOException {
        site("a", CONFIG, 7, "hub", "code", "math");
        Map<String, String> before;
        float[] expected;
        try (StitchedModel model = StitchCheckpoint.open(folder.resolve("a"), LoadOptions.defaults()); StitchedModel other = TinyModels.open(CASE, CONFIG, "hub", "multilingual", "math")) {
            before = model.models().get(1).fingerprint().files();
            other.setStitchTensors(model.stitchTensors());
            expected = TinyModels.logits(other, TOKENS);
            float[] old = TinyModels.logits(model, TOKENS);
            model.replaceExpert("code", TinyModels.golden(CASE).resolve("multilingual"));
            assertEquals(List.of("hub", "code", "math"), model.modelNames());
            assertArrayEquals(expected, TinyModels.logits(model, TOKENS));
            assertTrue(GoldenCase.relativeError(old, expected) > 1e-3);
            StitchCheckpoint.save(model, folder.resolve("b"));
            assertTrue(assertThrows(IllegalArgumentException.class, () -> model.replaceExpert("law", folder)).getMessage().contains("No expert is called 'law'"));
            assertTrue(assertThrows(IllegalArgumentException.class, () -> model.replaceExpert("math", TinyModels.golden("llama2-gqa"))).getMessage().contains("cannot be stitched"));
            assertArrayEquals(expected, TinyModels.logits(model, TOKENS));
        }
        try (StitchedModel opened = StitchCheckpoint.open(folder.resolve("b"), LoadOptions.defaults())) {
            assertArrayEquals(expected, TinyModels.logits(opened, TOKENS));
            assertEquals(List.of(new LineageStep(LineageStep.Change.REPLACED, "code", before)), StitchCheckpoint.lineage(opened));
        }
    }

    /** The old expert's folder may have been overwritten by further training, or be gone. */
    @Test
    void anExpertIsReplacedWithoutTheOldOne() throws IOException {
        Path old = TinyModels.golden(CASE).resolve("code");
        Path moving = Files.createDirectory(folder.resolve("code"));
        for (String file : List.of("config.json", "model.safetensors")) {
            Files.copy(old.resolve(file), moving.resolve(file));
        }
        float[] expected;
        List<LineageStep> lineage;
        try (StitchedModel model = TinyModels.disturbed(StitchedModel.builder().hub(TinyModels.golden(CASE).resolve("hub")).expert("code", moving).config(CONFIG).open(), 3)) {
            StitchCheckpoint.save(model, folder.resolve("a"));
            model.replaceExpert("code", TinyModels.golden(CASE).resolve("math"));
            expected = TinyModels.logits(model, TOKENS);
            lineage = StitchCheckpoint.lineage(model);
        }
        Files.delete(moving.resolve("model.safetensors"));
        assertThrows(ModelFormatException.class, () -> StitchCheckpoint.open(folder.resolve("a"), LoadOptions.defaults()).close());
        try (StitchedModel opened = StitchCheckpoint.openReplacing(folder.resolve("a"), "code", TinyModels.golden(CASE).resolve("math"), LoadOptions.defaults())) {
            assertArrayEquals(expected, TinyModels.logits(opened, TOKENS));
            assertEquals(lineage, StitchCheckpoint.lineage(opened));
        }
        for (String name : List.of("hub", "law")) {
            String message = assertThrows(IllegalArgumentException.class, () -> StitchCheckpoint.openReplacing(folder.resolve("a"), name, old, LoadOptions.defaults()).close()).getMessage();
            assertEquals("No expert is called '" + name + "'; the experts are [code]", message);
        }
    }

    /** What another site sent is checked tensor by tensor, although its hash is right. */
    @Test
    void tensorsThatDoNotFitTheirDescriptionAreRefused() throws IOException {
        site("a", CONFIG, 1, "hub", "code");
        for (String what : List.of("missing", "shape", "extra", "NaN")) {
            site(what, CONFIG, 2, "hub", "math");
            damage(folder.resolve(what), what);
        }
        assertTrue(refusal("a", "missing").contains(" do not fit its stitch.json: missing: stitch.1.proj.1.weight (48, 48)"), refusal("a", "missing"));
        assertTrue(refusal("a", "shape").contains("stitch.0.gate.weight has shape (3, 48, 48), this model needs (2, 48, 48)"), refusal("a", "shape"));
        assertTrue(refusal("a", "extra").contains("extra: stitch.0.more"), refusal("a", "extra"));
        String message = assertThrows(FileFormatException.class, () -> combine("a", "NaN").close()).getMessage();
        assertTrue(message.contains("the weight 5 of tensor 'stitch.3.proj.1.weight' is NaN or infinite"), message);
    }

    private static void damage(Path folder, String what) throws IOException {
        StitchCheckpoint.Description was = StitchCheckpoint.describe(folder);
        Path weights = folder.resolve(was.weights());
        try (NDManager scope = Torch.manager().newSubManager()) {
            Map<String, NDArray> tensors = new LinkedHashMap<>(TensorFiles.read(scope, weights));
            switch (what) {
                case "missing" -> tensors.remove("stitch.1.proj.1.weight");
                case "shape" -> tensors.put("stitch.0.gate.weight", scope.zeros(new Shape(3, 48, 48)));
                case "extra" -> tensors.put("stitch.0.more", scope.zeros(new Shape(1)));
                default -> {
                    float[] values = tensors.get("stitch.3.proj.1.weight").toFloatArray();
                    values[5] = Float.NaN;
                    tensors.put("stitch.3.proj.1.weight", scope.create(values, new Shape(48, 48)));
                }
            }
            TensorFiles.write(weights, tensors, Map.of());
        }
        Path description = folder.resolve(StitchCheckpoint.DESCRIPTION);
        Files.writeString(description, Files.readString(description).replace(was.sha256(), ModelFingerprint.sha256(weights)));
    }
}
