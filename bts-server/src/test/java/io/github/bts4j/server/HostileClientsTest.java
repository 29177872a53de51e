package io.github.bts4j.server;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ai.djl.Device;
import ai.djl.ndarray.NDArray;
import io.github.bts4j.core.CausalLm;
import io.github.bts4j.core.DecodeSession;
import io.github.bts4j.core.ForwardingSession;
import io.github.bts4j.core.text.TextModel;
import java.io.IOException;
import java.io.OutputStream;
import java.net.Socket;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Clients that would take all of a server for themselves: what they do costs them, and others nothing. */
class HostileClientsTest {
    private static final String COMPLETIONS = "/v1/completions";
    private static final String GOOD = "{\"model\":\"tiny\",\"prompt\":\"A\",\"max_tokens\":2}";
    private static final int MOST_CHARACTERS = 4_000_000;

    @TempDir
    private static Path folder;

    private static TestServer server;

    @BeforeAll
    static void start() throws IOException {
        server = new TestServer(folder, TestServer.CONFIG.withConcurrency(4, 512).withTimeouts(Duration.ofSeconds(2), Duration.ofSeconds(30), Duration.ofSeconds(2)));
    }

    @AfterAll
    static void stop() {
        server.close();
    }

    private static double secondsOfAGoodRequest() throws IOException, InterruptedException {
        long begin = System.nanoTime();
        HttpResponse<String> response = server.post(COMPLETIONS, GOOD);
        assertEquals(200, response.statusCode(), response.body());
        return (System.nanoTime() - begin) / 1e9;
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
        assertTrue(worst < 15, "another client waited " + worst + " s");
    }

    /** Where the context is so long that length alone tells nothing, a beginning does. */
    @Test
    void aLongContextLooksAtTheBeginning() {
        int context = 20_000;
        PromptLimits limits = new PromptLimits(server.tokenizer, context);
        String text = "It is a truth universally acknowledged. ".repeat(context / 2);
        assertTrue(text.length() < context * server.tokenizer.longestToken() && server.tokenizer.encode(text, true).length > context);
        ApiException refused = assertThrows(ApiException.class, () -> limits.check("prompt", List.of(text)));
        assertTrue(refused.status() == 400 && refused.getMessage().contains("prompt holds a text of " + text.length() + " characters") && refused.getMessage().contains(" 20000 tokens"),
                refused.getMessage());
        limits.check("prompt", List.of(" ".repeat(context * 9)));
        limits.check("prompt", List.of("a".repeat(context)));
    }

    /** Streams that nobody reads pause, hold little, and lose their connection; the places they took are free again. */
    @Test
    void aClientThatDoesNotRead() throws Exception {
        String body = "{\"model\":\"tiny\",\"prompt\":\"A\",\"max_tokens\":2000,\"stream\":true,\"logprobs\":20,\"n\":8,\"seed\":1}";
        String request = "POST /v1/completions HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: " + body.length() + "\r\n\r\n" + body;
        double before = server.metric("bts4j_cancelled_total");
        double generated = server.metric("bts4j_generated_tokens_total");
        List<Socket> sockets = new ArrayList<>();
        for (int i = 0; i < 3; i++) {
            Socket socket = new Socket();
            socket.setReceiveBufferSize(4096);
            socket.connect(new java.net.InetSocketAddress("127.0.0.1", server.server.uri().getPort()));
            socket.getOutputStream().write(request.getBytes(StandardCharsets.ISO_8859_1));
            sockets.add(socket);
        }
        try {
            long end = System.nanoTime() + 60_000_000_000L;
            while ((server.metric("bts4j_cancelled_total") < before + 24 || server.metric("bts4j_in_progress") > 0) && System.nanoTime() < end) {
                Thread.sleep(50);
            }
            assertEquals(before + 24, server.metric("bts4j_cancelled_total"), "all answers of the three clients are given up");
            assertEquals(0, server.metric("bts4j_in_progress"));
            generated = server.metric("bts4j_generated_tokens_total") - generated;
            assertTrue(generated < 24 * 1900, "what nobody reads is not generated to its end: " + generated + " tokens");
            secondsOfAGoodRequest();
        } finally {
            for (Socket socket : sockets) {
                socket.close();
            }
        }
    }

    /** Requests one after another on a connection whose answers are never read: the connection ends before they fill the memory. */
    @Test
    void aClientThatAsksAndDoesNotRead() throws Exception {
        Thread writer;
        try (Socket socket = new Socket("127.0.0.1", server.server.uri().getPort())) {
            OutputStream out = socket.getOutputStream();
            byte[] requests = "GET /page.js HTTP/1.1\r\nHost: localhost\r\n\r\n".repeat(500).getBytes(StandardCharsets.ISO_8859_1);
            writer = new Thread(() -> {
                try {
                    for (int i = 0; i < 2000; i++) {
                        out.write(requests);
                    }
                } catch (IOException e) {
                    // closed, as it should be
                }
            });
            writer.start();
            Thread.sleep(1500);
            long used = usedMemory();
            assertTrue(used < 400L << 20, (used >> 20) + " MiB of heap are in use");
            secondsOfAGoodRequest();
        }
        writer.join(10_000);
        assertTrue(!writer.isAlive());
        secondsOfAGoodRequest();
    }

    private static long usedMemory() {
        System.gc();
        return Runtime.getRuntime().totalMemory() - Runtime.getRuntime().freeMemory();
    }

    /** Many large bodies that never end: they hold no more than their share, and small requests are served. */
    @Test
    void manyLargeBodiesAtOnce() throws Exception {
        byte[] part = ("POST /v1/completions HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 4000000\r\n\r\n" + "[".repeat(3_900_000))
                .getBytes(StandardCharsets.ISO_8859_1);
        List<Thread> senders = new ArrayList<>();
        int more = (int) (Runtime.getRuntime().maxMemory() / 16 / 3_900_000) + 10; // than may be held
        for (int i = 0; i < more; i++) {
            Thread sender = new Thread(() -> {
                try (Socket socket = new Socket("127.0.0.1", server.server.uri().getPort())) {
                    socket.setSoTimeout(10_000);
                    socket.getOutputStream().write(part);
                    String answer = new String(socket.getInputStream().readNBytes(12), StandardCharsets.ISO_8859_1);
                    assertTrue(answer.isEmpty() || answer.matches("HTTP/1.1 4(08|29)"), answer);
                } catch (IOException e) {
                    // refused while it was sending
                }
            });
            senders.add(sender);
            sender.start();
        }
        for (int i = 0; i < 5; i++) {
            secondsOfAGoodRequest();
        }
        for (Thread sender : senders) {
            sender.join(30_000);
        }
        secondsOfAGoodRequest();
    }

    @Test
    void bodiesHoldNoMoreThanTheirShare() {
        try (Intake intake = new Intake(TestServer.CONFIG)) {
            long most = Math.max(2L * TestServer.CONFIG.maxBodyBytes(), Runtime.getRuntime().maxMemory() / 16);
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

    /** A model that fails with an error, not an exception, for prompts that begin with token 13, when the prompt or when the token after it is processed. */
    private record Failing(CausalLm model) implements CausalLm {
        @Override
        public DecodeSession newSession(int capacity) {
            return new ForwardingSession(model.newSession(capacity)) {
                @Override
                public float[] append(int... ids) {
                    if (ids[0] == 13) {
                        throw ids.length > 1 ? new OutOfMemoryError("as if") : new StackOverflowError("as if");
                    }
                    return super.append(ids);
                }

                @Override
                public void close() {
                    super.close();
                    if (capacity == 77) {
                        throw new AssertionError("as if");
                    }
                }
            };
        }

        @Override
        public float[][] appendEach(List<? extends DecodeSession> sessions, int[] ids) {
            float[][] logits = new float[ids.length][];
            for (int i = 0; i < ids.length; i++) {
                logits[i] = sessions.get(i).append(ids[i]);
            }
            return logits;
        }

        @Override
        public int vocabSize() {
            return model.vocabSize();
        }

        @Override
        public int contextLength() {
            return model.contextLength();
        }

        @Override
        public Device device() {
            return model.device();
        }

        @Override
        public NDArray forward(NDArray ids) {
            throw new NoClassDefFoundError("as if");
        }

        @Override
        public float[][] tokenLosses(int[][] tokens) {
            return model.tokenLosses(tokens);
        }

        @Override
        public void close() {}
    }

    @Test
    void anErrorEndsOneAnswer() throws Exception {
        ServedModel served = new ServedModel("tiny", TextModel.of(new Failing(server.model), server.tokenizer));
        try (ModelServer failing = ModelServer.start(served, TestServer.CONFIG)) {
            for (String prompt : List.of("[13,5]", "[13]", "[5],\"max_tokens\":76", "[5,6],\"echo\":true,\"logprobs\":1")) {
                String body = "{\"model\":\"tiny\",\"prompt\":" + prompt + (prompt.contains("max_tokens") ? "" : ",\"max_tokens\":4") + "}";
                CompletableFuture<HttpResponse<String>> other = server.client.sendAsync(java.net.http.HttpRequest.newBuilder(failing.uri().resolve(COMPLETIONS))
                        .header("Content-Type", "application/json").POST(java.net.http.HttpRequest.BodyPublishers.ofString("{\"model\":\"tiny\",\"prompt\":[7],\"max_tokens\":4}")).build(),
                        HttpResponse.BodyHandlers.ofString());
                HttpResponse<String> response = TestServer.post(failing, COMPLETIONS, body);
                assertEquals(500, response.statusCode(), response.body());
                assertTrue(response.body().contains("internal_error") && !response.body().contains("as if"), response.body());
                assertEquals(200, other.join().statusCode(), other.join().body());
                assertEquals(200, TestServer.post(failing, COMPLETIONS, "{\"model\":\"tiny\",\"prompt\":[7],\"max_tokens\":4}").statusCode());
            }
            assertTrue(TestServer.raw(failing, "GET /health HTTP/1.0\r\n\r\n", 5000).contains("200 OK"));
        }
    }
}
