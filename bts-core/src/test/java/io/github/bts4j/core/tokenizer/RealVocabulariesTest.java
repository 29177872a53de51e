package io.github.bts4j.core.tokenizer;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/**
 * Published tokenizers of the families (tokenizer.json, llama.cpp's vocabulary files, Mistral's SentencePiece and tekken files as GGUF) against the packages of their
 * authors. Size and licences do not let the files travel with this project: {@code src-test-data/tools/real_vocabularies.py} fetches them; without them this test is skipped.
 */
@Tag("slow")
class RealVocabulariesTest {
    private static final Path FOLDER = Path.of(System.getProperty("bts4j.testData"), "real-vocabularies");

    @Test
    void giveThePackagesIds() throws IOException {
        assumeTrue(Files.exists(FOLDER.resolve("expected.json")), "run src-test-data/tools/real_vocabularies.py to have the tokenizers");
        List<String> differences = new ArrayList<>();
        JsonNode expected = Tokenizers.JSON.readTree(FOLDER.resolve("expected.json").toFile());
        for (Map.Entry<String, JsonNode> vocabulary : expected.properties()) {
            try (LlamaTokenizer tokenizer = LlamaTokenizer.open(FOLDER.resolve(vocabulary.getKey()))) {
                int texts = 0;
                for (JsonNode row : vocabulary.getValue()) {
                    String text = row.get(0).asText();
                    // SentencePiece and tekken know no special tokens in texts
                    int[] found = vocabulary.getKey().startsWith("mistral") ? tokenizer.encodeOrdinary(text) : tokenizer.encode(text, false);
                    if (!Arrays.equals(Tokenizers.ints(row.get(1)), found)) {
                        differences.add(vocabulary.getKey() + ": " + text + " " + Arrays.toString(found) + " for " + row.get(1));
                    }
                    texts++;
                }
                assertTrue(texts >= (vocabulary.getKey().startsWith("mistral") || Files.isDirectory(FOLDER.resolve(vocabulary.getKey())) ? 200 : 40), vocabulary.getKey() + ": " + texts + " texts");
            }
        }
        assertEquals(List.of(), differences);
        assertTrue(expected.size() >= 20, expected.size() + " tokenizers");
    }
}
