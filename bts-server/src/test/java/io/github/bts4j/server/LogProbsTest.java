package io.github.bts4j.server;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.github.bts4j.core.chat.ChatTemplate;
import io.github.bts4j.core.golden.Tolerance;
import io.github.bts4j.core.llama.Precision;
import io.github.bts4j.core.text.TextModel;
import io.github.bts4j.core.tokenizer.LlamaTokenizer;
import io.github.bts4j.core.torch.llama.LlamaModel;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** Log-probabilities of a SentencePiece vocabulary with byte tokens, against transformers and OpenAI's format (src-test-data/tools/server_golden.py). */
class LogProbsTest {
    private static final ObjectMapper JSON = new ObjectMapper();

    private static LlamaModel model;
    private static LlamaTokenizer tokenizer;
    private static ModelServer server;
    private static JsonNode cases;

    @BeforeAll
    static void start() throws IOException {
        Path folder = Path.of(System.getProperty("bts4j.testData")).resolve("server");
        cases = JSON.readTree(folder.resolve("logprobs.json").toFile());
        model = LlamaModel.open(folder);
        tokenizer = LlamaTokenizer.open(folder);
        ChatTemplate chat = ChatTemplate.jinja("{% for m in messages %}{{ bos_token }}{{ m.content }}{% endfor %}", "<s>", "</s>");
        server = ModelServer.start(new ServedModel("small", TextModel.of(model, tokenizer).withChatTemplate(chat)), TestServer.CONFIG);
    }

    @AfterAll
    static void stop() {
        server.close();
        tokenizer.close();
        model.close();
    }

    /** Of the log-probability of a token, and of the likelier ones beside it. */
    private static double tolerance(JsonNode token) {
        return tolerance(token.get("logprob").floatValue());
    }

    private static double tolerance(float logProb) {
        return Tolerance.of(model.config(), model.contextLength(), Precision.FLOAT32).ofLosses(logProb);
    }

    private static JsonNode ask(String path, ObjectNode request) throws IOException, InterruptedException {
        HttpResponse<String> response = TestServer.post(server, path, request.toString());
        assertEquals(200, response.statusCode(), response.body());
        return JSON.readTree(response.body());
    }

    private static ObjectNode request() {
        return JSON.createObjectNode().put("model", "small").put("temperature", 0);
    }

    @Test
    void anEchoedPromptsTokens() throws IOException, InterruptedException {
        for (JsonNode each : cases) {
            JsonNode choice = ask("/v1/completions", request().put("prompt", each.get("text").asText()).put("echo", true).put("max_tokens", 0).put("logprobs", 3)).at("/choices/0");
            assertEquals(each.get("decoded").asText(), choice.get("text").asText());
            JsonNode found = choice.get("logprobs");
            JsonNode tokens = each.get("tokens");
            assertEquals(tokens.size(), found.get("tokens").size());
            for (int i = 0; i < tokens.size(); i++) {
                JsonNode token = tokens.get(i);
                String where = each.get("text") + ", token " + i;
                assertEquals(token.get("name"), found.get("tokens").get(i), where);
                assertEquals(token.get("offset").asInt(), found.get("text_offset").get(i).asInt(), where);
                if (i == 0) {
                    assertTrue(found.get("token_logprobs").get(0).isNull() && found.get("top_logprobs").get(0).isNull());
                    continue;
                }
                assertEquals(token.get("logprob").asDouble(), found.get("token_logprobs").get(i).asDouble(), tolerance(token), where);
                checkTop(token, found.get("top_logprobs").get(i), where);
            }
        }
    }

    private static void checkTop(JsonNode token, JsonNode top, String where) {
        List<Double> expected = new ArrayList<>();
        boolean chosen = false;
        for (JsonNode one : token.get("top")) {
            expected.add(one.get(1).asDouble());
            chosen |= one.get(0).equals(token.get("id"));
        }
        if (!chosen) {
            expected.add(token.get("logprob").asDouble());
        }
        List<Double> found = new ArrayList<>();
        top.forEach(value -> found.add(value.asDouble()));
        expected.sort(null);
        found.sort(null);
        assertEquals(expected.size(), found.size(), where + ": " + top);
        for (int i = 0; i < expected.size(); i++) {
            assertEquals(expected.get(i), found.get(i), tolerance(token), where);
        }
        assertEquals(token.get("logprob").asDouble(), top.get(token.get("name").asText()).asDouble(), tolerance(token), where);
    }

    @Test
    void generatedTokensOfACompletionAndOfAChat() throws IOException, InterruptedException {
        for (JsonNode each : cases) {
            JsonNode names = each.get("generated_names");
            JsonNode choice = ask("/v1/completions", request().put("prompt", each.get("text").asText()).put("max_tokens", names.size()).put("logprobs", 0)).at("/choices/0");
            assertEquals(names, choice.at("/logprobs/tokens"));
            ObjectNode chat = request().put("logprobs", true).put("top_logprobs", 2).put("max_tokens", names.size());
            chat.putArray("messages").addObject().put("role", "user").put("content", each.get("text").asText());
            JsonNode answer = ask("/v1/chat/completions", chat).at("/choices/0");
            ByteArrayOutputStream bytes = new ByteArrayOutputStream();
            for (int i = 0; i < names.size(); i++) {
                JsonNode token = answer.at("/logprobs/content/" + i);
                assertEquals(names.get(i).asText().replaceFirst("^bytes:", ""), token.get("token").asText());
                assertEquals(each.get("generated_bytes").get(i), token.get("bytes"));
                assertEquals(each.get("generated_logprobs").get(i).asDouble(), token.get("logprob").asDouble(), tolerance(each.get("generated_logprobs").get(i).floatValue()));
                assertEquals(each.get("generated_logprobs").get(i).asDouble(), choice.at("/logprobs/token_logprobs/" + i).asDouble(), tolerance(each.get("generated_logprobs").get(i).floatValue()));
                assertEquals(1, choice.at("/logprobs/top_logprobs/" + i).size(), "logprobs = 0 gives the chosen token");
                assertEquals(2, token.get("top_logprobs").size());
                token.get("bytes").forEach(one -> bytes.write(one.asInt()));
            }
            assertEquals(valid(bytes.toString(StandardCharsets.UTF_8)), valid(answer.at("/message/content").asText()));
            assertTrue(answer.at("/message/refusal").isNull() && answer.at("/logprobs/refusal").isNull() && answer.at("/message").has("refusal"));
        }
    }

    /** Decoders differ in how many replacement characters they make of what is no UTF-8. */
    private static String valid(String text) {
        return text.replace("\uFFFD", "");
    }

    @Test
    void namesAddUpAndOffsetsPointIntoTheText() throws IOException, InterruptedException {
        JsonNode choice = ask("/v1/completions", request().put("prompt", "It is a 😀 truth").put("echo", true).put("max_tokens", 3).put("logprobs", 1).put("seed", 1)).at("/choices/0");
        String text = choice.get("text").asText();
        JsonNode names = choice.at("/logprobs/tokens");
        for (int i = 1; i < names.size(); i++) {
            String name = names.get(i).asText();
            int offset = choice.at("/logprobs/text_offset/" + i).asInt();
            if (!name.startsWith("bytes:") && !name.equals("</s>")) {
                assertTrue(text.substring(text.offsetByCodePoints(0, offset)).startsWith(name), name + " at " + offset + " of " + text);
            }
        }
    }

    @Test
    void aPromptAsLongAsTheContextIsScored() throws IOException, InterruptedException {
        ObjectNode request = request().put("max_tokens", 0).put("echo", true).put("logprobs", 1);
        for (int i = 0; i < 64; i++) {
            request.withArray("prompt").add(i == 0 ? 1 : 280 + i % 40);
        }
        assertEquals(64, ask("/v1/completions", request).at("/choices/0/logprobs/tokens").size());
        HttpResponse<String> more = TestServer.post(server, "/v1/completions", request.put("max_tokens", 1).toString());
        assertEquals(400, more.statusCode(), more.body());
        request.withArray("prompt").add(300);
        assertEquals(400, TestServer.post(server, "/v1/completions", request.put("max_tokens", 0).toString()).statusCode());
    }

    @Test
    void theBeginTokenIsLeftOutOnRequest() throws IOException, InterruptedException {
        ObjectNode request = request().put("prompt", "It is").put("max_tokens", 0).put("echo", true).put("logprobs", 0);
        assertEquals("[\"<s>\",\"It\",\" is\"]", ask("/v1/completions", request).at("/choices/0/logprobs/tokens").toString());
        assertEquals("[\"It\",\" is\"]", ask("/v1/completions", request.put("add_special_tokens", false)).at("/choices/0/logprobs/tokens").toString());
    }

    /** A stream's parts carry the same as a whole answer, each token with the part that shows its text. */
    @Test
    void aStreamedChatsTokens() throws IOException, InterruptedException {
        ObjectNode chat = request().put("logprobs", true).put("top_logprobs", 1).put("max_tokens", 20);
        chat.putArray("messages").addObject().put("role", "user").put("content", "It is a truth");
        JsonNode whole = ask("/v1/chat/completions", chat).at("/choices/0");
        List<JsonNode> tokens = new ArrayList<>();
        StringBuilder text = new StringBuilder();
        String stream = TestServer.post(server, "/v1/chat/completions", chat.put("stream", true).toString()).body();
        for (String line : stream.lines().filter(line -> line.startsWith("data: {")).toList()) {
            JsonNode part = JSON.readTree(line.substring(6)).at("/choices/0");
            part.at("/logprobs/content").forEach(tokens::add);
            text.append(part.at("/delta/content").asText());
        }
        assertEquals(whole.at("/message/content").asText(), text.toString());
        assertEquals(whole.at("/logprobs/content"), JSON.createArrayNode().addAll(tokens));
        String content = whole.at("/message/content").asText();
        String stop = content.substring(6, 8);
        JsonNode stopped = ask("/v1/chat/completions", chat.put("stream", false).put("stop", stop)).at("/choices/0");
        assertEquals(content.substring(0, content.indexOf(stop)), stopped.at("/message/content").asText());
        assertTrue(stopped.at("/logprobs/content").size() < tokens.size());
    }

    /** What the template writes of a request is counted by the tokens of its prompt. */
    @Test
    void fieldsOfMessagesReachTheTemplate() throws IOException, InterruptedException {
        ChatTemplate template = ChatTemplate.jinja("{{ bos_token }}{% for m in messages %}{% if m.tool_calls %}{% for c in m.tool_calls %}[{{ c.function.arguments.city }}]{% endfor %}"
                + "{% else %}{{ m.content }}{% endif %}{{ m.mood }}{% endfor %}{% if documents %}{{ documents[0].text }}{% endif %}{{ extra }}{% if add_generation_prompt %}!{% endif %}",
                "<s>", "</s>");
        try (ModelServer own = ModelServer.start(new ServedModel("small", TextModel.of(model, tokenizer).withChatTemplate(template)), TestServer.CONFIG)) {
            ObjectNode request = request().put("max_tokens", 1);
            request.set("messages", JSON.readTree("[{\"role\":\"user\",\"content\":\"so\",\"mood\":\"well\"},{\"role\":\"assistant\",\"content\":null,\"tool_calls\":"
                    + "[{\"id\":\"1\",\"type\":\"function\",\"function\":{\"name\":\"f\",\"arguments\":\"{\\\"city\\\":\\\"Rome\\\"}\"}}]},"
                    + "{\"role\":\"tool\",\"tool_call_id\":\"1\",\"content\":\"wife\"}]"));
            request.set("documents", JSON.readTree("[{\"text\":\"man\"}]"));
            request.set("chat_template_kwargs", JSON.readTree("{\"extra\":\"views\"}"));
            JsonNode answer = JSON.readTree(TestServer.post(own, "/v1/chat/completions", request.toString()).body());
            assertEquals(1 + tokenizer.encode("sowell[Rome]wifemanviews!", false).length, answer.at("/usage/prompt_tokens").asInt(), answer.toString());
        }
    }
}
