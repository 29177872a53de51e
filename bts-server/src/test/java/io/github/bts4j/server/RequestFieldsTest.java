package io.github.bts4j.server;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Path;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * Every field that OpenAI documents for the two kinds of request (as its Python client 3.57 lists them), and what other clients send unasked: supported, accepted
 * where it changes nothing, or refused by name.
 */
class RequestFieldsTest {
    private static final String CHAT = "{\"model\":\"tiny\",\"messages\":[{\"role\":\"user\",\"content\":\"A\"}],\"max_tokens\":2,\"seed\":1}";
    private static final String COMPLETION = "{\"model\":\"tiny\",\"prompt\":\"A\",\"max_tokens\":2,\"seed\":1}";

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

    /** OpenAI's clients encode names in the path. */
    @ParameterizedTest
    @CsvSource({"org/model, org%2Fmodel", "org/model, org/model", "a model, a%20model", "a+b, a+b", "a+b, a%2Bb", "Straße, Stra%C3%9Fe", "10%25, 10%2525"})
    void aModelIsFoundByItsEncodedName(String name, String encoded) throws IOException, InterruptedException {
        try (ModelServer own = ModelServer.start(new ServedModel(name, server.text), TestServer.CONFIG)) {
            HttpClient client = HttpClient.newHttpClient();
            HttpResponse<String> found = client.send(HttpRequest.newBuilder(own.uri().resolve("/v1/models/" + encoded)).build(), HttpResponse.BodyHandlers.ofString());
            assertEquals(200, found.statusCode(), found.body());
            assertEquals(name, TestServer.JSON.readTree(found.body()).get("id").asText());
            assertEquals(404, client.send(HttpRequest.newBuilder(own.uri().resolve("/v1/models/" + encoded + "%20")).build(), HttpResponse.BodyHandlers.ofString()).statusCode());
        }
    }

    private static HttpResponse<String> send(boolean chat, String field, String value) throws IOException, InterruptedException {
        ObjectNode request = (ObjectNode) TestServer.JSON.readTree(chat ? CHAT : COMPLETION);
        request.set(field, TestServer.JSON.readTree(value));
        return server.post(chat ? "/v1/chat/completions" : "/v1/completions", request.toString());
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '`', value = {
        "audio | null", "frequency_penalty | 0", "frequency_penalty | 0.0", "function_call | \"none\"", "function_call | \"auto\"", "functions | []", "functions | null",
        "logit_bias | {}", "logit_bias | null", "logit_bias | {\"5\":1.5,\"6\":-100}", "presence_penalty | -1", "frequency_penalty | 0.5", "logprobs | false", "logprobs | true", "max_completion_tokens | 3", "metadata | {\"a\":\"b\"}", "modalities | [\"text\"]",
        "modalities | null", "moderation | null", "n | 2", "n | 128", "parallel_tool_calls | true", "prediction | null", "presence_penalty | 0", "prompt_cache_key | \"k\"",
        "prompt_cache_options | {\"mode\":\"implicit\"}", "prompt_cache_retention | \"24h\"", "reasoning_effort | null", "reasoning_effort | \"none\"", "response_format | {\"type\":\"text\"}", "response_format | {\"type\":\"json_object\"}",
        "safety_identifier | \"s\"", "seed | -5", "service_tier | \"auto\"", "stop | null", "stop | [\"x\",\"y\"]", "store | false", "store | true", "stream | false",
        "stream_options | null", "temperature | 0", "tool_choice | \"none\"", "tools | []", "top_logprobs | 0", "top_logprobs | null", "top_p | 0.5", "user | \"u\"",
        "verbosity | \"medium\"", "web_search_options | null", "top_k | -1", "top_k | 5", "min_p | 0.1", "repetition_penalty | 1.1", "some_new_field | null",
        "add_special_tokens | false", "add_generation_prompt | true", "continue_final_message | false", "chat_template_kwargs | {\"enable_thinking\":false}", "documents | [{\"title\":\"t\",\"text\":\"x\"}]", "documents | null", "ignore_eos | false",
        "min_tokens | 0", "skip_special_tokens | true", "stop_token_ids | []", "length_penalty | 1.0", "use_beam_search | false"})
    void acceptedInAChat(String field, String value) throws IOException, InterruptedException {
        HttpResponse<String> response = send(true, field, value);
        assertEquals(200, response.statusCode(), response.body());
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '`', value = {
        "best_of | 1", "best_of | null", "echo | true", "echo | null", "frequency_penalty | 0", "logit_bias | null", "logprobs | 0", "logprobs | 5", "n | 128", "presence_penalty | null",
        "seed | 1", "stop | \"x\"", "stream | null", "stream_options | null", "suffix | null", "suffix | \"\"", "temperature | null", "top_p | 1", "user | \"u\"",
        "add_special_tokens | true", "add_special_tokens | false", "top_k | -1"})
    void acceptedInACompletion(String field, String value) throws IOException, InterruptedException {
        HttpResponse<String> response = send(false, field, value);
        assertEquals(200, response.statusCode(), response.body());
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '`', value = {
        "audio | {\"voice\":\"alloy\",\"format\":\"wav\"}", "frequency_penalty | 2.5", "function_call | {\"name\":\"f\"}", "functions | [{\"name\":\"f\"}]", "logit_bias | {\"2048\":1}", "logit_bias | {\"5\":101}", "logit_bias | {\"-5\":1}", "logit_bias | [5]",
        "modalities | [\"text\",\"audio\"]", "moderation | {\"model\":\"m\"}", "n | 129", "presence_penalty | -2.1", "reasoning_effort | \"high\"",
        "tool_choice | \"required\"", "tools | [{\"type\":\"function\",\"function\":{\"name\":\"f\"}}]", "verbosity | \"low\"", "web_search_options | {}", "top_k | -2", "add_special_tokens | true",
        "ignore_eos | true", "min_tokens | 5", "stop_token_ids | [5]", "some_new_field | 1", "top_logprobs | 2", "logprobs | 3"})
    void refusedInAChat(String field, String value) throws IOException, InterruptedException {
        assertNamed(field, send(true, field, value));
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '`', value = {
        "best_of | 2", "suffix | \"x\"", "frequency_penalty | 3", "presence_penalty | -3", "logit_bias | {\"a\":1}", "logprobs | 21", "logprobs | true", "messages | []", "tools | []",
        "add_special_tokens | 1", "echo | \"yes\""})
    void refusedInACompletion(String field, String value) throws IOException, InterruptedException {
        assertNamed(field, send(false, field, value));
    }

    private static void assertNamed(String field, HttpResponse<String> response) throws IOException {
        assertEquals(400, response.statusCode(), response.body());
        assertEquals(field, TestServer.JSON.readTree(response.body()).at("/error/param").asText(), response.body());
        String message = TestServer.JSON.readTree(response.body()).at("/error/message").asText();
        assertTrue(message.contains(field) && !message.contains("\n"), message);
    }

    /** What a client sends back of an answer that it got. */
    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '`', value = {
        "\"refusal\":null", "\"tool_calls\":null", "\"tool_calls\":[]", "\"annotations\":[]", "\"audio\":null,\"function_call\":null", "\"name\":\"bot\"", "\"reasoning_content\":null"})
    void anAssistantsMessageIsTakenBack(String more) throws IOException, InterruptedException {
        String messages = "{\"model\":\"tiny\",\"messages\":[{\"role\":\"user\",\"content\":\"A\"},{\"role\":\"assistant\",\"content\":\"B\"%s},{\"role\":\"user\",\"content\":\"C\"}],"
                + "\"max_tokens\":8,\"temperature\":0}";
        String plain = server.ask("/v1/chat/completions", String.format(messages, "")).at("/choices/0").toString();
        assertEquals(plain, server.ask("/v1/chat/completions", String.format(messages, "," + more)).at("/choices/0").toString());
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '`', value = {
        "\"content\":null | content", "\"content\":null,\"tool_calls\":[] | content", "\"content\":\"B\",\"refusal\":\"no\" | refusal", "\"content\":\"B\",\"annotations\":[{}] | annotations",
        "\"content\":\"B\",\"audio\":{\"id\":\"1\"} | audio", "\"content\":\"B\",\"function_call\":{\"name\":\"f\",\"arguments\":\"\"} | function_call"})
    void whatAnAssistantCannotHaveSaid(String message, String named) throws IOException, InterruptedException {
        HttpResponse<String> response = server.post("/v1/chat/completions",
                "{\"model\":\"tiny\",\"messages\":[{\"role\":\"user\",\"content\":\"A\"},{\"role\":\"assistant\"," + message + "},{\"role\":\"user\",\"content\":\"C\"}]}");
        assertEquals(400, response.statusCode(), response.body());
        assertEquals("messages[1]." + named, TestServer.JSON.readTree(response.body()).at("/error/param").asText(), response.body());
    }

    @Test
    void streamsWithObfuscationOrWithout() throws IOException, InterruptedException {
        for (String value : new String[] {"true", "false", "null"}) {
            String body = COMPLETION.replace("}", ",\"stream\":true,\"stream_options\":{\"include_usage\":true,\"include_obfuscation\":" + value + "}}");
            assertEquals(2, server.stream("/v1/completions", body).stream().reduce((a, b) -> b).orElseThrow().at("/usage/completion_tokens").asInt());
        }
    }

    @Test
    void asManyAnswersAsDocumented() throws IOException, InterruptedException {
        assertEquals(128, server.ask("/v1/completions", COMPLETION.replace("}", ",\"n\":128}")).get("choices").size());
    }

    /** Answers in one piece hold their log-probabilities to the end: the heap bounds them. */
    @Test
    void logProbabilitiesThatNoHeapHolds() throws IOException, InterruptedException {
        String body = "{\"model\":\"tiny\",\"prompt\":\"A\",\"max_tokens\":4096,\"n\":128,\"logprobs\":20}";
        if (Runtime.getRuntime().maxMemory() < 4L << 30) {
            assertNamed("logprobs", server.post("/v1/completions", body));
        }
    }
}
