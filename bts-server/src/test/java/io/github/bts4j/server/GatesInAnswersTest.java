package io.github.bts4j.server;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import io.github.bts4j.core.GateWeights;
import io.github.bts4j.core.chat.ChatMessage;
import io.github.bts4j.core.chat.ChatRequest;
import io.github.bts4j.core.chat.ChatTemplate;
import io.github.bts4j.core.text.TextModel;
import java.io.IOException;
import java.net.http.HttpResponse;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The gate weights in answers are those of one pass over prompt and answer. */
class GatesInAnswersTest {
    private static final String COMPLETIONS = "/v1/completions";
    private static final double ROUNDED = 5e-5 + 1e-5;

    @TempDir
    private static Path folder;

    private static TestServer server;

    @BeforeAll
    static void start() throws IOException {
        server = TestServer.withRandomGates(folder, TestServer.CONFIG.withConcurrency(4, 64));
    }

    @AfterAll
    static void stop() {
        server.close();
    }

    private static String body(String prompt, String more) {
        return "{\"model\":\"tiny\",\"temperature\":0,\"prompt\":\"" + prompt + "\"," + more + "}";
    }

    private static int[] ids(JsonNode gates) {
        return IntStream.range(0, gates.get("ids").size()).map(i -> gates.get("ids").get(i).asInt()).toArray();
    }

    /** Compares with the pass over prompt and answer; returns the means over tokens and stitches. */
    private static double[] assertGates(TextModel model, int[] prompt, JsonNode names, JsonNode gates) {
        int[] answer = ids(gates);
        GateWeights whole = model.gates(IntStream.concat(IntStream.of(prompt), IntStream.of(answer)).toArray()).weights();
        assertEquals(whole.models(), List.of(TestServer.JSON.convertValue(names.get("models"), String[].class)));
        assertEquals(whole.layers().stream().map(GateWeights.GateLayer::afterLayer).toList(), List.of(TestServer.JSON.convertValue(names.get("after_layers"), Integer[].class)));
        assertEquals(answer.length, gates.get("weights").size());
        double[] means = new double[whole.models().size()];
        Set<Float> different = new HashSet<>();
        for (int t = 0; t < answer.length; t++) {
            for (int k = 0; k < whole.layers().size(); k++) {
                for (int i = 0; i < means.length; i++) {
                    double expected = whole.values()[prompt.length + t][k][i];
                    assertEquals(expected, gates.get("weights").get(t).get(k).get(i).asDouble(), ROUNDED, "token " + t + ", stitch " + k + ", model " + i);
                    different.add((float) expected);
                    means[i] += expected / answer.length / whole.layers().size();
                }
            }
        }
        assertTrue(different.size() > answer.length || whole.last(0)[1] == 0, "lively gates");
        return means;
    }

    private static void assertShares(double[] expected, JsonNode usage) {
        assertEquals(expected.length, usage.get("gate_shares").size());
        assertEquals(expected[0], usage.at("/gate_shares/hub").asDouble(), ROUNDED);
        assertEquals(expected[1], usage.at("/gate_shares/code").asDouble(), ROUNDED);
    }

    /** Of all parts of a stream, one choice. */
    private static JsonNode joined(List<JsonNode> parts, int index) {
        var gates = TestServer.JSON.createObjectNode();
        for (String name : List.of("ids", "tokens", "weights")) {
            var all = gates.putArray(name);
            parts.forEach(part -> part.path("choices").forEach(choice -> {
                if (choice.path("index").asInt() == index) {
                    choice.path("gates").path(name).forEach(all::add);
                }
            }));
        }
        return gates;
    }

    @ParameterizedTest
    @ValueSource(strings = {"\"max_tokens\":24", "\"max_tokens\":1", "\"max_tokens\":40,\"stop\":\"e\"", "\"max_tokens\":12,\"logprobs\":2,\"echo\":true"})
    void wholeAnswersAndStreams(String options) throws IOException, InterruptedException {
        int[] prompt = server.tokenizer.encode("The house of", true);
        JsonNode plain = server.ask(COMPLETIONS, body("The house of", options));
        JsonNode answer = server.ask(COMPLETIONS, body("The house of", options + ",\"gates\":true"));
        assertEquals(plain.at("/choices/0/text"), answer.at("/choices/0/text"));
        assertEquals(plain.at("/choices/0/finish_reason"), answer.at("/choices/0/finish_reason"));
        assertFalse(plain.has("gates") || plain.at("/choices/0").has("gates") || plain.get("usage").has("gate_shares"));
        assertEquals(answer.at("/usage/completion_tokens").asInt(), answer.at("/choices/0/gates/ids").size());
        assertShares(assertGates(server.text, prompt, answer.get("gates"), answer.at("/choices/0/gates")), answer.get("usage"));
        List<JsonNode> parts = server.stream(COMPLETIONS, body("The house of", options + ",\"gates\":true,\"stream\":true,\"stream_options\":{\"include_usage\":true}"));
        int first = IntStream.range(0, parts.size()).filter(i -> parts.get(i).at("/choices/0").has("gates")).findFirst().orElseThrow();
        assertEquals(List.of(answer.get("gates")), parts.stream().limit(first + 1).filter(part -> part.has("gates")).map(part -> part.get("gates")).toList(), "the names come first");
        assertEquals(1, parts.stream().filter(part -> part.has("gates")).count(), "and once");
        assertEquals(answer.at("/choices/0/gates"), joined(parts, 0));
        assertTrue(parts.stream().allMatch(part -> part.at("/choices/0/gates/ids").size() <= 1), "one token at a time");
        assertEquals(answer.at("/usage/gate_shares"), parts.get(parts.size() - 1).at("/usage/gate_shares"));
        if (!options.contains("echo")) {
            assertEquals(answer.at("/choices/0/text").asText(), String.join("", TestServer.JSON.convertValue(joined(parts, 0).get("tokens"), String[].class)));
        }
    }

    @Test
    void chatsAndSeveralChoices() throws IOException, InterruptedException {
        String chat = "{\"model\":\"tiny\",\"messages\":[{\"role\":\"user\",\"content\":\"Hello\"}],\"max_tokens\":9,\"n\":3,\"seed\":1,\"gates\":true";
        int[] prompt = ChatTemplate.llama2().encode(server.tokenizer, ChatRequest.ofMessages(List.of(ChatMessage.user("Hello"))).forAnswer());
        JsonNode answer = server.ask("/v1/chat/completions", chat + "}");
        List<JsonNode> parts = server.stream("/v1/chat/completions", chat + ",\"stream\":true}");
        for (int i = 0; i < 3; i++) {
            assertGates(server.text, prompt, answer.get("gates"), answer.at("/choices/" + i + "/gates"));
            assertEquals(answer.at("/choices/" + i + "/gates"), joined(parts, i));
        }
        assertEquals("assistant", parts.get(0).at("/choices/0/delta/role").asText());
        assertEquals(answer.get("gates"), parts.get(0).get("gates"));
    }

    @Test
    void expertsThatAreOff() throws IOException, InterruptedException {
        JsonNode answer = server.ask(COMPLETIONS, body("The house of", "\"max_tokens\":6,\"gates\":true,\"experts_off\":[\"code\"]"));
        try (TextModel without = server.text.without(Set.of("code"))) {
            assertShares(assertGates(without, server.tokenizer.encode("The house of", true), answer.get("gates"), answer.at("/choices/0/gates")), answer.get("usage"));
        }
        assertEquals(0, answer.at("/usage/gate_shares/code").asDouble());
    }

    /** Some of the clients of a step ask for gates, others do not; each gets what it gets alone. */
    @Test
    void besideOthers() {
        List<String> bodies = new ArrayList<>();
        for (int i = 0; i < 8; i++) {
            bodies.add(body("The house " + i, "\"max_tokens\":" + (20 + i) + (i % 2 == 0 ? ",\"gates\":true" : ",\"logprobs\":1")));
        }
        List<JsonNode> alone = bodies.stream().map(GatesInAnswersTest::asked).toList();
        List<CompletableFuture<JsonNode>> together = bodies.stream().map(each -> CompletableFuture.supplyAsync(() -> asked(each))).toList();
        for (int i = 0; i < bodies.size(); i++) {
            JsonNode answer = together.get(i).join();
            assertEquals(alone.get(i).at("/choices/0/text"), answer.at("/choices/0/text"));
            assertEquals(i % 2 == 0, answer.has("gates"));
            if (i % 2 == 0) {
                assertGates(server.text, server.tokenizer.encode("The house " + i, true), answer.get("gates"), answer.at("/choices/0/gates"));
            }
        }
    }

    private static JsonNode asked(String body) {
        try {
            return server.ask(COMPLETIONS, body);
        } catch (IOException | InterruptedException e) {
            throw new AssertionError(e);
        }
    }

    @Test
    void whatIsRefused() throws IOException, InterruptedException {
        HttpResponse<String> wrong = server.post(COMPLETIONS, body("A", "\"gates\":\"all\""));
        assertEquals(400, wrong.statusCode());
        assertEquals("gates = \"all\" must be true or false", TestServer.JSON.readTree(wrong.body()).at("/error/message").asText());
        try (TextModel seed = TextModel.open(folder.resolve("seed"));
                ModelServer other = ModelServer.start(new ServedModel("tiny", seed), TestServer.CONFIG)) {
            HttpResponse<String> none = TestServer.post(other, COMPLETIONS, body("A", "\"gates\":true"));
            assertEquals(400, none.statusCode());
            assertEquals("gates = true: the model tiny is not a stitched model and has no gates; leave it out", TestServer.JSON.readTree(none.body()).at("/error/message").asText());
            assertEquals(200, TestServer.post(other, COMPLETIONS, body("A", "\"gates\":false,\"max_tokens\":1")).statusCode());
        }
    }
}
