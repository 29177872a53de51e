package io.github.bts4j.core.checkpoint;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.github.bts4j.core.support.ElementType;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.TreeSet;
import java.util.stream.StreamSupport;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Reads every checkpoint of the golden data and compares it with the raw bytes, taken apart independently. */
class GoldenCheckpointsTest {

    private static final Path GOLDEN = Path.of(System.getProperty("bts4j.testData"), "golden");
    private static final ObjectMapper JSON = new ObjectMapper();

    static List<Path> files() throws IOException {
        try (var all = Files.walk(GOLDEN)) {
            return all.filter(file -> file.toString().endsWith(".safetensors")).sorted().toList();
        }
    }

    @Test
    void theGoldenDataIsThere() throws IOException {
        assertTrue(files().size() >= 23, () -> "too few safetensors files under " + GOLDEN);
    }

    @ParameterizedTest
    @MethodSource("files")
    void everyTensorHasTheShapeAndBytesOfTheFile(Path path) throws IOException {
        byte[] raw = Files.readAllBytes(path);
        int headerLength = (int) ByteBuffer.wrap(raw).order(ByteOrder.LITTLE_ENDIAN).getLong();
        JsonNode header = JSON.readTree(raw, 8, headerLength);
        int tensors = header.size() - (header.has("__metadata__") ? 1 : 0);

        SafetensorsFile file = SafetensorsFile.open(path);

        assertEquals(tensors, file.entries().size());
        assertEquals(header.path("__metadata__").path("format").asText(), file.metadata().getOrDefault("format", ""));
        for (TensorEntry entry : file.entries()) {
            JsonNode expected = header.get(entry.name());
            int begin = 8 + headerLength + expected.get("data_offsets").get(0).intValue();
            int end = 8 + headerLength + expected.get("data_offsets").get(1).intValue();
            assertEquals(expected.get("dtype").textValue(), entry.type().fileName());
            assertArrayEquals(
                    StreamSupport.stream(expected.get("shape").spliterator(), false)
                            .mapToLong(JsonNode::longValue)
                            .toArray(),
                    entry.dimensions());
            assertEquals(begin, entry.offset());
            assertEquals(end, entry.end());
            assertArrayEquals(Arrays.copyOfRange(raw, begin, end), file.read(entry).array(), entry.name());
        }
    }

    @Test
    void aShardedModelIsReadAsOne() throws IOException {
        Path folder = GOLDEN.resolve("llama32-tied-scaled-bf16");
        JsonNode index = JSON.readTree(folder.resolve("model.safetensors.index.json").toFile());

        Checkpoint checkpoint = Checkpoint.open(folder);

        assertEquals(folder.resolve("model.safetensors.index.json"), checkpoint.index().orElseThrow());
        assertEquals(List.of("model-00001-of-00003.safetensors", "model-00002-of-00003.safetensors",
                "model-00003-of-00003.safetensors"),
                checkpoint.files().stream().map(file -> file.getFileName().toString()).toList());
        assertEquals(index.get("metadata").get("total_parameters").longValue(),
                checkpoint.entries().stream().mapToLong(TensorEntry::elements).sum());
        assertEquals(index.get("metadata").get("total_size").longValue(),
                checkpoint.entries().stream().mapToLong(TensorEntry::length).sum());
        TreeSet<String> names = new TreeSet<>();
        index.get("weight_map").properties().forEach(tensor -> {
            names.add(tensor.getKey());
            TensorEntry entry = checkpoint.entry(tensor.getKey());
            assertEquals(folder.resolve(tensor.getValue().textValue()), entry.file());
            assertEquals(ElementType.BFLOAT16, entry.type());
            assertEquals(SafetensorsFile.open(entry.file()).read(entry), checkpoint.read(entry), entry.name());
        });
        assertEquals(names, new TreeSet<>(checkpoint.entries().stream().map(TensorEntry::name).toList()));
    }

    @Test
    void aSingleFileModelIsReadFromItsFolderAndDirectly() {
        Path folder = GOLDEN.resolve("llama2-gqa");

        Checkpoint fromFolder = Checkpoint.open(folder);
        Checkpoint direct = Checkpoint.open(folder.resolve("model.safetensors"));

        assertEquals(30, fromFolder.entries().size());
        assertEquals(fromFolder.entries(), direct.entries());
        assertEquals(List.of(folder.resolve("model.safetensors")), fromFolder.files());
        assertTrue(fromFolder.index().isEmpty());
        assertTrue(direct.contains("model.embed_tokens.weight"));
    }
}
