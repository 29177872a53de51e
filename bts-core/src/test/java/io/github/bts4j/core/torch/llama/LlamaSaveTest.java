package io.github.bts4j.core.torch.llama;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ai.djl.ndarray.NDArray;
import io.github.bts4j.core.OutputException;
import io.github.bts4j.core.checkpoint.Checkpoint;
import io.github.bts4j.core.golden.GoldenCase;
import io.github.bts4j.core.torch.Tensors;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** A model that is written and loaded again, in every golden precision. */
class LlamaSaveTest {
    @TempDir
    private Path folder;

    static List<Path> cases() {
        return GoldenCase.llama();
    }

    private static Map<String, String> hashes(LlamaModel model) {
        Map<String, String> hashes = new LinkedHashMap<>();
        model.tensors().forEach((name, tensor) -> hashes.put(name, Tensors.sha256(tensor)));
        return hashes;
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("cases")
    void aSavedModelIsTheSameModel(Path source) throws IOException {
        try (GoldenCase golden = new GoldenCase(source); LlamaModel model = LlamaModel.open(source)) {
            model.save(folder.resolve("saved"));
            try (LlamaModel saved = LlamaModel.open(folder.resolve("saved"))) {
                assertEquals(model.type(), saved.type());
                assertEquals(model.config(), saved.config().withDtype(model.config().dtype()));
                assertEquals(hashes(model), hashes(saved));
                NDArray ids = golden.tensor("input_ids");
                assertArrayEquals(model.forward(ids).toFloatArray(), saved.forward(ids).toFloatArray());
            }
        }
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("cases")
    void aModelMadeFromTensorsIsTheSameModel(Path source) throws IOException {
        try (LlamaModel model = LlamaModel.open(source);
                LlamaModel copy = LlamaModel.of("copy", model.config(), model.tensors(), LoadOptions.defaults().withPrecision(model.precision()))) {
            assertEquals(hashes(model), hashes(copy));
            for (Map.Entry<String, NDArray> tensor : copy.tensors().entrySet()) {
                assertArrayEquals(Tensors.toFloats(model.tensors().get(tensor.getKey())), Tensors.toFloats(tensor.getValue()));
            }
        }
    }

    /** One file of weights beside shards would be a checkpoint that nobody can read. */
    @Test
    void aFolderOfShardsIsRefused() throws IOException {
        Path shards = Files.createDirectory(folder.resolve("shards"));
        Files.writeString(shards.resolve(Checkpoint.INDEX_FILE), "{}");
        try (LlamaModel model = LlamaModel.open(Path.of(System.getProperty("bts4j.testData"), "golden", "llama2-gqa"))) {
            String message = assertThrows(OutputException.class, () -> model.save(shards)).getMessage();
            assertTrue(message.startsWith(shards + " contains a sharded checkpoint (model.safetensors.index.json)"), message);
        }
        assertArrayEquals(new String[] {Checkpoint.INDEX_FILE}, shards.toFile().list());
    }
}
