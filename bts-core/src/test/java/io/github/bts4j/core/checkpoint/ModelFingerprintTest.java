package io.github.bts4j.core.checkpoint;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Hashes against published values and against coreutils' sha256sum. */
class ModelFingerprintTest {

    /** FIPS 180-2, appendix B.1. */
    private static final String ABC = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
    private static final String EMPTY = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
    private static final Path GOLDEN = Path.of(System.getProperty("bts4j.testData"), "golden");

    @TempDir
    private Path folder;

    @Test
    void hashesOfFilesAndBuffers() throws IOException {
        byte[] abc = "abc".getBytes(StandardCharsets.UTF_8);
        assertEquals(ABC, ModelFingerprint.sha256(Files.write(folder.resolve("abc"), abc)));
        assertEquals(EMPTY, ModelFingerprint.sha256(Files.createFile(folder.resolve("empty"))));
        ByteBuffer middle = ByteBuffer.wrap("xabcx".getBytes(StandardCharsets.UTF_8), 1, 3);
        assertEquals(ABC, ModelFingerprint.sha256(middle));
        assertEquals(1, middle.position());
        assertEquals(3, middle.remaining());
        ByteBuffer direct = ByteBuffer.allocateDirect(3).put(abc).flip();
        assertEquals(ABC, ModelFingerprint.sha256(direct.asReadOnlyBuffer()));
        byte[] large = new byte[1_000_000];
        assertEquals(ModelFingerprint.sha256(ByteBuffer.wrap(large)),
                ModelFingerprint.sha256(Files.write(folder.resolve("large"), large)));
    }

    @Test
    void theFilesOfAShardedModel() {
        ModelFingerprint fingerprint = ModelFingerprint.of(GOLDEN.resolve("llama32-tied-scaled-bf16"));
        assertEquals(List.of("config.json", "model-00001-of-00003.safetensors", "model-00002-of-00003.safetensors",
                "model-00003-of-00003.safetensors", "model.safetensors.index.json"),
                List.copyOf(fingerprint.files().keySet()));
        assertEquals("5de73efe527dde8ad14bf76aa4e8238a82ce8770897fe021716ed7c67572841b",
                fingerprint.files().get("config.json"));
        assertEquals("f35db024cf7255f30294367eec3af17147fb633098995e301fc3fa2f0f502541",
                fingerprint.files().get("model-00002-of-00003.safetensors"));
    }

    @Test
    void theTokenizerCountsAndOtherFilesDoNot() throws IOException {
        model();
        ModelFingerprint bare = ModelFingerprint.of(folder);
        assertEquals(List.of("config.json", "model.safetensors"), List.copyOf(bare.files().keySet()));
        Files.writeString(folder.resolve("README.md"), "x");
        SafetensorsBytes.shard(folder.resolve("unused.safetensors"), "w");
        assertEquals(bare, ModelFingerprint.of(folder));
        Files.writeString(folder.resolve("tokenizer.json"), "abc");
        assertEquals(ABC, ModelFingerprint.of(folder).files().get("tokenizer.json"));
    }

    @Test
    void aDifferenceNamesFilesAndHashes() throws IOException {
        model();
        Files.writeString(folder.resolve("tokenizer.json"), "abc");
        ModelFingerprint recorded = ModelFingerprint.of(folder);
        assertEquals("", recorded.describeDifference(ModelFingerprint.of(folder)));

        Files.writeString(folder.resolve("config.json"), "abc");
        Files.delete(folder.resolve("tokenizer.json"));
        ModelFingerprint found = ModelFingerprint.of(folder);

        assertNotEquals(recorded, found);
        assertEquals("config.json: recorded SHA-256 e3b0c44298fc..., found SHA-256 ba7816bf8f01...; "
                + "tokenizer.json: recorded SHA-256 ba7816bf8f01..., found no such file",
                recorded.describeDifference(found));
        assertEquals("config.json: recorded SHA-256 ba7816bf8f01..., found SHA-256 e3b0c44298fc...; "
                + "tokenizer.json: recorded no such file, found SHA-256 ba7816bf8f01...",
                found.describeDifference(recorded));
    }

    @Test
    void oneFlippedBitOfAWeightIsNoticed() throws IOException {
        Path weights = model();
        ModelFingerprint before = ModelFingerprint.of(folder);
        byte[] bytes = Files.readAllBytes(weights);
        bytes[bytes.length - 1] ^= 1;
        Files.write(weights, bytes);
        ModelFingerprint after = ModelFingerprint.of(folder);
        assertEquals("model.safetensors: recorded SHA-256 " + before.files().get("model.safetensors").substring(0, 12)
                + "..., found SHA-256 " + after.files().get("model.safetensors").substring(0, 12) + "...",
                before.describeDifference(after));
    }

    @Test
    void survivesJson() throws IOException {
        ObjectMapper json = new ObjectMapper();
        ModelFingerprint fingerprint = new ModelFingerprint(Map.of("b", ABC, "a/b", EMPTY));
        String text = json.writeValueAsString(fingerprint);
        assertEquals("{\"files\":{\"a/b\":\"" + EMPTY + "\",\"b\":\"" + ABC + "\"}}", text);
        assertEquals(fingerprint, json.readValue(text, ModelFingerprint.class));
    }

    @Test
    void incompleteModelsAndMalformedHashes() throws IOException {
        Path config = folder.resolve("config.json");
        SafetensorsBytes.shard(folder.resolve("model.safetensors"), "w");
        assertEquals(config + ": the file does not exist; is the model complete?",
                assertThrows(ModelFormatException.class, () -> ModelFingerprint.of(folder)).getMessage());
        Files.createDirectory(config);
        assertEquals(config + ": not a regular file",
                assertThrows(ModelFormatException.class, () -> ModelFingerprint.of(folder)).getMessage());
        Path file = folder.resolve("model.safetensors");
        assertEquals(file + ": neither a GGUF file nor a folder; give the folder that holds config.json",
                assertThrows(ModelFormatException.class, () -> ModelFingerprint.of(file)).getMessage());
        assertEquals("SHA-256 of a = 'BA78' is not 64 lower-case hexadecimal digits",
                assertThrows(IllegalArgumentException.class, () -> new ModelFingerprint(Map.of("a", "BA78"))).getMessage());
    }

    private Path model() throws IOException {
        Files.writeString(folder.resolve("config.json"), "");
        return SafetensorsBytes.shard(folder.resolve("model.safetensors"), "w");
    }
}
