package io.github.bts4j.server;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import io.github.bts4j.core.chat.ChatMessage;
import io.github.bts4j.core.chat.ChatTemplate;
import io.github.bts4j.core.generate.GenerationConfig;
import io.github.bts4j.core.generate.GenerationResult;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Deque;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.CompletableFuture;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Answers over HTTP against what the generator gives in this process. */
class ModelServerTest {
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

    private static GenerationConfig config(int maxTokens, double temperature, long seed) {
        return GenerationConfig.greedy(maxTokens).withTemperature(temperature).withSeed(seed);
    }

    @Test
    void modelsHealthAndMetrics() throws IOException, InterruptedException {
        JsonNode models = TestServer.JSON.readTree(server.get("/v1/models").body());
        assertEquals("tiny", models.get("data").get(0).get("id").asText());
        assertEquals(2048, TestServer.JSON.readTree(server.get("/v1/models/tiny").body()).get("context_length").asInt());
        assertEquals(404, server.get("/v1/models/other").statusCode());
        assertEquals("{\"status\":\"ok\"}", server.get("/health").body());
        double before = server.metric("bts4j_generated_tokens_total");
        server.ask("/v1/completions", "{\"model\":\"tiny\",\"prompt\":\"A\",\"max_tokens\":5,\"temperature\":0}");
        assertEquals(before + 5, server.metric("bts4j_generated_tokens_total"));
        String metrics = server.get("/metrics").body();
        assertTrue(metrics.contains("bts4j_requests_seconds_count{endpoint=\"/v1/completions\",status=\"200\"}"), metrics);
        assertTrue(metrics.contains("bts4j_first_token_seconds{quantile=\"0.9\"}"), metrics);
    }

    @Test
    void metricsGoToTheApplicationsRegistryToo() throws IOException, InterruptedException {
        SimpleMeterRegistry own = new SimpleMeterRegistry();
        ServedModel served = new ServedModel("tiny", server.text);
        try (ModelServer second = ModelServer.start(served, TestServer.CONFIG, own)) {
            URI uri = second.uri().resolve("/v1/completions");
            HttpRequest request = HttpRequest.newBuilder(uri).header("Content-Type", "application/json")
                    .POST(HttpRequest.BodyPublishers.ofString("{\"model\":\"tiny\",\"prompt\":[5, 6, 7],\"max_tokens\":4,\"temperature\":0}")).build();
            assertEquals(200, server.client.send(request, HttpResponse.BodyHandlers.ofString()).statusCode());
            assertEquals(0, own.get("bts4j.waiting").gauge().value());
        }
        assertEquals(3, own.get("bts4j.prompt.tokens").counter().count());
        assertEquals(4, own.get("bts4j.generated.tokens").counter().count());
        assertNull(own.find("bts4j.waiting").gauge(), "it would show a server that is gone");
        ServerConfig taken = TestServer.CONFIG.listeningOn("127.0.0.1", server.server.uri().getPort());
        assertThrows(IOException.class, () -> ModelServer.start(served, taken, own));
        assertNull(own.find("bts4j.waiting").gauge(), "it would show a server that never ran");
        assertFalse(own.isClosed(), "the application's registry is the application's to close");
    }

    @Test
    void completionsAreTheGeneratorsTexts() throws IOException, InterruptedException {
        int[] prompt = server.tokenizer.encode("It is a truth", true);
        GenerationResult greedy = server.generated(prompt, config(20, 0, 0));
        JsonNode answer = server.ask("/v1/completions", "{\"model\":\"tiny\",\"prompt\":\"It is a truth\",\"max_tokens\":20,\"temperature\":0}");
        assertEquals(greedy.text(), answer.at("/choices/0/text").asText());
        assertEquals("length", answer.at("/choices/0/finish_reason").asText());
        assertEquals("text_completion", answer.get("object").asText());
        assertEquals(prompt.length, answer.at("/usage/prompt_tokens").asInt());
        assertEquals(20, answer.at("/usage/completion_tokens").asInt());
        assertEquals(prompt.length + 20, answer.at("/usage/total_tokens").asInt());
        assertTrue(answer.at("/choices/0/logprobs").isNull());

        JsonNode drawn = server.ask("/v1/completions", "{\"model\":\"tiny\",\"prompt\":\"It is a truth\",\"max_tokens\":12,\"temperature\":0.8,\"top_p\":0.9,\"seed\":7,\"n\":2}");
        for (int i = 0; i < 2; i++) {
            GenerationConfig config = config(12, 0.8, 7 + i).withTopP(0.9);
            assertEquals(server.generated(prompt, config).text(), drawn.at("/choices/" + i + "/text").asText(), "answer " + i);
            assertEquals(i, drawn.at("/choices/" + i + "/index").asInt());
        }
        assertNotEquals(drawn.at("/choices/0/text"), drawn.at("/choices/1/text"));
    }

    @Test
    void aStopStringEndsTheText() throws IOException, InterruptedException {
        int[] prompt = server.tokenizer.encode("It is a truth", true);
        String whole = server.generated(prompt, config(30, 0, 0)).text();
        String stop = whole.substring(12, 15);
        JsonNode answer = server.ask("/v1/completions",
                TestServer.JSON.createObjectNode().put("model", "tiny").put("prompt", "It is a truth").put("max_tokens", 30).put("temperature", 0).put("stop", stop).toString());
        assertEquals(whole.substring(0, whole.indexOf(stop)), answer.at("/choices/0/text").asText());
        assertEquals("stop", answer.at("/choices/0/finish_reason").asText());
    }

    @Test
    void promptsAsTokensAndInLists() throws IOException, InterruptedException {
        int[] first = server.tokenizer.encode("One", true);
        int[] second = server.tokenizer.encode("Another prompt", true);
        List<String> texts = List.of(server.generated(first, config(8, 0, 0)).text(), server.generated(second, config(8, 0, 0)).text());
        String tail = ",\"max_tokens\":8,\"temperature\":0}";
        assertEquals(texts, texts(server.ask("/v1/completions", "{\"model\":\"tiny\",\"prompt\":[\"One\",\"Another prompt\"]" + tail)));
        assertEquals(texts, texts(server.ask("/v1/completions", "{\"model\":\"tiny\",\"prompt\":[" + Arrays.toString(first) + "," + Arrays.toString(second) + "]" + tail)));
        assertEquals(texts.subList(0, 1), texts(server.ask("/v1/completions", "{\"model\":\"tiny\",\"prompt\":" + Arrays.toString(first) + tail)));
    }

    private static List<String> texts(JsonNode answer) {
        List<String> texts = new ArrayList<>();
        answer.get("choices").forEach(choice -> texts.add(choice.get("text").asText()));
        return texts;
    }

    /** What evaluation harnesses ask for: the prompt's log-probabilities, and whether greedy decoding would have given it. */
    @Test
    void echoedPromptsComeWithTheirLogProbabilities() throws IOException, InterruptedException {
        int[] ids = server.tokenizer.encode("The logarithm of a product is the sum of the logarithms: ä \uD83D\uDE00", true);
        float[] expected = server.generator.logProbs(ids)[0];
        JsonNode answer = server.ask("/v1/completions",
                "{\"model\":\"tiny\",\"prompt\":[" + Arrays.toString(ids) + "],\"max_tokens\":1,\"logprobs\":3,\"echo\":true,\"temperature\":0,\"seed\":1}");
        JsonNode logprobs = answer.at("/choices/0/logprobs");
        assertEquals(ids.length + 1, logprobs.get("token_logprobs").size());
        assertEquals(ids.length + 1, logprobs.get("tokens").size());
        assertEquals(ids.length + 1, logprobs.get("text_offset").size());
        assertTrue(logprobs.get("token_logprobs").get(0).isNull() && logprobs.get("top_logprobs").get(0).isNull());
        int[] best = greedyEach(ids);
        for (int t = 1; t < ids.length; t++) {
            double logProb = logprobs.get("token_logprobs").get(t).asDouble();
            assertEquals(expected[t - 1], logProb, server.tolerance(ids.length).ofLosses(expected), "token " + t);
            JsonNode top = logprobs.get("top_logprobs").get(t);
            assertEquals(logProb, top.get(logprobs.get("tokens").get(t).asText()).asDouble(), "the chosen token is always there");
            assertTrue(top.size() == 3 || top.size() == 4, top + ": up to logprobs + 1");
            double largest = Double.NEGATIVE_INFINITY;
            for (JsonNode value : top) {
                largest = Math.max(largest, value.asDouble());
            }
            assertEquals(best[t - 1] == ids[t], logProb == largest, "token " + t);
        }
        assertTrue(answer.at("/choices/0/text").asText().startsWith(server.tokenizer.decode(ids, true)));
        JsonNode only = server.ask("/v1/completions", "{\"model\":\"tiny\",\"prompt\":" + Arrays.toString(ids) + ",\"max_tokens\":0,\"logprobs\":0,\"echo\":true}");
        assertEquals(ids.length, only.at("/choices/0/logprobs/token_logprobs").size());
        assertEquals(server.tokenizer.decode(ids, true), only.at("/choices/0/text").asText());
        assertEquals(0, only.at("/usage/completion_tokens").asInt());
    }

    private static int[] greedyEach(int[] ids) {
        return IntStream.range(1, ids.length).map(t -> server.generated(Arrays.copyOf(ids, t), config(1, 0, 0)).tokenIds()[0]).toArray();
    }

    @Test
    void chatsGoThroughTheTemplate() throws IOException, InterruptedException {
        List<ChatMessage> messages = List.of(ChatMessage.system("Be brief."), ChatMessage.user("Hello"), ChatMessage.assistant("Hi."), ChatMessage.user("Why?"));
        int[] prompt = ChatTemplate.llama2().encode(server.tokenizer, messages, true);
        GenerationResult expected = server.generated(prompt, config(15, 0, 0));
        String body = "{\"model\":\"tiny\",\"messages\":[{\"role\":\"system\",\"content\":\"Be brief.\"},{\"role\":\"user\",\"content\":[{\"type\":\"text\",\"text\":\"Hello\"}]},"
                + "{\"role\":\"assistant\",\"content\":\"Hi.\"},{\"role\":\"user\",\"content\":\"Why?\"}],\"max_completion_tokens\":15,\"temperature\":0%s}";
        JsonNode answer = server.ask("/v1/chat/completions", String.format(body, ",\"logprobs\":true,\"top_logprobs\":2"));
        assertEquals(expected.text(), answer.at("/choices/0/message/content").asText());
        assertEquals("assistant", answer.at("/choices/0/message/role").asText());
        assertEquals("chat.completion", answer.get("object").asText());
        JsonNode content = answer.at("/choices/0/logprobs/content");
        assertEquals(15, content.size());
        for (int i = 0; i < 15; i++) {
            assertEquals(expected.tokens().get(i).logProb(), content.get(i).get("logprob").asDouble(), server.tolerance(prompt.length + 15).ofLosses(expected.tokens().get(i).logProb()));
            assertEquals(2, content.get(i).get("top_logprobs").size());
            assertEquals(content.get(i).get("logprob").asDouble(), content.get(i).at("/top_logprobs/0/logprob").asDouble(), "greedy takes the likeliest");
        }
        List<JsonNode> parts = server.stream("/v1/chat/completions", String.format(body, ",\"stream\":true,\"stream_options\":{\"include_usage\":true}"));
        assertEquals("assistant", parts.get(0).at("/choices/0/delta/role").asText());
        assertEquals(expected.text(), parts.stream().map(part -> part.at("/choices/0/delta/content").asText()).collect(Collectors.joining()));
        assertEquals("length", parts.get(parts.size() - 2).at("/choices/0/finish_reason").asText());
        JsonNode usage = parts.get(parts.size() - 1);
        assertEquals(0, usage.get("choices").size());
        assertEquals(15, usage.at("/usage/completion_tokens").asInt());
        assertEquals(1, parts.stream().map(part -> part.get("id")).distinct().count());
    }

    @Test
    void streamsCarryWhatWholeAnswersDo() throws IOException, InterruptedException {
        String body = "{\"model\":\"tiny\",\"prompt\":[\"One\",\"Two\"],\"max_tokens\":9,\"temperature\":0.7,\"seed\":3,\"n\":2,\"echo\":true%s}";
        JsonNode whole = server.ask("/v1/completions", String.format(body, ""));
        List<JsonNode> parts = server.stream("/v1/completions", String.format(body, ",\"stream\":true"));
        assertEquals("no-cache", server.post("/v1/completions", String.format(body, ",\"stream\":true")).headers().firstValue("Cache-Control").orElseThrow());
        JsonNode scored = server.ask("/v1/completions", String.format(body, ",\"logprobs\":1"));
        List<JsonNode> scoredParts = server.stream("/v1/completions", String.format(body, ",\"logprobs\":1,\"stream\":true"));
        for (int i = 0; i < 4; i++) {
            int index = i;
            String text = whole.at("/choices/" + i + "/text").asText();
            assertEquals(text, text(parts, index));
            assertEquals(text, scored.at("/choices/" + i + "/text").asText());
            assertEquals(text, text(scoredParts, index));
            List<Double> values = new ArrayList<>();
            scoredParts.stream().filter(part -> part.at("/choices/0/index").asInt() == index)
                    .forEach(part -> part.at("/choices/0/logprobs/token_logprobs").forEach(value -> values.add(value.asDouble())));
            List<Double> expected = new ArrayList<>();
            scored.at("/choices/" + i + "/logprobs/token_logprobs").forEach(value -> expected.add(value.asDouble()));
            assertEquals(expected, values);
        }
    }

    private static String text(List<JsonNode> parts, int index) {
        return parts.stream().filter(part -> part.at("/choices/0/index").asInt() == index).map(part -> part.at("/choices/0/text").asText()).collect(Collectors.joining());
    }

    @Test
    void manyAtOnceGetWhatEachGetsAlone() throws IOException, InterruptedException {
        List<String> bodies = IntStream.range(0, 24).mapToObj(i -> "{\"model\":\"tiny\",\"prompt\":\"" + "word ".repeat(i % 7 + 1) + i + "\",\"max_tokens\":" + (5 + i)
                + ",\"temperature\":" + (i % 2) + ",\"seed\":" + i + "}").toList();
        List<String> alone = new ArrayList<>();
        for (String body : bodies) {
            alone.add(server.ask("/v1/completions", body).at("/choices/0/text").asText());
        }
        List<CompletableFuture<HttpResponse<String>>> together = bodies.stream()
                .map(body -> server.client.sendAsync(server.request("/v1/completions", body), HttpResponse.BodyHandlers.ofString())).toList();
        for (int i = 0; i < bodies.size(); i++) {
            assertEquals(alone.get(i), TestServer.JSON.readTree(together.get(i).join().body()).at("/choices/0/text").asText(), bodies.get(i));
        }
        assertFalse(alone.stream().distinct().count() < 12, "the texts differ");
    }

    @Test
    void logitsAreTheSameByEitherWay() {
        int[] ids = {1, 70, 300, 5};
        float[] scores = new float[3];
        server.generator.score(ids, 1).forEach(score -> scores[List.of(70, 300, 5).indexOf(score.id())] = score.logProb());
        assertArrayEquals(server.generator.logProbs(ids)[0], scores, (float) server.tolerance(ids.length).ofLosses(scores));
    }

    @Test
    void thePageBringsEverythingItNeeds() throws IOException, InterruptedException {
        HttpResponse<String> page = server.get("/");
        assertEquals(200, page.statusCode());
        assertEquals("default-src 'self'; frame-ancestors 'none'", page.headers().firstValue("Content-Security-Policy").orElseThrow());
        assertTrue(page.headers().firstValue("Content-Type").orElseThrow().startsWith("text/html"));
        Pattern reference = Pattern.compile("(?:href|src)=\"/([^\"]+)\"|from '\\./([^']+)'");
        Deque<String> rest = new ArrayDeque<>(List.of(page.body()));
        Set<String> found = new TreeSet<>();
        while (!rest.isEmpty()) {
            Matcher references = reference.matcher(rest.pop());
            while (references.find()) {
                String part = references.group(1) == null ? references.group(2) : references.group(1);
                if (found.add(part)) {
                    HttpResponse<String> response = server.get("/" + part);
                    assertEquals(200, response.statusCode(), part);
                    assertFalse(response.body().replace("http://www.w3.org/2000/svg", "").matches("(?s).*https?://\\w.*"), "no address of another host in " + part);
                    rest.push(response.body());
                }
            }
        }
        assertTrue(found.containsAll(Set.of("page.css", "models.css", "icon.svg", "page.js", "markdown.js")), found.toString());
    }
}
