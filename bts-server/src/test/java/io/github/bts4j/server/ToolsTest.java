package io.github.bts4j.server;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.github.bts4j.core.CausalLm;
import io.github.bts4j.core.DecodeSession;
import io.github.bts4j.core.ForwardingLm;
import io.github.bts4j.core.ForwardingSession;
import io.github.bts4j.core.chat.ChatTemplate;
import io.github.bts4j.core.constraint.Constraint;
import io.github.bts4j.core.constraint.RandomTexts;
import io.github.bts4j.core.generate.StopReason;
import io.github.bts4j.core.text.TextModel;
import java.io.IOException;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Tools with the templates of Qwen, Mistral and Llama: a random model that must call, and a scripted one that wants to. */
class ToolsTest {
    private static final String SCHEMA = "{\"type\":\"object\",\"properties\":{\"city\":{\"enum\":[\"Oslo\",\"Rome\"]},\"days\":{\"type\":\"integer\",\"minimum\":1,\"maximum\":14}},"
            + "\"required\":[\"city\",\"days\"],\"additionalProperties\":false}";
    private static final Path TEMPLATES = Path.of(System.getProperty("bts4j.testData")).resolve("chat/templates");

    @TempDir
    private static Path folder;

    private static TestServer base;

    @BeforeAll
    static void start() throws IOException {
        base = new TestServer(folder, TestServer.CONFIG);
    }

    @AfterAll
    static void stop() {
        base.close();
    }

    private static ModelServer serve(String template, TextModel model) throws IOException {
        return ModelServer.start(new ServedModel("tiny", model.withChatTemplate(ChatTemplate.jinja(Files.readString(TEMPLATES.resolve(template + ".jinja")), "<s>", "</s>"))), TestServer.CONFIG);
    }

    private static ObjectNode request(String choice) throws IOException {
        ObjectNode request = (ObjectNode) TestServer.JSON.readTree("{\"model\":\"tiny\",\"messages\":[{\"role\":\"user\",\"content\":\"Will it rain?\"}],\"max_tokens\":300,\"seed\":4,\"temperature\":0.8}");
        ArrayNode tools = request.putArray("tools");
        tools.addObject().put("type", "function").putObject("function").put("name", "weather").put("description", "The weather").set("parameters", TestServer.JSON.readTree(SCHEMA));
        tools.addObject().put("type", "function").putObject("function").put("name", "stop");
        request.set("tool_choice", TestServer.JSON.readTree(choice));
        request.withObject("/logit_bias").put(Integer.toString(base.tokenizer.tokenId("}")), 5).put(Integer.toString(base.tokenizer.tokenId("\"")), 5);
        return request;
    }

    private static JsonNode ask(ModelServer server, ObjectNode request) throws IOException, InterruptedException {
        HttpResponse<String> response = TestServer.post(server, "/v1/chat/completions", request.toString());
        assertEquals(200, response.statusCode(), response.body());
        return TestServer.JSON.readTree(response.body());
    }

    /** The whole message that a stream adds up to. */
    private static ObjectNode streamed(ModelServer server, ObjectNode request) throws IOException, InterruptedException {
        HttpResponse<String> response = TestServer.post(server, "/v1/chat/completions", request.deepCopy().put("stream", true).toString());
        ObjectNode message = TestServer.JSON.createObjectNode();
        ArrayNode calls = message.putArray("calls");
        for (String line : response.body().lines().filter(each -> each.startsWith("data: {")).toList()) {
            JsonNode choice = TestServer.JSON.readTree(line.substring(6)).at("/choices/0");
            message.put("content", message.path("content").asText("") + choice.at("/delta/content").asText(""));
            if (choice.hasNonNull("finish_reason")) {
                message.put("finish", choice.get("finish_reason").asText());
            }
            for (JsonNode call : choice.at("/delta/tool_calls")) {
                int index = call.get("index").intValue();
                if (index == calls.size()) {
                    assertEquals("function", call.get("type").asText());
                    assertTrue(call.get("id").asText().matches("[0-9a-z]{9}"), call.toString());
                    calls.addObject().put("name", call.at("/function/name").asText()).put("arguments", "");
                }
                ObjectNode one = (ObjectNode) calls.get(index);
                one.put("arguments", one.get("arguments").asText() + call.at("/function/arguments").asText());
            }
        }
        return message;
    }

    @ParameterizedTest
    @ValueSource(strings = {"trl/qwen2_5", "axolotl/mistral_v3_tekken", "trl/llama3_2"})
    void aModelThatMustCallCalls(String template) throws IOException, InterruptedException {
        try (ModelServer server = serve(template, base.text)) {
            for (String choice : List.of("\"required\"", "{\"type\":\"function\",\"function\":{\"name\":\"weather\"}}")) {
                ObjectNode request = request(choice).put("parallel_tool_calls", false);
                JsonNode answer = ask(server, request).at("/choices/0");
                assertEquals("tool_calls", answer.get("finish_reason").asText(), answer.toString());
                assertTrue(answer.at("/message/content").isNull() && answer.at("/message/tool_calls").size() == 1, answer.toString());
                JsonNode function = answer.at("/message/tool_calls/0/function");
                String arguments = function.get("arguments").asText();
                assertTrue(Set.of("weather", "stop").contains(function.get("name").asText()) && (choice.contains("required") || function.get("name").asText().equals("weather")), answer.toString());
                assertEquals("", RandomTexts.problems(TestServer.JSON.readTree(function.get("name").asText().equals("weather") ? SCHEMA : "{\"type\":\"object\"}"), arguments));
                ObjectNode stream = streamed(server, request);
                assertEquals("tool_calls", stream.get("finish").asText());
                assertEquals(arguments, stream.at("/calls/0/arguments").asText());
                assertEquals(function.get("name"), stream.at("/calls/0/name"));
            }
        }
    }

    /** A model that gives a text, whatever it is asked. */
    private static final class Scripted extends ForwardingLm {
        private final int[] script;

        Scripted(CausalLm model, int[] script) {
            super(model);
            this.script = script;
        }

        @Override
        public DecodeSession newSession(int capacity) {
            return new ForwardingSession(super.newSession(capacity)) {
                private int at;

                @Override
                public float[] append(int... ids) {
                    at = ids.length == 1 && at < script.length && ids[0] == script[at] ? at + 1 : 0;
                    float[] logits = super.append(ids);
                    logits[script[Math.min(at, script.length - 1)]] = 1000;
                    return logits;
                }
            };
        }

        @Override
        public void close() {} // the model belongs to the test
    }

    private static TextModel scripted(String text) {
        int[] ids = base.tokenizer.encodeOrdinary(text);
        int[] script = java.util.Arrays.copyOf(ids, ids.length + 1);
        script[ids.length] = base.tokenizer.eosTokenId().orElseThrow();
        return TextModel.of(new Scripted(base.model, script), base.tokenizer).withEndTokens(Set.of(script[ids.length]));
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '`', value = {
        "trl/qwen2_5 | I look.~<tool_call>~{'name': 'weather', 'arguments': {'city': 'Rome', 'days': 3}}~</tool_call>~<tool_call>~{'name': 'stop', 'arguments': {}}~</tool_call> | I look.~",
        "axolotl/mistral_v3_tekken | [TOOL_CALLS][{'name': 'weather', 'arguments': {'city': 'Rome', 'days': 3}}, {'name': 'stop', 'arguments': {}}] | ",
        "trl/llama3_2 | {'name': 'weather', 'parameters': {'city': 'Rome', 'days': 3}}; {'name': 'stop', 'parameters': {}} | "})
    void callsOfAFreeModelAreFound(String template, String said, String content) throws IOException, InterruptedException {
        try (ModelServer server = serve(template, scripted(said.replace('\'', '"').replace('~', '\n')))) {
            JsonNode answer = ask(server, request("\"auto\"").put("temperature", 0)).at("/choices/0");
            assertEquals("tool_calls", answer.get("finish_reason").asText(), answer.toString());
            assertEquals(content == null ? "" : content.replace('~', '\n'), answer.at("/message/content").asText("").replace("null", ""));
            assertEquals("{\"city\": \"Rome\", \"days\": 3}", answer.at("/message/tool_calls/0/function/arguments").asText());
            assertEquals("stop", answer.at("/message/tool_calls/1/function/name").asText());
            ObjectNode stream = streamed(server, request("\"auto\"").put("temperature", 0));
            assertEquals(2, stream.get("calls").size(), stream.toString());
            assertEquals("{\"city\": \"Rome\", \"days\": 3}", stream.at("/calls/0/arguments").asText());
            assertEquals(1, streamed(server, request("\"auto\"").put("temperature", 0).put("parallel_tool_calls", false)).get("calls").size());
            JsonNode none = ask(server, request("\"none\"").put("temperature", 0)).at("/choices/0");
            assertTrue(none.get("finish_reason").asText().equals("stop") && none.at("/message/tool_calls").isMissingNode(), none.toString());
        }
    }

    /** An answer ends before a call too many: as complete where one was asked for, and as too long at the limit of all answers. */
    @Test
    void answersEndBeforeACallTooMany() throws IOException, InterruptedException {
        try (ModelServer server = serve("trl/llama3_2", scripted("{\"name\": \"a\", \"parameters\": {}};".repeat(9)))) {
            assertEquals(9, ask(server, request("\"auto\"").put("temperature", 0)).at("/choices/0/message/tool_calls").size());
            JsonNode one = ask(server, request("\"auto\"").put("temperature", 0).put("parallel_tool_calls", false));
            assertEquals("tool_calls", one.at("/choices/0/finish_reason").asText(), one.toString());
            assertEquals(1, one.at("/choices/0/message/tool_calls").size());
            assertTrue(one.at("/usage/completion_tokens").intValue() < 60, one.toString());
        }
        Tools many = new Tools(List.of(), Optional.empty(), 128, Constraint.NONE);
        assertEquals(List.of(Optional.empty(), Optional.of(StopReason.MAX_TOKENS)), List.of(many.enough(128), many.enough(129)));
    }

    /** Strict tools bind the arguments, also where the model is free to call or not; a response format binds the other answers. */
    @Test
    void strictToolsAndResponseFormats() throws IOException, InterruptedException {
        ObjectNode request = request("\"auto\"").put("temperature", 0);
        ((ObjectNode) request.at("/tools/0/function")).put("strict", true);
        try (ModelServer server = serve("trl/qwen2_5", scripted("Hm. <tool_call>\n{\"name\": \"weather\", \"arguments\": {\"city\": \"Paris\", \"days\": 99}}\n</tool_call>"))) {
            JsonNode answer = ask(server, request).at("/choices/0");
            assertEquals("Hm. ", answer.at("/message/content").asText());
            assertEquals("", RandomTexts.problems(TestServer.JSON.readTree(SCHEMA), answer.at("/message/tool_calls/0/function/arguments").asText()), answer.toString());
        }
        try (ModelServer server = serve("trl/qwen2_5", scripted("It rains."))) {
            assertEquals("It rains.", ask(server, request).at("/choices/0/message/content").asText());
            request.putObject("response_format").put("type", "json_schema").putObject("json_schema").put("name", "rain").set("schema", TestServer.JSON.readTree("{\"type\":\"boolean\"}"));
            String text = ask(server, request).at("/choices/0/message/content").asText("");
            assertTrue(text.isEmpty() || Set.of("true", "false").contains(text.strip()), text);
        }
    }

    @Test
    void whatIsNotSupportedIsNamed() throws IOException, InterruptedException {
        HttpResponse<String> none = base.post("/v1/chat/completions", request("\"auto\"").toString());
        assertTrue(none.statusCode() == 400 && none.body().contains("\"param\":\"tools\""), none.body());
        try (ModelServer server = serve("trl/qwen2_5", base.text)) {
            for (String[] each : new String[][] {{"tool_choice", "\"always\""}, {"tool_choice", "{\"type\":\"function\",\"function\":{\"name\":\"x\"}}"}, {"tools", "{}"},
                    {"tools[0].type", "[{\"type\":\"web_search\"}]"}, {"tools[0].function.name", "[{\"type\":\"function\",\"function\":{\"name\":\"a b\"}}]"},
                    {"tools", "[{\"type\":\"function\",\"function\":{\"name\":\"f\",\"parameters\":{\"type\":\"object\",\"not\":{}}}}]"}}) {
                ObjectNode request = request("\"required\"");
                request.set(each[0].replaceAll("\\[.*", ""), TestServer.JSON.readTree(each[1]));
                HttpResponse<String> refused = TestServer.post(server, "/v1/chat/completions", request.toString());
                assertEquals(400, refused.statusCode(), refused.body());
                assertEquals(each[0], TestServer.JSON.readTree(refused.body()).at("/error/param").asText(), refused.body());
            }
        }
    }
}
