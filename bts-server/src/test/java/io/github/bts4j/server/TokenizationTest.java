package io.github.bts4j.server;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import io.github.bts4j.core.chat.ChatMessage;
import io.github.bts4j.core.chat.ChatTemplate;
import java.io.IOException;
import java.net.http.HttpResponse;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Token ids of texts and chats, and back. */
class TokenizationTest {
    @TempDir
    private static Path folder;

    private static TestServer server;

    @BeforeAll
    static void start() throws IOException {
        server = new TestServer(folder, TestServer.CONFIG);
    }

    @AfterAll
    static void stop() {
        server.close();
    }

    private static int[] ids(JsonNode response) {
        int[] ids = new int[response.get("tokens").size()];
        for (int i = 0; i < ids.length; i++) {
            ids[i] = response.get("tokens").get(i).intValue();
        }
        return ids;
    }

    @Test
    void textsAndChats() throws IOException, InterruptedException {
        JsonNode text = server.ask("/tokenize", "{\"model\":\"tiny\",\"prompt\":\"Hello wörld\",\"add_special_tokens\":false,\"return_token_strs\":true}");
        org.junit.jupiter.api.Assertions.assertArrayEquals(server.tokenizer.encode("Hello wörld", false), ids(text));
        assertEquals(text.get("count").intValue(), text.get("token_strs").size());
        assertEquals(2048, text.get("max_model_len").intValue());
        assertEquals("Hello wörld", server.ask("/detokenize", "{\"tokens\":" + text.get("tokens") + "}").get("prompt").asText());
        JsonNode chat = server.ask("/tokenize", "{\"messages\":[{\"role\":\"user\",\"content\":\"Hi\"}]}");
        org.junit.jupiter.api.Assertions.assertArrayEquals(ChatTemplate.llama2().encode(server.tokenizer, List.of(ChatMessage.user("Hi")), true), ids(chat));
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '`', value = {"/tokenize | prompt | {}", "/tokenize | prompt | {\"prompt\":5}", "/tokenize | model | {\"model\":\"x\",\"prompt\":\"a\"}",
        "/detokenize | tokens | {}", "/detokenize | tokens | {\"tokens\":[99999]}", "/detokenize | tokens | {\"tokens\":[-1]}", "/detokenize | tokens | {\"tokens\":[\"a\"]}", "/detokenize | text | {\"tokens\":[1],\"text\":1}"})
    void mistakesAreNamed(String path, String field, String body) throws IOException, InterruptedException {
        HttpResponse<String> response = server.post(path, body);
        assertTrue(response.statusCode() >= 400 && response.statusCode() < 500, response.body());
        assertEquals(field, TestServer.JSON.readTree(response.body()).at("/error/param").asText(), response.body());
    }
}
