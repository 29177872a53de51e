package io.github.bts4j.server;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.github.bts4j.core.chat.ChatTemplate;
import io.github.bts4j.core.constraint.RandomTexts;
import java.io.IOException;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** OpenAI's Responses API without state: the same answers as those of chats, in its own form (https://platform.openai.com/docs/api-reference/responses). */
class ResponsesTest {
    private static final String RESPONSES = "/v1/responses";
    private static final String SCHEMA = "{\"type\":\"object\",\"properties\":{\"city\":{\"enum\":[\"Oslo\",\"Rome\"]},\"days\":{\"type\":\"integer\",\"minimum\":1,\"maximum\":14}},"
            + "\"required\":[\"city\",\"days\"],\"additionalProperties\":false}";

    @TempDir
    private static Path folder;

    private static TestServer server;
    private static ModelServer qwen;

    @BeforeAll
    static void start() throws IOException {
        server = TestServer.withRandomGates(folder, TestServer.CONFIG);
        Path template = Path.of(System.getProperty("bts4j.testData")).resolve("chat/templates/trl/qwen2_5.jinja");
        qwen = ModelServer.start(new ServedModel("tiny", server.text.withChatTemplate(ChatTemplate.jinja(Files.readString(template), "<s>", "</s>"))), TestServer.CONFIG);
    }

    @AfterAll
    static void stop() {
        qwen.close();
        server.close();
    }

    private static ObjectNode request(String more) throws IOException {
        return (ObjectNode) TestServer.JSON.readTree("{\"model\":\"tiny\",\"temperature\":0" + more + "}");
    }

    private static JsonNode ask(ObjectNode request) throws IOException, InterruptedException {
        HttpResponse<String> response = TestServer.post(qwen, RESPONSES, request.toString());
        assertEquals(200, response.statusCode(), response.body());
        return TestServer.JSON.readTree(response.body());
    }

    private static JsonNode chat(ObjectNode request) throws IOException, InterruptedException {
        HttpResponse<String> response = TestServer.post(qwen, "/v1/chat/completions", request.toString());
        assertEquals(200, response.statusCode(), response.body());
        return TestServer.JSON.readTree(response.body());
    }

    /** The events; each line of a name comes before its data. */
    private static List<JsonNode> stream(ObjectNode request) throws IOException, InterruptedException {
        HttpResponse<String> response = TestServer.post(qwen, RESPONSES, request.deepCopy().put("stream", true).toString());
        assertEquals(200, response.statusCode(), response.body());
        List<JsonNode> events = new ArrayList<>();
        for (String event : response.body().split("\n\n")) {
            String[] lines = event.split("\n");
            assertEquals(2, lines.length, event);
            JsonNode data = TestServer.JSON.readTree(lines[1].substring("data: ".length()));
            assertEquals("event: " + data.get("type").asText(), lines[0]);
            assertEquals(events.size(), data.get("sequence_number").asInt(), "numbers without a gap");
            events.add(data);
        }
        return events;
    }

    @Test
    void aTextIsTheChatsText() throws IOException, InterruptedException {
        String messages = ",\"messages\":[{\"role\":\"system\",\"content\":\"Be short.\"},{\"role\":\"user\",\"content\":\"Hello\"}]";
        JsonNode chat = chat(request(messages + ",\"max_tokens\":12"));
        for (String input : List.of("\"Hello\"", "[{\"role\":\"user\",\"content\":\"Hello\"}]", "[{\"type\":\"message\",\"role\":\"user\",\"content\":[{\"type\":\"input_text\",\"text\":\"Hel\"},"
                + "{\"type\":\"input_text\",\"text\":\"lo\"}]}]")) {
            JsonNode answer = ask(request(",\"instructions\":\"Be short.\",\"max_output_tokens\":12,\"metadata\":{\"a\":\"b\"},\"input\":" + input));
            assertEquals("response", answer.get("object").asText());
            assertTrue(answer.get("id").asText().matches("resp_[0-9a-f]{32}") && answer.get("created_at").asLong() > 1_700_000_000, answer.toString());
            assertEquals("incomplete", answer.get("status").asText());
            assertEquals("{\"reason\":\"max_output_tokens\"}", answer.get("incomplete_details").toString());
            assertEquals(1, answer.get("output").size());
            JsonNode message = answer.at("/output/0");
            assertEquals("message assistant incomplete", message.get("type").asText() + " " + message.get("role").asText() + " " + message.get("status").asText());
            assertEquals("output_text", message.at("/content/0/type").asText());
            assertEquals(chat.at("/choices/0/message/content"), message.at("/content/0/text"));
            assertEquals("[]", message.at("/content/0/annotations").toString());
            assertEquals(chat.at("/usage/prompt_tokens"), answer.at("/usage/input_tokens"));
            assertEquals(chat.at("/usage/completion_tokens"), answer.at("/usage/output_tokens"));
            assertEquals(chat.at("/usage/total_tokens"), answer.at("/usage/total_tokens"));
            assertEquals("{\"a\":\"b\"}", answer.get("metadata").toString());
            assertEquals("Be short.", answer.get("instructions").asText());
            assertTrue(answer.get("store").isBoolean() && !answer.get("store").asBoolean() && answer.get("previous_response_id").isNull() && answer.get("error").isNull());
        }
    }

    @Test
    void anAnswerThatEndsByItselfIsCompleted() throws IOException, InterruptedException {
        ObjectNode request = request(",\"input\":\"Hello\",\"max_output_tokens\":400,\"stop\":\"e\"");
        JsonNode answer = ask(request);
        assertEquals("completed", answer.get("status").asText());
        assertTrue(answer.get("incomplete_details").isNull());
        List<JsonNode> events = stream(request);
        assertEquals("response.completed", events.get(events.size() - 1).get("type").asText());
        assertEquals(answer.at("/output/0/content"), events.get(events.size() - 1).at("/response/output/0/content"));
    }

    /** The order of OpenAI's events of a text. */
    @Test
    void aStreamOfText() throws IOException, InterruptedException {
        ObjectNode request = request(",\"input\":\"Hello\",\"max_output_tokens\":9,\"gates\":true,\"include\":[\"message.output_text.logprobs\"],\"top_logprobs\":2");
        JsonNode whole = ask(request);
        List<JsonNode> events = stream(request);
        List<String> types = events.stream().map(event -> event.get("type").asText()).toList();
        assertEquals(List.of("response.created", "response.in_progress", "response.output_item.added", "response.content_part.added"), types.subList(0, 4));
        assertEquals(List.of("response.output_text.done", "response.content_part.done", "response.output_item.done", "response.incomplete"), types.subList(types.size() - 4, types.size()));
        StringBuilder text = new StringBuilder();
        List<JsonNode> logprobs = new ArrayList<>();
        for (JsonNode delta : events.subList(4, events.size() - 4)) {
            assertEquals("response.output_text.delta", delta.get("type").asText());
            text.append(delta.get("delta").asText());
            delta.get("logprobs").forEach(logprobs::add);
            assertEquals("0 0", delta.get("output_index").asText() + " " + delta.get("content_index").asText());
            assertEquals(events.get(2).at("/item/id"), delta.get("item_id"));
        }
        assertEquals("in_progress", events.get(0).at("/response/status").asText());
        assertEquals("[]", events.get(2).at("/item/content").toString());
        assertEquals(whole.at("/output/0/content/0/text").asText(), text.toString());
        assertEquals(text.toString(), events.get(events.size() - 4).get("text").asText());
        assertEquals(whole.at("/output/0/content/0"), events.get(events.size() - 3).get("part"));
        assertEquals(whole.at("/output/0/content/0/logprobs"), TestServer.JSON.valueToTree(logprobs));
        assertEquals(9, logprobs.size());
        assertEquals(2, logprobs.get(0).get("top_logprobs").size());
        JsonNode last = events.get(events.size() - 1).get("response");
        assertEquals(whole.get("gates"), last.get("gates"));
        assertEquals(9, last.at("/gates/weights").size());
        assertEquals(whole.get("usage"), last.get("usage"));
        assertEquals(1, last.at("/usage/gate_shares/hub").asDouble() + last.at("/usage/gate_shares/code").asDouble(), 2e-4);
    }

    private static ObjectNode withTools(String choice) throws IOException {
        ObjectNode request = request(",\"input\":\"Will it rain?\",\"max_output_tokens\":300,\"seed\":4,\"parallel_tool_calls\":false,\"tools\":[{\"type\":\"function\",\"name\":\"weather\","
                + "\"description\":\"The weather\",\"parameters\":" + SCHEMA + "},{\"type\":\"function\",\"name\":\"stop\"}],\"tool_choice\":" + choice).put("temperature", 0.8);
        request.withObject("/logit_bias").put(Integer.toString(server.tokenizer.tokenId("}")), 5).put(Integer.toString(server.tokenizer.tokenId("\"")), 5);
        return request;
    }

    @Test
    void callsOfTools() throws IOException, InterruptedException {
        for (String choice : List.of("\"required\"", "{\"type\":\"function\",\"name\":\"weather\"}")) {
            ObjectNode request = withTools(choice);
            JsonNode answer = ask(request);
            JsonNode call = answer.at("/output/0");
            assertEquals("function_call completed", call.get("type").asText() + " " + call.get("status").asText(), answer.toString());
            assertEquals(1, answer.get("output").size());
            assertEquals("completed", answer.get("status").asText());
            assertEquals("", RandomTexts.problems(TestServer.JSON.readTree(call.get("name").asText().equals("weather") ? SCHEMA : "{\"type\":\"object\"}"), call.get("arguments").asText()));
            List<JsonNode> events = stream(request);
            List<String> types = events.stream().map(event -> event.get("type").asText()).distinct().toList();
            assertEquals(List.of("response.created", "response.in_progress", "response.output_item.added", "response.function_call_arguments.delta", "response.function_call_arguments.done",
                    "response.output_item.done", "response.completed"), types);
            StringBuilder arguments = new StringBuilder();
            events.stream().filter(event -> event.get("type").asText().endsWith(".delta")).forEach(event -> arguments.append(event.get("delta").asText()));
            assertEquals(call.get("arguments").asText(), arguments.toString());
            JsonNode done = events.get(events.size() - 2).get("item");
            assertEquals(call.get("name"), done.get("name"));
            assertEquals(call.get("arguments"), done.get("arguments"));
            assertEquals(done, events.get(events.size() - 1).at("/response/output/0"));
        }
    }

    /** The items that a client sends back are the messages of a chat. */
    @Test
    void callsAndTheirResultsAreSentBack() throws IOException, InterruptedException {
        String call = "{\"type\":\"function_call\",\"id\":\"fc_1\",\"status\":\"completed\",\"call_id\":\"abcdefghi\",\"name\":\"weather\",\"arguments\":\"{\\\"city\\\":\\\"Oslo\\\",\\\"days\\\":1}\"}";
        JsonNode answer = ask(request(",\"max_output_tokens\":8,\"input\":[{\"role\":\"user\",\"content\":\"Will it rain?\"}," + call
                + ",{\"type\":\"function_call_output\",\"call_id\":\"abcdefghi\",\"output\":\"Yes\"},{\"type\":\"message\",\"role\":\"assistant\",\"id\":\"msg_1\",\"status\":\"completed\","
                + "\"content\":[{\"type\":\"output_text\",\"text\":\"It will.\",\"annotations\":[],\"logprobs\":[]}]},{\"role\":\"user\",\"content\":\"And then?\"}]"));
        JsonNode chat = chat(request(",\"max_tokens\":8,\"messages\":[{\"role\":\"user\",\"content\":\"Will it rain?\"},{\"role\":\"assistant\",\"content\":null,\"tool_calls\":[{\"id\":\"abcdefghi\","
                + "\"type\":\"function\",\"function\":{\"name\":\"weather\",\"arguments\":\"{\\\"city\\\":\\\"Oslo\\\",\\\"days\\\":1}\"}}]},{\"role\":\"tool\",\"tool_call_id\":\"abcdefghi\","
                + "\"content\":\"Yes\"},{\"role\":\"assistant\",\"content\":\"It will.\"},{\"role\":\"user\",\"content\":\"And then?\"}]"));
        assertEquals(chat.at("/usage/prompt_tokens"), answer.at("/usage/input_tokens"));
        assertEquals(chat.at("/choices/0/message/content"), answer.at("/output/0/content/0/text"));
    }

    @Test
    void aSchemaIsKeptTo() throws IOException, InterruptedException {
        ObjectNode request = request(",\"input\":\"Where?\",\"max_output_tokens\":300,\"seed\":1,\"text\":{\"format\":{\"type\":\"json_schema\",\"name\":\"trip\",\"strict\":true,\"schema\":" + SCHEMA + "}}")
                .put("temperature", 1);
        JsonNode answer = ask(request);
        assertEquals("completed", answer.get("status").asText());
        assertEquals("", RandomTexts.problems(TestServer.JSON.readTree(SCHEMA), answer.at("/output/0/content/0/text").asText()));
        assertEquals("trip", answer.at("/text/format/name").asText());
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '~', textBlock = """
            "input":"A","store":true                    | store                | store = true is not supported by this server; leave it out or send false
            "input":"A","previous_response_id":"resp_1" | previous_response_id | previous_response_id = "resp_1" is not supported by this server; leave it out
            "input":"A","conversation":"c"              | conversation         | conversation = "c" is not supported by this server; leave it out
            "input":"A","background":true               | background           | background = true is not supported by this server; leave it out or send false
            "input":"A","include":["file_search_call.results"] | include       | include = file_search_call.results is not supported by this server, only message.output_text.logprobs
            "input":"A","top_logprobs":2                | top_logprobs         | top_logprobs needs include = ["message.output_text.logprobs"]
            "input":"A","max_output_tokens":0           | max_output_tokens    | max_output_tokens = 0 must be a whole number between 1 and 4096
            "input":"A","top_p":0                       | top_p                | top_p = 0 must be a number above 0 and at most 1
            "input":"A","temperature":2.5               | temperature          | temperature = 2.5 must be a number between 0 and 2
            "input":"A","messages":[]                   | messages             | The field messages is not known
            "input":"A","tools":[{"type":"web_search"}] | tools[0].type        | tools[0].type = "web_search" must be function, the only type that this server supports
            "input":"A","text":{"format":{"type":"xml"}} | text.format.type    | text.format.type = "xml" must be text, json_object or json_schema
            "input":3                                   | input                | input = 3 must be a string or a list of 1 to 4096 items
            "input":[{"type":"item_reference","id":"x"}] | input[0].type       | input[0].type = "item_reference" must be message, function_call or function_call_output, the items that this server supports
            "input":[{"role":"user"}]                   | input[0].content     | input[0].content is missing: it must be a string
            "input":[{"role":"king","content":"A"}]     | input[0].role        | input[0].role = "king" must be system, developer, user or assistant
            "input":[{"role":"user","content":[{"type":"input_image"}]}] | input[].content[].type | input[].content[].type = "input_image" must be input_text or output_text, the only content that this server supports
            """)
    void whatIsRefused(String fields, String param, String message) throws IOException, InterruptedException {
        HttpResponse<String> response = TestServer.post(qwen, RESPONSES, "{\"model\":\"tiny\"," + fields + "}");
        assertEquals(400, response.statusCode(), response.body());
        JsonNode error = TestServer.JSON.readTree(response.body()).get("error");
        assertEquals(message, error.get("message").asText());
        assertEquals(param, error.get("param").asText());
    }
}
