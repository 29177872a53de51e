package io.github.bts4j.train.data;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.github.bts4j.core.MismatchException;
import io.github.bts4j.core.chat.ChatTemplate;
import io.github.bts4j.core.tokenizer.LlamaTokenizer;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.StreamSupport;
import java.util.zip.GZIPInputStream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Token ids and masks of 100 conversations by six published templates are those of trl's SFTTrainer; {@code tools/sft_masks_golden.py} wrote them. */
class SftMasksGoldenTest {
    private static final Path DATA = Path.of(System.getProperty("bts4j.testData"));
    private static final ObjectMapper JSON = new ObjectMapper();

    @TempDir
    static Path folder;

    private static JsonNode golden;
    private static LlamaTokenizer tokenizer;

    @BeforeAll
    static void open() throws IOException {
        try (InputStream in = new GZIPInputStream(Files.newInputStream(DATA.resolve("chat/sft.json.gz")))) {
            golden = JSON.readTree(in);
        }
        ObjectNode json = (ObjectNode) JSON.readTree(DATA.resolve("tokenizer/tokenizer.json").toFile());
        ArrayNode added = json.withArray("added_tokens");
        golden.get("special").properties().forEach(mark -> added.addObject().put("id", mark.getValue().asInt()).put("content", mark.getKey()).put("single_word", false)
                .put("lstrip", false).put("rstrip", false).put("normalized", false).put("special", true));
        Files.writeString(folder.resolve("tokenizer.json"), json.toString());
        Files.copy(DATA.resolve("tokenizer/tokenizer_config.json"), folder.resolve("tokenizer_config.json"));
        tokenizer = LlamaTokenizer.open(folder);
    }

    @AfterAll
    static void close() {
        tokenizer.close();
    }

    private static ChatEncoder encoder(String template) throws IOException {
        return new ChatEncoder(ChatTemplate.of(folder, Files.readString(DATA.resolve("chat/templates/trl").resolve(template + ".jinja"))), tokenizer);
    }

    private static void assertEncoded(String what, JsonNode expected, int[] found) {
        int[] ids = ints(expected.get("ids"));
        int[] counted = ints(expected.get("counted"));
        int[] foundIds = new int[found.length];
        int[] foundCounted = new int[found.length];
        for (int t = 0; t < found.length; t++) {
            foundIds[t] = found[t] < 0 ? ~found[t] : found[t];
            foundCounted[t] = found[t] < 0 ? 0 : 1;
        }
        assertArrayEquals(ids, foundIds, what);
        assertArrayEquals(counted, foundCounted, what);
    }

    private static int[] ints(JsonNode list) {
        return StreamSupport.stream(list.spliterator(), false).mapToInt(JsonNode::asInt).toArray();
    }

    /** By the marks of the templates. */
    @Test
    void messages() throws IOException {
        int conversations = 0;
        for (Map.Entry<String, JsonNode> template : golden.get("messages").properties()) {
            ChatEncoder encoder = encoder(template.getKey());
            for (Map.Entry<String, JsonNode> row : template.getValue().properties()) {
                assertEncoded(template.getKey() + " " + row.getKey(), row.getValue(), encoder.encode(golden.get("rows").get(Integer.parseInt(row.getKey())).toString()));
                conversations++;
            }
        }
        assertEquals(6, golden.get("messages").size());
        assertTrue(conversations > 550, conversations + " conversations");
    }

    /** By prefix, for these templates mark nothing. */
    @Test
    void promptsAndCompletions() throws IOException {
        Map<String, Integer> refused = new TreeMap<>();
        int compared = 0;
        for (Map.Entry<String, JsonNode> template : golden.get("completions").properties()) {
            ChatEncoder encoder = encoder(template.getKey());
            for (Map.Entry<String, JsonNode> row : template.getValue().properties()) {
                JsonNode messages = golden.get("rows").get(Integer.parseInt(row.getKey())).get("messages");
                ObjectNode split = JSON.createObjectNode();
                ArrayNode prompt = split.putArray("prompt");
                for (int i = 0; i + 1 < messages.size(); i++) {
                    prompt.add(messages.get(i));
                }
                split.putArray("completion").add(messages.get(messages.size() - 1));
                int[] found;
                try {
                    found = encoder.encode(split.toString());
                } catch (MismatchException e) {
                    assertTrue(e.getMessage().contains("renders the prompt that asks for message"), e.getMessage());
                    refused.merge(template.getKey(), 1, Integer::sum);
                    continue;
                }
                assertEncoded(template.getKey() + " " + row.getKey(), row.getValue(), found);
                compared++;
            }
        }
        assertEquals(Map.of(), refused);
        assertTrue(compared > 500, compared + " compared");
    }
}
