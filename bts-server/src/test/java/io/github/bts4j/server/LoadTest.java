package io.github.bts4j.server;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.bts4j.core.generate.GenerationConfig;
import io.github.bts4j.core.text.TextModel;
import io.github.bts4j.core.torch.llama.LlamaModel;
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
import java.util.concurrent.CountDownLatch;
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
            awaitMetric(server, "bts4j_running", 3);
            for (Unread stream : streams) {
                stream.close();
            }
            awaitMetric(server, "bts4j_running", 0);
            assertEquals(3, server.metric("bts4j_cancelled_total"));
            CompletableFuture<HttpResponse<String>> whole = server.client.sendAsync(server.request(COMPLETIONS, LONG.replace("true", "false")),
                    HttpResponse.BodyHandlers.ofString());
            awaitMetric(server, "bts4j_running", 1);
            whole.cancel(true);
            awaitMetric(server, "bts4j_running", 0);
            assertEquals(4, server.metric("bts4j_cancelled_total"), "also where nothing was sent yet");
        }
    }

    @Test
    void aFullQueueRefuses() throws IOException, InterruptedException {
        try (TestServer server = TestServer.withoutEndToken(folder, ONE)) {
            Unread first = new Unread(server.server, COMPLETIONS, ENDLESS);
            awaitMetric(server, "bts4j_running", 1);
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
            awaitMetric(server, "bts4j_running", 0);
        }
    }

    /** Gates are asked for through the same queue: refused when it is full, given up when the client goes, and else answered when their turn comes. */
    @Test
    void gatesWaitTheirTurn() throws IOException, InterruptedException {
        try (TestServer server = TestServer.withoutEndToken(folder, ONE)) {
            String alone = server.ask(GATES, TEXT).toString();
            Unread stream = new Unread(server.server, COMPLETIONS, ENDLESS);
            awaitMetric(server, "bts4j_running", 1);
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
                awaitMetric(server, "bts4j_running", 1);
                assertEquals(three, server.ask(COMPLETIONS, request).at("/choices").toString());
                server.model.removeExpert("again");
                String two = server.ask(COMPLETIONS, request).at("/choices").toString();
                assertNotEquals(three, two, "new answers are those of the model that is left");
                try (TextModel hub = server.text.without(Set.of("code"))) {
                    assertEquals(hub.generate("A", GenerationConfig.greedy(5)).text(), TestServer.JSON.readTree(two).at("/0/text").asText());
                }
                assertFalse(again.lifetime().isClosed(), "an answer in progress goes on with it");
            }
            awaitMetric(server, "bts4j_running", 0);
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

    /** The answer, of about a megabyte, is in progress as long as this client does not read it, however fast the machine is. */
    @Test
    void closingLetsAnswersEndAndRefusesNewOnes() throws IOException, InterruptedException {
        Duration patience = Duration.ofMinutes(10);
        try (TestServer server = TestServer.withoutEndToken(folder, TestServer.CONFIG.withConcurrency(2, 4).withTimeouts(patience, patience, patience));
                Unread answer = new Unread(server.server, COMPLETIONS, ENDLESS.replace("1900", "400").replace("}", ",\"stream_options\":{\"include_usage\":true}}"))) {
            awaitMetric(server, "bts4j_running", 1);
            Thread closing = new Thread(server.server::close);
            closing.start();
            HttpResponse<String> other = server.post(COMPLETIONS, SHORT);
            for (long end = System.nanoTime() + patience.toNanos(); other.statusCode() == 200 && System.nanoTime() < end;) {
                other = server.post(COMPLETIONS, SHORT); // until the closing has begun
            }
            assertEquals(503, other.statusCode(), other.body());
            String whole = answer.readTo("data: [DONE]\n\n");
            assertTrue(whole.startsWith("HTTP/1.1 200 ") && whole.contains("\"completion_tokens\":400"), () -> whole.substring(Math.max(0, whole.length() - 1000)));
            closing.join(patience.toMillis());
            assertTrue(!closing.isAlive(), "the server closes");
        }
    }

    @Test
    void closingAtOnceGivesUpWhatWaits() throws IOException, InterruptedException {
        try (TestServer server = TestServer.withoutEndToken(folder, ONE.withTimeouts(Duration.ofHours(1), Duration.ofHours(1), Duration.ZERO));
                Unread stream = new Unread(server.server, COMPLETIONS, ENDLESS)) {
            awaitMetric(server, "bts4j_running", 1);
            CompletableFuture<HttpResponse<String>> gates = server.client.sendAsync(server.request(GATES, TEXT), HttpResponse.BodyHandlers.ofString());
            CompletableFuture<HttpResponse<String>> answer = server.client.sendAsync(server.request(COMPLETIONS, SHORT), HttpResponse.BodyHandlers.ofString());
            awaitMetric(server, "bts4j_waiting", 2);
            server.server.close();
            assertEquals(503, gates.join().statusCode(), "given up before its turn, and said so");
            assertEquals(503, answer.join().statusCode(), "given up before its turn, and said so");
            assertFalse(stream.readTo("data: [DONE]").contains("[DONE]"));
        }
    }

    /** The answer is being computed, for as long as the server has not begun to close. */
    @Test
    void closingAtOnceGivesUpWhatIsInProgress() throws Exception {
        CountDownLatch begun = new CountDownLatch(1);
        CountDownLatch goOn = new CountDownLatch(1);
        try (TestServer server = TestServer.withoutEndToken(folder, ONE)) {
            TextModel held = TextModel.of(new HookedModel(server.model, ids -> {
                begun.countDown();
                await(goOn);
            }), server.tokenizer);
            ModelServer closed = ModelServer.start(new ServedModel("tiny", held), ONE.withTimeouts(Duration.ofHours(1), Duration.ofHours(1), Duration.ZERO));
            HttpRequest request = HttpRequest.newBuilder(closed.uri().resolve(COMPLETIONS)).header("Content-Type", "application/json")
                    .POST(HttpRequest.BodyPublishers.ofString(LONG.replace("true", "false"))).build();
            CompletableFuture<HttpResponse<String>> answer = server.client.sendAsync(request, HttpResponse.BodyHandlers.ofString());
            begun.await();
            List<CompletableFuture<HttpResponse<String>>> others = new ArrayList<>();
            for (int i = 0; i < 2; i++) {
                others.add(server.client.sendAsync(request, HttpResponse.BodyHandlers.ofString()));
            }
            HttpRequest metrics = HttpRequest.newBuilder(closed.uri().resolve("/metrics")).build();
            while (TestServer.metric(server.client.send(metrics, HttpResponse.BodyHandlers.ofString()), "bts4j_waiting") < 2) {
                Thread.sleep(25);
            }
            Thread closing = new Thread(closed::close);
            closing.start();
            int status = 429; // the queue is full
            while (status == 429) {
                status = TestServer.post(closed, COMPLETIONS, SHORT).statusCode();
            }
            goOn.countDown();
            assertEquals(503, status);
            assertEquals(503, answer.join().statusCode(), "given up, and said so");
            for (CompletableFuture<HttpResponse<String>> each : others) {
                assertEquals(503, each.join().statusCode(), "given up before its turn, and said so");
            }
            closing.join();
        }
    }

    private static void await(CountDownLatch latch) {
        try {
            latch.await();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    /** An expert that was there when the request came may be gone when its turn comes. */
    @Test
    @SuppressWarnings("try") // the stream only has to be open
    void gatesWithoutAnExpertThatIsGone() throws IOException, InterruptedException {
        String without = TEXT.replace("}", ",\"experts_off\":[\"again\"]}");
        try (TestServer server = TestServer.withoutEndToken(folder, ONE)) {
            server.model.addExpert("again", folder.resolve("code"));
            CompletableFuture<HttpResponse<String>> gates;
            try (Unread stream = new Unread(server.server, COMPLETIONS, ENDLESS)) {
                awaitMetric(server, "bts4j_running", 1);
                gates = server.client.sendAsync(server.request(GATES, without), HttpResponse.BodyHandlers.ofString());
                awaitMetric(server, "bts4j_waiting", 1);
                server.model.removeExpert("again");
            }
            HttpResponse<String> refused = gates.join();
            assertEquals(400, refused.statusCode(), refused.body());
            assertEquals("experts_off", TestServer.JSON.readTree(refused.body()).at("/error/param").asText());
            assertTrue(refused.body().contains("again"), refused.body());
            assertEquals(400, server.post(GATES, without).statusCode(), "and one that is not there when it is asked for");
        }
    }
}
