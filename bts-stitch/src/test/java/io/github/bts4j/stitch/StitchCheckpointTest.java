package io.github.bts4j.stitch;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.github.bts4j.core.MismatchException;
import io.github.bts4j.core.checkpoint.ModelFormatException;
import io.github.bts4j.core.checkpoint.SafetensorsFile;
import io.github.bts4j.core.torch.llama.LoadOptions;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Stitch checkpoints: what they hold, what they are bound to, and what happens to broken ones. */
class StitchCheckpointTest {
    private static final int[][] TOKENS = TinyModels.tokens(13, 2, 16, 160);
    private static final StitchConfig CONFIG = new StitchConfig(List.of(1, 3, 4), true, 0.25, Init.AVERAGE);
    private static final ObjectMapper JSON = new ObjectMapper();

    @TempDir
    private Path root;
    private Path bases;
    private Path folder;
    private float[] logits;

    @BeforeEach
    void save() throws IOException {
        bases = root.resolve("bases");
        folder = root.resolve("runs").resolve("stitch");
        TinyModels.copyFolder(TinyModels.golden("bts-3x4"), bases);
        logits = save(CONFIG, 40);
    }

    private float[] save(StitchConfig config, long seed) throws IOException {
        try (StitchedModel model = TinyModels.open(bases, config, LoadOptions.defaults(), "hub", "code", "math")) {
            TinyModels.disturbed(model, seed);
            StitchCheckpoint.save(model, folder);
            return TinyModels.logits(model, TOKENS);
        }
    }

    private void assertHolds(float[] expected) throws IOException {
        try (StitchedModel model = StitchCheckpoint.open(folder, LoadOptions.defaults())) {
            assertArrayEquals(expected, TinyModels.logits(model, TOKENS));
        }
    }

    private List<Path> files(String suffix) throws IOException {
        try (Stream<Path> files = Files.list(folder)) {
            return files.filter(file -> file.getFileName().toString().endsWith(suffix)).toList();
        }
    }

    private String refusal(Map<String, Path> moved) {
        return assertThrows(MismatchException.class, () -> StitchCheckpoint.open(folder, moved, LoadOptions.defaults()).close()).getMessage();
    }

    private ModelFormatException broken() {
        return assertThrows(ModelFormatException.class, () -> StitchCheckpoint.open(folder, LoadOptions.defaults()).close());
    }

    private void edit(Consumer<ObjectNode> change) throws IOException {
        Path file = folder.resolve("stitch.json");
        ObjectNode description = (ObjectNode) JSON.readTree(file.toFile());
        change.accept(description);
        JSON.writeValue(file.toFile(), description);
    }

    @ParameterizedTest
    @EnumSource(Init.class)
    void aCheckpointGivesTheSameModelToTheBit(Init init) throws IOException {
        float[] expected = save(CONFIG.withInit(init), 3);
        try (StitchedModel model = StitchCheckpoint.open(folder, LoadOptions.defaults())) {
            assertEquals(CONFIG.withInit(init), model.config());
            assertEquals(List.of("hub", "code", "math"), model.members().stream().map(Member::name).toList());
            assertArrayEquals(expected, TinyModels.logits(model, TOKENS));
        }
    }

    @Test
    void theWeightsFileHoldsTheStitchTensorsAlone() throws IOException {
        List<Path> files = files(".safetensors");
        assertEquals(1, files.size());
        try (StitchedModel model = StitchCheckpoint.open(folder, LoadOptions.defaults())) {
            assertEquals(List.copyOf(model.stitchTensors().keySet()),
                    SafetensorsFile.open(files.get(0)).entries().stream().map(entry -> entry.name()).toList());
            long bytes = 4 * CONFIG.parameterCount(2, 48);
            assertTrue(Files.size(files.get(0)) >= bytes && Files.size(files.get(0)) < bytes + 4096, "size " + Files.size(files.get(0)));
        }
        assertEquals(2, files("").size(), "the description and one weights file");
    }

    @Test
    void aChangedBaseModelIsRefusedByNameAndFile() throws IOException {
        TinyModels.flipByte(bases.resolve("math").resolve("model.safetensors"));
        String message = refusal(Map.of());
        assertTrue(message.contains("model 'math' in ") && message.contains("is not the one these stitches were trained with: model.safetensors: recorded SHA-256 "), message);
        assertFalse(message.contains("'code'"), message);
        Files.writeString(bases.resolve("code").resolve("config.json"), " ", java.nio.file.StandardOpenOption.APPEND);
        String both = refusal(Map.of());
        assertTrue(both.contains("model 'code' in ") && both.contains("config.json: recorded SHA-256 ") && both.contains("model 'math' in "), both);
    }

    @Test
    void aTokenizerThatAppearsLaterIsAChange() throws IOException {
        Files.writeString(bases.resolve("hub").resolve("tokenizer.json"), "{}");
        String message = refusal(Map.of());
        assertTrue(message.contains("model 'hub' in ") && message.contains("tokenizer.json: recorded no such file"), message);
    }

    @Test
    void movedBaseModelsAreFoundWhereTheCallerSays() throws IOException {
        Path code = root.resolve("elsewhere");
        Files.move(bases.resolve("code"), code);
        String message = refusal(Map.of());
        assertTrue(message.contains("model 'code' is not in " + bases.resolve("code")), message);
        try (StitchedModel model = StitchCheckpoint.open(folder, Map.of("code", code), LoadOptions.defaults())) {
            assertArrayEquals(logits, TinyModels.logits(model, TOKENS));
            assertEquals(code, model.members().get(1).folder());
        }
        String swapped = refusal(Map.of("code", bases.resolve("math")));
        assertTrue(swapped.contains("model 'code' in " + bases.resolve("math") + " is not the one"), swapped);
    }

    @Test
    void theWholeTreeCanBeMoved() throws IOException {
        Path other = root.resolve("other");
        Files.createDirectories(other);
        Files.move(root.resolve("bases"), other.resolve("bases"));
        Files.move(root.resolve("runs"), other.resolve("runs"));
        folder = other.resolve("runs").resolve("stitch");
        assertHolds(logits);
    }

    @Test
    void anUnknownNameAmongTheMovedIsRefused() {
        String message = refusal(Map.of("poetry", bases));
        assertTrue(message.contains("there is no model 'poetry' in this checkpoint; its models are [hub, code, math]"), message);
    }

    @Test
    void damagedWeightsAreRefused() throws IOException {
        Path weights = files(".safetensors").get(0);
        TinyModels.flipByte(weights);
        ModelFormatException refused = broken();
        assertEquals(weights, refused.file());
        assertTrue(refused.getMessage().contains("SHA-256"), refused.getMessage());
    }

    @Test
    void aDescriptionThatIsCutOffIsRefusedAtEveryLength() throws IOException {
        Path file = folder.resolve("stitch.json");
        byte[] whole = Files.readAllBytes(file);
        for (int length = 0; length < whole.length - 1; length += 37) {
            Files.write(file, java.util.Arrays.copyOf(whole, length));
            assertEquals(file, broken().file(), "length " + length);
        }
        Files.write(file, whole);
        assertHolds(logits);
    }

    @ParameterizedTest
    @ValueSource(strings = {"null", "[]", "1", "\"text\"", "{}", "{\"format\": 1}", "{\"format\": 99}"})
    void aDescriptionThatIsNoneIsRefused(String json) throws IOException {
        Files.writeString(folder.resolve("stitch.json"), json);
        assertEquals(folder.resolve("stitch.json"), broken().file());
    }

    @ParameterizedTest
    @ValueSource(strings = {"format", "weights", "sha256", "afterLayers", "alternating", "dropout", "init", "models"})
    void aMissingOrWrongEntryIsRefused(String key) throws IOException {
        Path file = folder.resolve("stitch.json");
        byte[] whole = Files.readAllBytes(file);
        edit(description -> description.remove(key));
        assertEquals(file, broken().file(), key + " is missing");
        Files.write(file, whole);
        edit(description -> description.putNull(key));
        assertEquals(file, broken().file(), key + " is null");
        Files.write(file, whole);
        edit(description -> description.putObject(key).put("a", 1));
        assertEquals(file, broken().file(), key + " is an object");
    }

    @ParameterizedTest
    @ValueSource(strings = {"../weights.safetensors", "/etc/passwd", "sub/weights.safetensors", "..", ".", "", "a\u0000b"})
    void weightsOutsideTheFolderAreRefused(String name) throws IOException {
        edit(description -> description.put("weights", name));
        ModelFormatException refused = broken();
        assertEquals(folder.resolve("stitch.json"), refused.file());
        assertTrue(refused.getMessage().contains("is not a file name"), refused.getMessage());
    }

    @Test
    void valuesThatMakeNoLayoutAreRefused() throws IOException {
        Path file = folder.resolve("stitch.json");
        byte[] whole = Files.readAllBytes(file);
        List<Consumer<ObjectNode>> changes = List.of(
                description -> description.put("dropout", 1.5),
                description -> description.put("init", "RANDOM"),
                description -> description.put("unknown", 1),
                description -> description.putArray("afterLayers").add(3).add(1),
                description -> description.putArray("afterLayers").addNull(),
                description -> description.putArray("models"),
                description -> description.putArray("models").addNull(),
                description -> ((ObjectNode) models(description).get(1)).putNull("files"),
                description -> ((ObjectNode) models(description).get(1)).putNull("path"),
                description -> ((ObjectNode) models(description).get(1)).remove("name"),
                description -> ((ObjectNode) models(description).get(1)).put("name", " "));
        for (int i = 0; i < changes.size(); i++) {
            edit(changes.get(i));
            assertEquals(file, broken().file(), "change " + i);
            Files.write(file, whole);
        }
        assertHolds(logits);
    }

    private static ArrayNode models(ObjectNode description) {
        return (ArrayNode) description.get("models");
    }

    @Test
    void savingAgainReplacesTheCheckpoint() throws IOException {
        Path first = files(".safetensors").get(0);
        float[] other = save(CONFIG, 41);
        assertFalse(java.util.Arrays.equals(logits, other));
        List<Path> files = files(".safetensors");
        assertEquals(1, files.size());
        assertNotEquals(first, files.get(0));
        assertHolds(other);
        assertArrayEquals(other, save(CONFIG, 41), "the same weights again");
        assertHolds(other);
        assertEquals(2, files("").size());
    }

    @Test
    void aSaveThatFailsLeavesTheOldCheckpoint() throws IOException {
        save(CONFIG, 42);
        String name = files(".safetensors").get(0).getFileName().toString();
        float[] old = save(CONFIG, 43);
        Files.createDirectories(folder.resolve(name).resolve("in the way"));
        assertThrows(IOException.class, () -> save(CONFIG, 42));
        assertHolds(old);
        assertEquals(List.of(), files(".tmp"), "no temporary file is left");
    }

    @Test
    void aFileInTheFoldersPlaceIsReported() throws IOException {
        Path file = Files.writeString(root.resolve("file"), "text");
        try (StitchedModel model = StitchCheckpoint.open(folder, LoadOptions.defaults())) {
            assertThrows(IOException.class, () -> StitchCheckpoint.save(model, file));
            assertThrows(IOException.class, () -> StitchCheckpoint.save(model, file.resolve("below")));
        }
        assertEquals("text", Files.readString(file));
        assertHolds(logits);
    }
}
