package io.github.bts4j.core.checkpoint;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Folders with shards, right and wrong. */
class CheckpointTest {

    private static final String DISAGREE = ": index and shards disagree; are all files of the same download? ";

    @TempDir
    private Path folder;

    private String refusal() {
        return assertThrows(ModelFormatException.class, () -> Checkpoint.open(folder)).getMessage();
    }

    private Path shard(String file, String... tensors) {
        return SafetensorsBytes.shard(folder.resolve(file), tensors);
    }

    @Test
    void mergesShardsInTheOrderOfTheirNames() throws IOException {
        Files.createDirectory(folder.resolve("deep"));
        Path second = shard("b.safetensors", "z", "y");
        Path first = shard("a.safetensors", "x");
        Path third = shard("deep/c.safetensors", "w");
        SafetensorsBytes.index(folder, Map.of("w", "deep/c.safetensors", "x", "a.safetensors", "y", "b.safetensors",
                "z", "b.safetensors"));

        Checkpoint checkpoint = Checkpoint.open(folder);

        assertEquals(List.of(first, second, third), checkpoint.files());
        assertEquals(List.of("x", "z", "y", "w"), checkpoint.entries().stream().map(TensorEntry::name).toList());
        assertEquals(second, checkpoint.entry("y").file());
        assertEquals(ByteBuffer.wrap(new byte[] {2, 3}), checkpoint.read(checkpoint.entry("y")));
    }

    @Test
    void aShardMayBeALinkOutOfTheFolderAsInTheHuggingFaceCache(@TempDir Path blobs) throws IOException {
        Path blob = SafetensorsBytes.shard(blobs.resolve("0123abcd"), "x");
        Files.createSymbolicLink(folder.resolve("a.safetensors"), blob);
        SafetensorsBytes.index(folder, Map.of("x", "a.safetensors"));
        assertEquals(List.of("x"), Checkpoint.open(folder).entries().stream().map(TensorEntry::name).toList());
    }

    @Test
    void allDisagreementsAreReportedAtOnce() {
        shard("a.safetensors", "both", "stray", "moved");
        shard("b.safetensors", "both");
        SafetensorsBytes.write(folder.resolve("short.safetensors"), new byte[3]);
        Path index = SafetensorsBytes.index(folder, new TreeMap<>(Map.of(
                "absent", "a.safetensors", "both", "a.safetensors", "moved", "b.safetensors", "n", "missing.safetensors",
                "o", "../outside.safetensors", "p", "short.safetensors")));

        assertEquals(String.join("\n  - ",
                index + DISAGREE + "(7 problems):",
                index + ": shard name '../outside.safetensors' is not the name of a .safetensors file inside the folder",
                folder.resolve("missing.safetensors") + ": the file does not exist; is the path right, and the download "
                        + "complete?",
                folder.resolve("short.safetensors") + ": the file has 3 bytes; a safetensors file has at least 8: is the "
                        + "download complete?",
                "tensor 'stray' is in a.safetensors, but not in the index",
                "tensor 'both' is in two shards, a.safetensors and b.safetensors",
                "tensor 'absent' should be in a.safetensors, but is in no shard",
                "tensor 'moved' should be in b.safetensors, but is in a.safetensors"), refusal());
    }

    @ParameterizedTest
    @ValueSource(strings = {"../x.safetensors", "/etc/x.safetensors", "a/../../x.safetensors", "./x.safetensors",
        "a//x.safetensors", "..\\\\x.safetensors", "C:x.safetensors", "x\\u0000.safetensors", "", ".", "..",
        "config.json", "x.safetensors/", "model.safetensors.index.json"})
    void shardNamesStayInsideTheFolder(String name) {
        Path index = SafetensorsBytes.index(folder, Map.of("w", name));
        String message = refusal();
        assertTrue(message.startsWith(index + DISAGREE + "(1 problem):\n  - " + index + ": shard name '"), message);
        assertTrue(message.endsWith("' is not the name of a .safetensors file inside the folder"), message);
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '`', value = {
        "[]|byte 0: the index must be an object, found an array",
        "{}|the key 'weight_map' is missing; it must name the shard of each tensor",
        "{'weight_map':{}}|the key 'weight_map' is empty; it must name the shard of each tensor",
        "{'weight_map':[]}|byte 14: weight_map must be an object, found an array",
        "{'weight_map':{'w':1}}|tensor 'w', byte 19: the name of its shard must be a string, found a whole number",
        "{'weight_map':{'w':'a','w':'b'}}"
                + "|byte 26: not valid JSON: Duplicate field 'w'; is the file damaged or of another format?",
        "{'metadata':{'a':[1,{}]},'weight_map':{'w':'a.safetensors'}} x|byte 61: not valid JSON: Unrecognized token 'x': "
                + "was expecting (JSON String, Number, Array, Object or token 'null', 'true' or 'false'); "
                + "is the file damaged or of another format?"
    })
    void anIndexOfTheWrongForm(String json, String message) {
        Path index = SafetensorsBytes.write(folder.resolve("model.safetensors.index.json"),
                json.replace('\'', '"').getBytes(StandardCharsets.UTF_8));
        assertEquals(index + ": " + message, refusal());
    }

    @Test
    void deepNestingInTheIndex() {
        SafetensorsBytes.write(folder.resolve("model.safetensors.index.json"),
                ("{\"metadata\":" + "[".repeat(1_000_000)).getBytes(StandardCharsets.UTF_8));
        String message = refusal();
        assertTrue(message.contains("nesting depth (17) exceeds the maximum allowed (16"), message);
    }

    @Test
    void aFileNamedGgufIsNotTakenForSafetensors() {
        for (byte[] bytes : new byte[][] {{}, "GGML and more".getBytes(StandardCharsets.UTF_8)}) {
            Path file = folder.resolve("model.gguf");
            SafetensorsBytes.write(file, bytes);
            assertEquals(file + ": is not a GGUF file: it does not begin with the bytes GGUF; was it downloaded whole?",
                    assertThrows(ModelFormatException.class, () -> Checkpoint.open(file)).getMessage());
        }
    }

    @Test
    void foldersThatHoldNoCheckpointOrTwo() {
        assertEquals(folder + ": holds neither model.safetensors nor model.safetensors.index.json: is this the folder of "
                + "a checkpoint in safetensors format?", refusal());
        shard("model.safetensors", "w");
        assertEquals(1, Checkpoint.open(folder).entries().size());
        SafetensorsBytes.index(folder, Map.of("w", "model.safetensors"));
        assertEquals(folder + ": holds both model.safetensors and model.safetensors.index.json: remove the one that is "
                + "out of date, or open a .safetensors file directly", refusal());
        assertEquals(1, Checkpoint.open(folder.resolve("model.safetensors")).entries().size());
    }

    @Test
    void pathsThatDoNotExist() {
        Path missing = folder.resolve("missing");
        assertEquals(missing + ": the file does not exist; is the path right, and the download complete?",
                assertThrows(ModelFormatException.class, () -> Checkpoint.open(missing)).getMessage());
    }
}
