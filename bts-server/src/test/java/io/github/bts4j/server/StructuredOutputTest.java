package io.github.bts4j.server;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.github.bts4j.core.constraint.RandomSchemas;
import io.github.bts4j.core.constraint.RandomTexts;
import java.io.IOException;
import java.net.http.HttpResponse;
import java.nio.file.Path;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** {@code response_format} with a model of random weights, which knows nothing of JSON: every finished answer fits. */
class StructuredOutputTest {
    private static final String CHAT = "{\"model\":\"tiny\",\"messages\":[{\"role\":\"user\",\"content\":\"A\"}],\"max_tokens\":120}";

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

    /** Random models seldom close a quote or a brace. */
    private static ObjectNode request(JsonNode schema, long seed) throws IOException {
        ObjectNode request = (ObjectNode) TestServer.JSON.readTree(CHAT);
        request.put("seed", seed).put("temperature", 0.7);
        ObjectNode format = request.putObject("response_format").put("type", "json_schema").putObject("json_schema").put("name", "answer").put("strict", true);
        format.set("schema", schema);
        for (String closing : new String[] {"\"", "}", "]"}) {
            request.withObject("/logit_bias").put(Integer.toString(server.tokenizer.tokenId(closing)), 6);
        }
        return request;
    }

    private static void answersFit(int schemas) throws IOException, InterruptedException {
        int finished = 0;
        int unfinished = 0;
        for (int i = 0; i < schemas; i++) {
            JsonNode schema = new RandomSchemas(i).next();
            HttpResponse<String> response = server.post("/v1/chat/completions", request(schema, i).toString());
            JsonNode answer = TestServer.JSON.readTree(response.body());
            if (response.statusCode() == 400) {
                assertEquals("response_format", answer.at("/error/param").asText(), response.body());
                continue;
            }
            assertEquals(200, response.statusCode(), response.body());
            if (answer.at("/choices/0/finish_reason").asText().equals("stop")) {
                finished++;
                String text = answer.at("/choices/0/message/content").asText();
                assertEquals("", RandomTexts.problems(schema, text), () -> schema + "\n" + text);
            } else {
                unfinished++;
            }
        }
        System.out.println(schemas + " schemas, " + finished + " finished answers, " + unfinished + " at their limit");
        assertTrue(finished > schemas / 2, finished + " of " + schemas);
    }

    @Test
    void everyFinishedAnswerFitsItsSchema() throws IOException, InterruptedException {
        answersFit(60);
    }

    @Test
    @Tag("slow")
    void everyFinishedAnswerOf2000SchemasFits() throws IOException, InterruptedException {
        answersFit(2000);
    }

    @Test
    void objectsStreamsAndCompletions() throws IOException, InterruptedException {
        ObjectNode chat = request(TestServer.JSON.readTree("{\"type\":\"object\",\"properties\":{\"answer\":{\"type\":\"integer\",\"minimum\":10,\"maximum\":99},\"sure\":{\"type\":\"boolean\"}},"
                + "\"required\":[\"answer\",\"sure\"],\"additionalProperties\":false}"), 5);
        JsonNode whole = server.ask("/v1/chat/completions", chat.toString());
        String content = whole.at("/choices/0/message/content").asText();
        JsonNode parsed = TestServer.JSON.readTree(content);
        assertTrue(parsed.get("answer").intValue() >= 10 && parsed.get("answer").intValue() <= 99 && parsed.get("sure").isBoolean(), content);
        assertEquals("stop", whole.at("/choices/0/finish_reason").asText());
        StringBuilder streamed = new StringBuilder();
        server.stream("/v1/chat/completions", chat.put("stream", true).toString()).forEach(part -> streamed.append(part.at("/choices/0/delta/content").asText("")));
        assertEquals(content, streamed.toString());
        ObjectNode completion = chat.deepCopy();
        completion.remove("messages");
        completion.put("prompt", "A").put("stream", false).put("temperature", 0).put("n", 2);
        JsonNode texts = server.ask("/v1/completions", completion.toString());
        assertTrue(TestServer.JSON.readTree(texts.at("/choices/1/text").asText()).has("sure"), texts.toString());
        completion.putObject("response_format").put("type", "json_object");
        assertTrue(server.ask("/v1/completions", completion.put("max_tokens", 3).toString()).at("/choices/0/text").asText().stripLeading().startsWith("{"));
    }

    @Test
    void whatIsNotSupportedIsNamed() throws IOException, InterruptedException {
        HttpResponse<String> refused = server.post("/v1/chat/completions", request(TestServer.JSON.readTree("{\"properties\":{\"a\":{\"not\":{}}}}"), 1).toString());
        assertEquals(400, refused.statusCode());
        assertTrue(refused.body().contains("'not' at #/properties/a is not supported") && refused.body().contains("\"param\":\"response_format\""), refused.body());
        ObjectNode unnamed = request(TestServer.JSON.readTree("{}"), 1);
        ((ObjectNode) unnamed.at("/response_format/json_schema")).remove("name");
        assertEquals("response_format.json_schema.name", TestServer.JSON.readTree(server.post("/v1/chat/completions", unnamed.toString()).body()).at("/error/param").asText());
        unnamed.putObject("response_format").put("type", "xml");
        assertEquals(400, server.post("/v1/chat/completions", unnamed.toString()).statusCode());
        unnamed.put("response_format", "json_object");
        assertError("response_format", "response_format must be a JSON object, not string", unnamed);
        unnamed.putObject("response_format");
        assertError("response_format.type", "response_format.type is missing: it must be text, json_object or json_schema", unnamed);
    }

    private void assertError(String field, String message, ObjectNode request) throws IOException, InterruptedException {
        JsonNode error = TestServer.JSON.readTree(server.post("/v1/chat/completions", request.toString()).body()).get("error");
        assertEquals(field + ": " + message, error.get("param").asText() + ": " + error.get("message").asText());
    }
}
