package io.github.bts4j.stitch.baseline;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.ObjectMapper;
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
import org.junit.jupiter.params.provider.ValueSource;

/** Router checkpoints: what they hold and what they are bound to. How the files are replaced is tested with the stitches'. */
class RouterCheckpointTest {
    private static final ObjectMapper JSON = new ObjectMapper();

    @TempDir
    private Path root;
    private Path bases;
    private Path folder;
    private float[][] losses;

    @BeforeEach
    void save() throws IOException {
        bases = root.resolve("bases");
        folder = root.resolve("runs").resolve("router");
        for (String name : List.of("hub", "code", "math")) {
            copy(Routing.root().resolve("bts-3x4").resolve(name), bases.resolve(name));
        }
        try (RoutedExperts routed = Routing.open(bases, LoadOptions.defaults()); RoutedExperts early = routed.withDecisionTokens(5)) {
            losses = early.tokenLosses(Routing.tokens(6));
            RouterCheckpoint.save(early, folder);
        }
    }

    private static void copy(Path from, Path to) throws IOException {
        Files.createDirectories(to);
        try (Stream<Path> files = Files.list(from)) {
            for (Path file : files.toList()) {
                Files.copy(file, to.resolve(file.getFileName()));
            }
        }
    }

    private Path weights() throws IOException {
        try (Stream<Path> files = Files.list(folder)) {
            List<Path> found = files.filter(file -> file.toString().endsWith(".safetensors")).toList();
            assertEquals(1, found.size());
            return found.get(0);
        }
    }

    private String refusal(Map<String, Path> moved) {
        return assertThrows(MismatchException.class, () -> RouterCheckpoint.open(folder, moved, LoadOptions.defaults()).close()).getMessage();
    }

    private ModelFormatException broken() {
        return assertThrows(ModelFormatException.class, () -> RouterCheckpoint.open(folder, LoadOptions.defaults()).close());
    }

    private static void flipByte(Path file) throws IOException {
        byte[] bytes = Files.readAllBytes(file);
        bytes[bytes.length - 5] ^= 1;
        Files.write(file, bytes);
    }

    @Test
    void aCheckpointGivesTheSameModelToTheBit() throws IOException {
        try (RoutedExperts routed = RouterCheckpoint.open(folder, LoadOptions.defaults())) {
            assertEquals(5, routed.decisionTokens());
            assertEquals(List.of("hub", "code", "math"), routed.members().stream().map(member -> member.name()).toList());
            assertArrayEquals(losses, routed.tokenLosses(Routing.tokens(6)));
        }
        assertEquals(List.of("router.weight"), SafetensorsFile.open(weights()).entries().stream().map(entry -> entry.name()).toList());
        assertTrue(Files.size(weights()) < 4 * 3 * 48 + 512, "size " + Files.size(weights()));
    }

    @Test
    void aChangedModelIsRefusedByName() throws IOException {
        flipByte(bases.resolve("math").resolve("model.safetensors"));
        String message = refusal(Map.of());
        assertTrue(message.contains("The router checkpoint in ") && message.contains("model 'math' in ")
                && message.contains("is not the one this router was trained with: model.safetensors: recorded SHA-256 "), message);
    }

    @Test
    void movedModelsAreFoundWhereTheCallerSays() throws IOException {
        Path code = root.resolve("elsewhere");
        Files.move(bases.resolve("code"), code);
        assertTrue(refusal(Map.of()).contains("model 'code' is not in "));
        try (RoutedExperts routed = RouterCheckpoint.open(folder, Map.of("code", code), LoadOptions.defaults())) {
            assertArrayEquals(losses, routed.tokenLosses(Routing.tokens(6)));
        }
        assertTrue(refusal(Map.of("poetry", code)).contains("there is no model 'poetry'"));
    }

    @Test
    void damagedWeightsAreRefused() throws IOException {
        Path weights = weights();
        flipByte(weights);
        assertEquals(weights, broken().file());
    }

    @ParameterizedTest
    @ValueSource(strings = {"format", "weights", "sha256", "decisionTokens", "models"})
    void aMissingOrWrongEntryIsRefused(String key) throws IOException {
        Path file = folder.resolve(RouterCheckpoint.DESCRIPTION);
        byte[] whole = Files.readAllBytes(file);
        List<Consumer<ObjectNode>> changes = List.of(description -> description.remove(key), description -> description.putNull(key),
                description -> description.putObject(key).put("a", 1), description -> description.put("unknown", 1));
        for (Consumer<ObjectNode> change : changes) {
            ObjectNode description = (ObjectNode) JSON.readTree(whole);
            change.accept(description);
            JSON.writeValue(file.toFile(), description);
            assertEquals(file, broken().file());
        }
    }

    @Test
    void valuesThatMakeNoRouterAreRefused() throws IOException {
        Path file = folder.resolve(RouterCheckpoint.DESCRIPTION);
        byte[] whole = Files.readAllBytes(file);
        List<Consumer<ObjectNode>> changes = List.of(description -> description.put("decisionTokens", 0), description -> description.putArray("models").addNull(),
                description -> description.put("weights", "../router-0123456789abcdef.safetensors"), description -> description.put("weights", "stitch-0123456789abcdef.safetensors"));
        for (Consumer<ObjectNode> change : changes) {
            ObjectNode description = (ObjectNode) JSON.readTree(whole);
            change.accept(description);
            JSON.writeValue(file.toFile(), description);
            assertEquals(file, broken().file());
        }
    }

    @Test
    void stitchesAndARouterShareAFolder() throws IOException {
        Files.writeString(folder.resolve("stitch-0123456789abcdef.safetensors"), "another kind's");
        try (RoutedExperts routed = RouterCheckpoint.open(folder, LoadOptions.defaults())) {
            Routing.set(routed, new float[3 * 48]);
            RouterCheckpoint.save(routed, folder);
        }
        assertTrue(Files.exists(folder.resolve("stitch-0123456789abcdef.safetensors")), "only files of its own kind are removed");
        try (RoutedExperts routed = RouterCheckpoint.open(folder, LoadOptions.defaults())) {
            assertEquals(0, routed.choose(1, 2, 3));
        }
    }
}
