package io.github.bts4j.core.tokenizer;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.function.Consumer;
import java.util.stream.StreamSupport;

/** The tokenizers that the tests read. */
final class Tokenizers {

    static final ObjectMapper JSON = new ObjectMapper();
    static final Path BUNDLED = Path.of(System.getProperty("bts4j.testData"), "tokenizer");

    private Tokenizers() {}

    /** Opens {@code bytelevel} (the bundled one), {@code llama2} or {@code metaspace}; the latter two are copied into the folder, with roles beside them. */
    static LlamaTokenizer open(String name, Path folder) throws IOException {
        if (name.equals("bytelevel")) {
            return LlamaTokenizer.open(BUNDLED);
        }
        Files.write(folder.resolve("tokenizer.json"), resource(name + ".json"));
        Files.writeString(folder.resolve("tokenizer_config.json"), "{\"bos_token\": {\"content\": \"<s>\", \"lstrip\": false}, \"eos_token\": \"</s>\"}");
        return LlamaTokenizer.open(folder);
    }

    /** A changed copy of the bundled tokenizer.json. */
    static Path changed(Path folder, Consumer<ObjectNode> change) throws IOException {
        return changed(folder, Files.readAllBytes(BUNDLED.resolve("tokenizer.json")), change);
    }

    static Path changed(Path folder, byte[] original, Consumer<ObjectNode> change) throws IOException {
        ObjectNode root = (ObjectNode) JSON.readTree(original);
        change.accept(root);
        return Files.write(folder.resolve("tokenizer.json"), JSON.writeValueAsBytes(root));
    }

    static JsonNode golden(String name) throws IOException {
        return JSON.readTree(resource("golden.json")).path(name);
    }

    static List<JsonNode> rows(JsonNode array) {
        return StreamSupport.stream(array.spliterator(), false).toList();
    }

    static int[] ints(JsonNode array) {
        return rows(array).stream().mapToInt(JsonNode::intValue).toArray();
    }

    static byte[] resource(String name) throws IOException {
        try (InputStream stream = Tokenizers.class.getResourceAsStream(name)) {
            return stream.readAllBytes();
        }
    }
}
