package io.github.bts4j.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import io.github.bts4j.core.checkpoint.gguf.GgufFile;
import io.github.bts4j.core.llama.LlamaConfig;
import io.github.bts4j.core.torch.llama.LlamaModel;
import java.io.IOException;
import java.nio.file.Path;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What {@code inspect} and {@code plan} say of quantised files, against the tensors of the models that are opened. */
class QuantizedSizesTest {
    private static final Path DATA = Path.of(System.getProperty("bts4j.testData"), "gguf");

    @ParameterizedTest
    @ValueSource(strings = {"kept", "llama2-gqa-mixed", "qwen2-kept", "phi3-kept", "gemma3-kept"})
    void areThoseOfTheOpenedModel(String name) throws IOException {
        Path file = DATA.resolve(name + ".gguf");
        LlamaConfig config = LlamaConfig.read(file);
        long bytes;
        try (LlamaModel model = LlamaModel.open(file)) {
            bytes = model.weightBytes();
        }
        assertEquals(bytes, Commands.done("inspect", file, "--json").json().get("memory_bytes").asLong());
        assertTrue(Commands.done("inspect", file).out().contains(String.format(java.util.Locale.ROOT, "in memory %,d bytes, matrices as they are stored", bytes)));

        JsonNode plan = Commands.done("plan", file, file, file, "--stitches", config.numLayers(), "--sequence", 8, "--json").json();
        assertEquals(3 * bytes, plan.at("/memory/frozen").asLong());
        long table = GgufFile.open(file).tensors().get("token_embd.weight").length();
        assertEquals(bytes - (config.tieWordEmbeddings() ? 0 : table), plan.at("/decoding/hub").asLong(), "all but a table of embeddings that is not the head");
        JsonNode off = plan.at("/memory/activations");
        JsonNode full = Commands.done("plan", file, file, file, "--stitches", config.numLayers(), "--sequence", 8, "--checkpointing", "full", "--json").json().at("/memory/activations");
        assertTrue(off.asLong() > full.asLong(), off + " and " + full);
    }
}
