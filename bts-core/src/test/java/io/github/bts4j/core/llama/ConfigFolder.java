package io.github.bts4j.core.llama;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** A folder with a small valid config.json, for tests that break it. */
record ConfigFolder(Path path) {
    private static final ObjectMapper MAPPER = new ObjectMapper();

    static final String SMALL = """
            {"architectures": ["LlamaForCausalLM"], "model_type": "llama", "hidden_act": "silu", "vocab_size": 32, "hidden_size": 16,
             "intermediate_size": 24, "num_hidden_layers": 2, "num_attention_heads": 4, "num_key_value_heads": 2,
             "max_position_embeddings": 64, "rms_norm_eps": 1e-5, "rope_theta": 10000.0, "torch_dtype": "bfloat16",
             "bos_token_id": 1, "eos_token_id": 2}
            """;

    /** The small configuration with some keys replaced or added. */
    ConfigFolder with(String json) throws IOException {
        ObjectNode config = (ObjectNode) MAPPER.readTree(SMALL);
        config.setAll((ObjectNode) MAPPER.readTree(json));
        return holding(config.toString());
    }

    ConfigFolder without(String key) throws IOException {
        ObjectNode config = (ObjectNode) MAPPER.readTree(SMALL);
        config.remove(key);
        return holding(config.toString());
    }

    ConfigFolder holding(String text) throws IOException {
        Files.writeString(path.resolve("config.json"), text);
        return this;
    }

    ConfigFolder generation(String text) throws IOException {
        Files.writeString(path.resolve("generation_config.json"), text);
        return this;
    }

    JsonNode written() throws IOException {
        return MAPPER.readTree(path.resolve("config.json").toFile());
    }

    LlamaConfig read() throws IOException {
        return LlamaConfig.read(path);
    }

    static Path golden(String name) {
        return Path.of(System.getProperty("bts4j.testData"), "golden").resolve(name);
    }
}
