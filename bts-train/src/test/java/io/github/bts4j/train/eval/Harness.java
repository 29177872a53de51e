package io.github.bts4j.train.eval;

import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.github.bts4j.core.llama.Precision;
import io.github.bts4j.core.tokenizer.LlamaTokenizer;
import io.github.bts4j.core.torch.llama.LlamaModel;
import io.github.bts4j.core.torch.llama.LoadOptions;
import java.io.IOException;
import java.net.URISyntaxException;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.StreamSupport;
import org.junit.jupiter.api.function.Executable;

/** The small model that choice_golden.py makes, and what lm-evaluation-harness and SciPy gave. */
final class Harness {
    private Harness() {}

    static Path folder() {
        try {
            return Path.of(Harness.class.getResource("harness/golden.json").toURI()).getParent();
        } catch (URISyntaxException e) {
            throw new IllegalStateException(e);
        }
    }

    static JsonNode golden(String name) throws IOException {
        return new ObjectMapper().readTree(folder().resolve("golden.json").toFile()).path(name);
    }

    static LlamaModel model() throws IOException {
        return LlamaModel.open(folder(), LoadOptions.defaults().withPrecision(Precision.FLOAT32));
    }

    static LlamaTokenizer tokenizer() {
        return LlamaTokenizer.open(Path.of(System.getProperty("bts4j.testData")).resolve("tokenizer"));
    }

    static List<JsonNode> rows(JsonNode array) {
        return StreamSupport.stream(array.spliterator(), false).toList();
    }

    static double[] doubles(JsonNode array) {
        return rows(array).stream().mapToDouble(JsonNode::doubleValue).toArray();
    }

    static void assertRefused(String part, Executable call) {
        String message = assertThrows(IllegalArgumentException.class, call).getMessage();
        assertTrue(message.contains(part), message);
    }
}
