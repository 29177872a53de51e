package io.github.bts4j.server;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.bts4j.core.text.TextModel;
import java.io.IOException;
import java.io.OutputStream;
import java.net.Socket;
import java.net.SocketTimeoutException;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Clients that would take all of a server for themselves: what they do costs them, and others nothing. Nothing here is a matter of how fast the machine is: what
 * a client waits for is counted in processor time, and what has to come is waited for.
 */
class HostileClientsTest {
    private static final String COMPLETIONS = "/v1/completions";
    private static final String GOOD = "{\"model\":\"tiny\",\"prompt\":\"A\",\"max_tokens\":2}";
    private static final int MOST_CHARACTERS = 4_000_000;

    @TempDir
    private static Path folder;

    private static final Duration LONG = Duration.ofMinutes(10);
    private static final long LONG_NANOS = LONG.toNanos();
    private static final com.sun.management.OperatingSystemMXBean SYSTEM =
            (com.sun.management.OperatingSystemMXBean) java.lang.management.ManagementFactory.getOperatingSystemMXBean();

    /** Takes its time. */
    private static TestServer server;

    /** Gives a client two seconds to send its request, or to read on. */
    private static ModelServer hasty;

    @BeforeAll
    static void start() throws IOException {
        ServerConfig config = TestServer.CONFIG.withConcurrency(4, 512);
        server = new TestServer(folder, config.withTimeouts(LONG, LONG, Duration.ZERO));
        hasty = ModelServer.start(new ServedModel("tiny", server.text), config.withTimeouts(Duration.ofSeconds(2), LONG, Duration.ZERO));
    }

    @AfterAll
    static void stop() {
        hasty.close();
        server.close();
    }

    /** Seconds of processor time that the server, and this client, take until a small request is answered. */
    private static double secondsOfAGoodRequest() throws IOException, InterruptedException {
        long begin = SYSTEM.getProcessCpuTime();
        HttpResponse<String> response = server.post(COMPLETIONS, GOOD);
        assertEquals(200, response.statusCode(), response.body());
        return (SYSTEM.getProcessCpuTime() - begin) / 1e9;
    }

    /** The hasty server's answer; asked again where this process did not get a processor for two seconds. */
    private static HttpResponse<String> patiently(HttpRequest request) throws IOException, InterruptedException {
        for (long end = System.nanoTime() + LONG_NANOS;;) {
            try {
                HttpResponse<String> response = server.client.send(request, HttpResponse.BodyHandlers.ofString());
                if (response.statusCode() != 408 || System.nanoTime() > end) {
                    return response;
                }
            } catch (IOException e) { // the connection came, its request did not
                if (System.nanoTime() > end) {
                    throw e;
                }
            }
        }
    }

    private static double hastyMetric(String name) throws IOException, InterruptedException {
        return TestServer.metric(patiently(HttpRequest.newBuilder(hasty.uri().resolve("/metrics")).build()), name);
    }

    private static void assertHastyServes() throws IOException, InterruptedException {
        HttpResponse<String> response = patiently(HttpRequest.newBuilder(hasty.uri().resolve(COMPLETIONS)).header("Content-Type", "application/json")
                .POST(HttpRequest.BodyPublishers.ofString(GOOD)).build());
        assertEquals(200, response.statusCode(), response.body());
    }

    @Test
    void promptsOfFourMillionCharacters() throws Exception {
        List<String> texts = List.of("a".repeat(MOST_CHARACTERS), "a b ".repeat(MOST_CHARACTERS / 4), " ".repeat(MOST_CHARACTERS), "\u4e2d".repeat(MOST_CHARACTERS / 3));
        String chat = "{\"model\":\"tiny\",\"messages\":[{\"role\":\"user\",\"content\":\"%s\"}]}";
        secondsOfAGoodRequest();
        List<CompletableFuture<HttpResponse<String>>> sent = new ArrayList<>();
        for (String text : texts) {
            sent.add(server.client.sendAsync(server.request(COMPLETIONS, "{\"model\":\"tiny\",\"prompt\":\"" + text + "\"}"), HttpResponse.BodyHandlers.ofString()));
            sent.add(server.client.sendAsync(server.request("/v1/chat/completions", String.format(chat, text)), HttpResponse.BodyHandlers.ofString()));
        }
        double worst = 0;
        while (!sent.stream().allMatch(CompletableFuture::isDone)) {
            worst = Math.max(worst, secondsOfAGoodRequest());
        }
        for (CompletableFuture<HttpResponse<String>> each : sent) {
            HttpResponse<String> response = each.join();
            assertTrue(response.statusCode() == 400 && response.body().contains("context_length_exceeded") || response.statusCode() == 429, response.body());
        }
        assertEquals(400, sent.get(0).join().statusCode(), "one long text at a time is looked at");
        assertTrue(worst < 15, "another client waited for " + worst + " s of processor time");
    }

    /** Where the context is so long that length alone tells nothing, a beginning does. */
    @Test
    void aLongContextLooksAtTheBeginning() {
        int context = 20_000;
        PromptLimits limits = new PromptLimits(server.tokenizer, context);
        String text = "It is a truth universally acknowledged. ".repeat(context / 2);
        assertTrue(text.length() < context * server.tokenizer.longestToken() && server.tokenizer.encode(text, true).length > context);
        ApiException refused = assertThrows(ApiException.class, () -> limits.check("prompt", List.of(text)));
        assertTrue(refused.status() == 400 && refused.getMessage().contains("prompt has a text of " + text.length() + " characters") && refused.getMessage().contains(" 20000 tokens"),
                refused.getMessage());
        limits.check("prompt", List.of(" ".repeat(context * 9)));
        limits.check("prompt", List.of("a".repeat(context)));
    }

    /** Streams that nobody reads pause, hold little, and lose their connection; the places they took are free again. */
    @Test
    void aClientThatDoesNotRead() throws Exception {
        String body = "{\"model\":\"tiny\",\"prompt\":\"A\",\"max_tokens\":2000,\"stream\":true,\"logprobs\":20,\"n\":8,\"seed\":1}";
        double before = hastyMetric("bts4j_cancelled_total");
        double generated = hastyMetric("bts4j_generated_tokens_total");
        List<Unread> clients = new ArrayList<>();
        for (int i = 0; i < 3; i++) {
            clients.add(new Unread(hasty, COMPLETIONS, body));
        }
        try {
            long end = System.nanoTime() + LONG_NANOS;
            while ((hastyMetric("bts4j_cancelled_total") < before + 24 || hastyMetric("bts4j_running") > 0) && System.nanoTime() < end) {
                Thread.sleep(50);
            }
            assertEquals(before + 24, hastyMetric("bts4j_cancelled_total"), "all answers of the three clients are given up");
            assertEquals(0, hastyMetric("bts4j_running"));
            generated = hastyMetric("bts4j_generated_tokens_total") - generated;
            assertTrue(generated < 24 * 1900, "what nobody reads is not generated to its end: " + generated + " tokens");
            assertHastyServes();
        } finally {
            for (Unread client : clients) {
                client.close();
            }
        }
    }

    /** Requests one after another on a connection whose answers are never read: the connection ends before they fill the memory. */
    @Test
    void aClientThatAsksAndDoesNotRead() throws Exception {
        long before = usedMemory();
        byte[] requests = "GET /page.js HTTP/1.1\r\nHost: localhost\r\n\r\n".repeat(500).getBytes(StandardCharsets.ISO_8859_1);
        CompletableFuture<Integer> sent = new CompletableFuture<>(); // parts until the connection ended
        try (Socket socket = new Socket("127.0.0.1", server.server.uri().getPort())) {
            OutputStream out = socket.getOutputStream();
            Thread writer = new Thread(() -> {
                int parts = 0;
                try {
                    while (parts < 2000) {
                        out.write(requests);
                        parts++;
                    }
                    sent.complete(parts);
                } catch (IOException e) {
                    sent.complete(parts); // closed, as it should be
                }
            });
            writer.start();
            int parts = sent.get(LONG_NANOS, TimeUnit.NANOSECONDS);
            assertTrue(parts < 2000, "a million requests were taken, and no answer was read");
            long more = usedMemory() - before;
            assertTrue(more < 100L << 20, (more >> 20) + " MiB of heap more than before are in use");
            secondsOfAGoodRequest();
        }
        secondsOfAGoodRequest();
    }

    private static long usedMemory() {
        System.gc();
        return Runtime.getRuntime().totalMemory() - Runtime.getRuntime().freeMemory();
    }

    /** Many large bodies that never end: they hold no more than their share, all are refused, and small requests are served. */
    @Test
    void manyLargeBodiesAtOnce() throws Exception {
        byte[] part = ("POST /v1/completions HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 4000000\r\n\r\n" + "[".repeat(3_900_000))
                .getBytes(StandardCharsets.ISO_8859_1);
        List<CompletableFuture<String>> answers = new ArrayList<>();
        int more = (int) (Runtime.getRuntime().maxMemory() / 16 / 3_900_000) + 10; // than may be held
        for (int i = 0; i < more; i++) {
            CompletableFuture<String> answer = new CompletableFuture<>();
            answers.add(answer);
            new Thread(() -> {
                try (Socket socket = new Socket("127.0.0.1", hasty.uri().getPort())) {
                    socket.setSoTimeout((int) LONG.toMillis());
                    socket.getOutputStream().write(part);
                    answer.complete(new String(socket.getInputStream().readNBytes(12), StandardCharsets.ISO_8859_1));
                } catch (SocketTimeoutException e) {
                    answer.completeExceptionally(e);
                } catch (IOException e) {
                    answer.complete(""); // refused while it was sending
                }
            }).start();
        }
        for (int i = 0; i < 5; i++) {
            assertHastyServes();
        }
        for (CompletableFuture<String> each : answers) {
            String answer = each.get(LONG_NANOS, TimeUnit.NANOSECONDS);
            assertTrue(answer.isEmpty() || answer.matches("HTTP/1.1 4(08|29)"), answer);
        }
        assertHastyServes();
    }

    @Test
    void bodiesHoldNoMoreThanTheirShare() {
        try (Intake intake = new Intake(TestServer.CONFIG)) {
            long most = Math.max(2L * TestServer.CONFIG.limits().maxBodyBytes(), Runtime.getRuntime().maxMemory() / 16);
            int whole = (int) (most / 1_000_000);
            for (int i = 0; i < whole; i++) {
                intake.take(Intake.SHORT_BYTES, 1_000_000);
            }
            assertEquals(429, assertThrows(ApiException.class, () -> intake.take(Intake.SHORT_BYTES, 1_000_000)).status());
            intake.take(0, Intake.SHORT_BYTES); // short requests are none of it
            intake.give(Intake.SHORT_BYTES + 1_000_000);
            intake.take(Intake.SHORT_BYTES, 1_000_000);
        }
    }

    /** Fails with an error, not an exception, for prompts that begin with token 13, when the prompt or when the token after it is processed, and when a cache of 77 tokens is freed. */
    private static final class Failing implements HookedModel.Hook {
        @Override
        public void append(int[] ids) {
            if (ids[0] == 13) {
                throw ids.length > 1 ? new OutOfMemoryError("as if") : new StackOverflowError("as if");
            }
        }

        @Override
        public void close(int capacity) {
            if (capacity == 77) {
                throw new AssertionError("as if");
            }
        }
    }

    @Test
    void anErrorEndsOneAnswer() throws Exception {
        ServedModel served = new ServedModel("tiny", TextModel.of(new HookedModel(server.model, new Failing()), server.tokenizer));
        try (ModelServer failing = ModelServer.start(served, TestServer.CONFIG)) {
            for (String prompt : List.of("[13,5]", "[13]", "[5],\"max_tokens\":76", "[5,6],\"echo\":true,\"logprobs\":1")) {
                String body = "{\"model\":\"tiny\",\"prompt\":" + prompt + (prompt.contains("max_tokens") ? "" : ",\"max_tokens\":4") + "}";
                CompletableFuture<HttpResponse<String>> other = server.client.sendAsync(HttpRequest.newBuilder(failing.uri().resolve(COMPLETIONS))
                        .header("Content-Type", "application/json").POST(HttpRequest.BodyPublishers.ofString("{\"model\":\"tiny\",\"prompt\":[7],\"max_tokens\":4,\"temperature\":0}")).build(),
                        HttpResponse.BodyHandlers.ofString());
                HttpResponse<String> response = TestServer.post(failing, COMPLETIONS, body);
                assertEquals(500, response.statusCode(), response.body());
                assertTrue(response.body().contains("internal_error") && !response.body().contains("as if"), response.body());
                assertEquals(200, other.join().statusCode(), other.join().body());
                assertEquals(200, TestServer.post(failing, COMPLETIONS, "{\"model\":\"tiny\",\"prompt\":[7],\"max_tokens\":4,\"temperature\":0}").statusCode());
            }
            assertTrue(TestServer.raw(failing, "GET /health HTTP/1.0\r\n\r\n", 120_000).contains("200 OK"));
        }
    }
}
