package io.github.bts4j.server;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.bts4j.core.generate.GenerationConfig;
import io.github.bts4j.core.llama.LlamaModel;
import io.github.bts4j.core.text.TextModel;
import java.io.IOException;
import java.io.InputStream;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Queues, clients that go away, keys, time limits, and the end of a server. */
class LoadTest {
    private static final String COMPLETIONS = "/v1/completions";
    private static final String LONG = "{\"model\":\"tiny\",\"prompt\":\"A\",\"max_tokens\":1900,\"temperature\":1,\"seed\":1,\"stream\":true}";

    /** Some megabytes, twenty alternatives for every token. */
    private static final String ENDLESS = LONG.replace("}", ",\"logprobs\":20}");

    private static final ServerConfig ONE = TestServer.CONFIG.withConcurrency(1, 2).withTimeouts(Duration.ofHours(1), Duration.ofHours(1), Duration.ofSeconds(5));

    private static final String GATES = "/bts/gates";
    private static final String TEXT = "{\"model\":\"tiny\",\"prompt\":\"public static boolean\"}";

    private static final String SHORT = "{\"model\":\"tiny\",\"prompt\":\"A\",\"max_tokens\":1}";

    @TempDir
    private Path folder;

    private static void awaitMetric(TestServer server, String name, double value) throws IOException, InterruptedException {
        double seen = server.metric(name);
        for (int i = 0; i < 2400 && seen != value; i++) {
            Thread.sleep(25);
            seen = server.metric(name);
        }
        assertEquals(value, seen, name); // not read again: what waited may have begun meanwhile
    }

    @Test
    void clientsThatGoAwayEndTheirAnswers() throws IOException, InterruptedException {
        try (TestServer server = TestServer.withoutEndToken(folder, ONE.withConcurrency(3, 3))) {
            List<Unread> streams = new ArrayList<>();
            for (int i = 0; i < 3; i++) {
                streams.add(new Unread(server.server, COMPLETIONS, ENDLESS));
            }
            awaitMetric(server, "bts4j_in_progress", 3);
            for (Unread stream : streams) {
                stream.close();
            }
            awaitMetric(server, "bts4j_in_progress", 0);
            assertEquals(3, server.metric("bts4j_cancelled_total"));
            CompletableFuture<HttpResponse<String>> whole = server.client.sendAsync(server.request(COMPLETIONS, LONG.replace("true", "false")),
                    HttpResponse.BodyHandlers.ofString());
            awaitMetric(server, "bts4j_in_progress", 1);
            whole.cancel(true);
            awaitMetric(server, "bts4j_in_progress", 0);
            assertEquals(4, server.metric("bts4j_cancelled_total"), "also where nothing was sent yet");
        }
    }

    @Test
    void aFullQueueRefuses() throws IOException, InterruptedException {
        try (TestServer server = TestServer.withoutEndToken(folder, ONE)) {
            Unread first = new Unread(server.server, COMPLETIONS, ENDLESS);
            awaitMetric(server, "bts4j_in_progress", 1);
            List<CompletableFuture<HttpResponse<InputStream>>> waiting = new ArrayList<>();
            for (int i = 0; i < 2; i++) {
                waiting.add(server.client.sendAsync(server.request(COMPLETIONS, LONG), HttpResponse.BodyHandlers.ofInputStream()));
            }
            awaitMetric(server, "bts4j_waiting", 2);
            HttpResponse<String> refused = server.post(COMPLETIONS, LONG);
            assertEquals(429, refused.statusCode(), refused.body());
            assertEquals("queue_full", TestServer.JSON.readTree(refused.body()).at("/error/code").asText());
            assertEquals("1", refused.headers().firstValue("Retry-After").orElseThrow());
            assertEquals(400, server.post(COMPLETIONS, LONG.replace("\"seed\":1", "\"n\":3")).statusCode(), "more than can ever wait");
            first.close();
            for (CompletableFuture<HttpResponse<InputStream>> one : waiting) {
                one.join().body().close();
            }
            awaitMetric(server, "bts4j_waiting", 0);
            awaitMetric(server, "bts4j_in_progress", 0);
        }
    }

    /** Gates are asked for through the same queue: refused when it is full, given up when the client goes, and else answered when their turn comes. */
    @Test
    void gatesWaitTheirTurn() throws IOException, InterruptedException {
        try (TestServer server = TestServer.withoutEndToken(folder, ONE)) {
            String alone = server.ask(GATES, TEXT).toString();
            Unread stream = new Unread(server.server, COMPLETIONS, ENDLESS);
            awaitMetric(server, "bts4j_in_progress", 1);
            CompletableFuture<HttpResponse<String>> gone = server.client.sendAsync(server.request(GATES, TEXT), HttpResponse.BodyHandlers.ofString());
            CompletableFuture<HttpResponse<String>> kept = server.client.sendAsync(server.request(GATES, TEXT), HttpResponse.BodyHandlers.ofString());
            awaitMetric(server, "bts4j_waiting", 2);
            HttpResponse<String> refused = server.post(GATES, TEXT);
            assertEquals(429, refused.statusCode(), refused.body());
            assertEquals("queue_full", TestServer.JSON.readTree(refused.body()).at("/error/code").asText());
            assertEquals("1", refused.headers().firstValue("Retry-After").orElseThrow());
            assertEquals(429, server.post(COMPLETIONS, SHORT).statusCode(), "gates that wait take the places of answers");
            gone.cancel(true);
            awaitMetric(server, "bts4j_waiting", 1);
            assertEquals(1, server.metric("bts4j_cancelled_total"));
            assertTrue(!kept.isDone(), "while an answer is in progress and no other may be");
            stream.close();
            assertEquals(alone, TestServer.JSON.readTree(kept.join().body()).toString());
            awaitMetric(server, "bts4j_waiting", 0);
        }
    }

    /** An answer with an expert switched off is that of the model as it is, and keeps nothing of what the model was once it has ended. */
    @Test
    @SuppressWarnings("try") // the stream only has to be open
    void expertsThatLeaveAreFreed() throws IOException, InterruptedException {
        try (TestServer server = new TestServer(folder, TestServer.CONFIG)) {
            server.model.addExpert("again", folder.resolve("code"));
            LlamaModel again = server.model.models().get(2);
            String request = SHORT.replace("1}", "5,\"temperature\":0,\"experts_off\":[\"code\"]}");
            String three = server.ask(COMPLETIONS, request).at("/choices").toString();
            try (Unread stream = new Unread(server.server, COMPLETIONS, ENDLESS.replace("}", ",\"experts_off\":[\"code\"]}"))) {
                awaitMetric(server, "bts4j_in_progress", 1);
                assertEquals(three, server.ask(COMPLETIONS, request).at("/choices").toString());
                server.model.removeExpert("again");
                String two = server.ask(COMPLETIONS, request).at("/choices").toString();
                assertNotEquals(three, two, "new answers are those of the model that is left");
                try (TextModel hub = server.text.without(Set.of("code"))) {
                    assertEquals(hub.generate("A", GenerationConfig.greedy(5)).text(), TestServer.JSON.readTree(two).at("/0/text").asText());
                }
                assertFalse(again.lifetime().isClosed(), "an answer in progress goes on with it");
            }
            awaitMetric(server, "bts4j_in_progress", 0);
            for (int i = 0; i < 2400 && !again.lifetime().isClosed(); i++) {
                Thread.sleep(25);
            }
            assertTrue(again.lifetime().isClosed());
        }
    }

    @Test
    void gatesThatTakeTooLongAreGivenUp() throws IOException, InterruptedException {
        try (TestServer server = new TestServer(folder, TestServer.CONFIG.withTimeouts(Duration.ofSeconds(5), Duration.ofMillis(1), Duration.ofSeconds(5)))) {
            HttpResponse<String> late = server.post(GATES, TEXT.replace("boolean", "boolean a".repeat(300)));
            assertEquals(504, late.statusCode(), late.body());
            assertEquals("timeout", TestServer.JSON.readTree(late.body()).at("/error/code").asText());
        }
    }

    @Test
    void answersThatTakeTooLongEnd() throws IOException, InterruptedException {
        try (TestServer server = new TestServer(folder, TestServer.CONFIG.withTimeouts(Duration.ofSeconds(5), Duration.ofMillis(100), Duration.ofSeconds(5)))) {
            HttpResponse<String> late = server.post(COMPLETIONS, LONG.replace("true", "false"));
            assertEquals(504, late.statusCode(), late.body());
            String stream = server.post(COMPLETIONS, LONG).body();
            assertTrue(stream.strip().endsWith("}") && stream.contains("\"code\":\"timeout\"") && !stream.contains("[DONE]"), stream);
        }
    }

    @Test
    void aKeyIsAskedFor() throws IOException, InterruptedException {
        try (TestServer server = new TestServer(folder, TestServer.CONFIG.withApiKey("secret"))) {
            assertEquals(401, server.get("/v1/models").statusCode());
            assertEquals(401, server.post(COMPLETIONS, LONG).statusCode());
            assertEquals(200, server.get("/health").statusCode());
            for (String key : new String[] {"secret", "secre", "secret2", ""}) {
                HttpResponse<String> response = server.client.send(HttpRequest.newBuilder(server.uri("/v1/models")).header("Authorization", "Bearer " + key).build(),
                        HttpResponse.BodyHandlers.ofString());
                assertEquals(key.equals("secret") ? 200 : 401, response.statusCode(), key);
            }
        }
    }

    @Test
    void closingLetsAnswersEndAndRefusesNewOnes() throws IOException, InterruptedException {
        try (TestServer server = new TestServer(folder, TestServer.CONFIG.withTimeouts(Duration.ofSeconds(5), Duration.ofMinutes(2), Duration.ofMinutes(2)))) {
            String body = LONG.replace("1900", "1200").replace("true", "false");
            CompletableFuture<HttpResponse<String>> answer = server.client.sendAsync(server.request(COMPLETIONS, body), HttpResponse.BodyHandlers.ofString());
            awaitMetric(server, "bts4j_in_progress", 1);
            Thread closing = new Thread(server.server::close);
            closing.start();
            HttpResponse<String> other = server.post(COMPLETIONS, SHORT);
            for (int i = 0; i < 100 && other.statusCode() == 200; i++) {
                other = server.post(COMPLETIONS, SHORT); // until the closing has begun
            }
            assertEquals(503, other.statusCode(), other.body());
            assertEquals(200, answer.join().statusCode());
            assertEquals(1200, TestServer.JSON.readTree(answer.join().body()).at("/usage/completion_tokens").asInt());
            closing.join(120_000);
            assertTrue(!closing.isAlive(), "the server closes");
        }
        try (TestServer server = new TestServer(folder, TestServer.CONFIG.withConcurrency(1, 2).withTimeouts(Duration.ofSeconds(5), Duration.ofMinutes(1), Duration.ZERO))) {
            CompletableFuture<HttpResponse<String>> answer = server.client.sendAsync(server.request(COMPLETIONS, LONG.replace("true", "false")),
                    HttpResponse.BodyHandlers.ofString());
            awaitMetric(server, "bts4j_in_progress", 1);
            CompletableFuture<HttpResponse<String>> gates = server.client.sendAsync(server.request(GATES, TEXT), HttpResponse.BodyHandlers.ofString());
            awaitMetric(server, "bts4j_waiting", 1);
            server.server.close();
            assertEquals(503, answer.join().statusCode(), "given up, and said so");
            assertEquals(503, gates.join().statusCode(), "given up before its turn, and said so");
        }
    }
}
