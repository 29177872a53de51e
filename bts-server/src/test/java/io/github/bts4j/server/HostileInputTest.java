package io.github.bts4j.server;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.Socket;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.SplittableRandom;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Requests that no server should trust. */
class HostileInputTest {
    private static final String COMPLETIONS = "/v1/completions";
    private static final String CHAT = "/v1/chat/completions";
    private static final String GOOD = "{\"model\":\"tiny\",\"prompt\":\"A\",\"max_tokens\":2}";

    @TempDir
    private static Path folder;

    /** Long enough that a request which is sent at once is there in time on a busy machine, too. */
    private static final Duration PATIENCE = Duration.ofSeconds(2);

    private static TestServer server;
    private static ModelServer impatient;

    @BeforeAll
    static void start() throws IOException {
        server = new TestServer(folder, TestServer.CONFIG.withLimits(64, 100_000)
                .withTimeouts(Duration.ofMinutes(2), Duration.ofMinutes(2), Duration.ofSeconds(5)));
        impatient = ModelServer.start(new ServedModel("tiny", server.text),
                TestServer.CONFIG.withTimeouts(PATIENCE, Duration.ofMinutes(2), Duration.ofSeconds(5)));
    }

    @AfterAll
    static void stop() {
        impatient.close();
        server.close();
    }

    /** The request's field with another value, and what the answer must name. */
    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '`', value = {
        "max_tokens | 0 | max_tokens", "max_tokens | 65 | max_tokens", "max_tokens | 1.5 | max_tokens", "max_tokens | \"2\" | max_tokens", "max_tokens | 1e99 | max_tokens",
        "max_tokens | 99999999999999999999 | max_tokens", "prompt | 7 | prompt", "prompt | [] | prompt", "prompt | [1, \"a\"] | prompt", "prompt | [[1], \"a\"] | prompt",
        "prompt | [[]] | prompt", "prompt | [-1] | prompt", "prompt | [2048] | prompt", "prompt | [1.5] | prompt", "prompt | {\"a\":1} | prompt",
        "prompt | \"\\ud800\" | prompt", "temperature | -0.1 | temperature", "temperature | 2.1 | temperature", "temperature | \"hot\" | temperature", "top_p | 0 | top_p", "top_p | 1.1 | top_p",
        "n | 0 | n", "n | 1000 | n", "stream | \"yes\" | stream", "stop | [1] | stop", "stop | \"\" | stop", "stop | {} | stop", "seed | 1.5 | seed", "logprobs | 21 | logprobs",
        "logprobs | true | logprobs", "logit_bias | {\"5\":101} | logit_bias", "presence_penalty | 3 | presence_penalty", "suffix | \"x\" | suffix", "best_of | 3 | best_of",
        "stream_options | {\"include_usage\":true} | stream_options", "surprise | 1 | surprise", "model | \"other\" | model", "model | 5 | model", "echo | 1 | echo", "experts_off | [\"law\"] | experts_off",
        "experts_off | 7 | experts_off"})
    void aWrongFieldIsNamed(String field, String value, String named) throws IOException, InterruptedException {
        HttpResponse<String> response = server.post(COMPLETIONS, with(field, value));
        JsonNode error = TestServer.JSON.readTree(response.body()).get("error");
        assertTrue(response.statusCode() == 400 || response.statusCode() == 404, response.body());
        assertEquals(named, error.get("param").asText(), response.body());
        assertTrue(error.get("message").asText().contains(named) || named.equals("model"), response.body());
        assertEquals("invalid_request_error", error.get("type").asText());
    }

    private static String with(String field, String value) {
        String raw = "{\"model\":\"tiny\",\"prompt\":\"A\",\"max_tokens\":2}";
        String present = "\"" + field + "\":";
        int at = raw.indexOf(present);
        if (at < 0) {
            return raw.substring(0, raw.length() - 1) + "," + present + value + "}";
        }
        int end = raw.indexOf(',', at) < 0 ? raw.length() - 1 : raw.indexOf(',', at);
        return raw.substring(0, at) + present + value + raw.substring(end);
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '`', value = {
        "[] | messages", "7 | messages", "[7] | messages[0]", "[{\"role\":\"user\"}] | messages[0].content", "[{\"role\":\"root\",\"content\":\"x\"}] | messages[0].role",
        "[{\"content\":\"x\"}] | messages[0].role", "[{\"role\":\"user\",\"content\":[{\"type\":\"image_url\",\"text\":\"x\"}]}] | messages[].content[].type",
        "[{\"role\":\"user\",\"content\":\"x\",\"tool_calls\":[{}]}] | messages[0].tool_calls", "[{\"role\":\"assistant\",\"content\":\"x\"}] | messages",
        "[{\"role\":\"assistant\",\"tool_calls\":[{\"function\":{\"arguments\":\"{\"}}]}] | messages[0].tool_calls"})
    void aWrongMessageIsNamed(String messages, String named) throws IOException, InterruptedException {
        HttpResponse<String> response = server.post(CHAT, "{\"model\":\"tiny\",\"messages\":" + messages + "}");
        assertEquals(400, response.statusCode(), response.body());
        assertEquals(named, TestServer.JSON.readTree(response.body()).at("/error/param").asText(), response.body());
    }

    @Test
    void jsonThatIsNone() throws IOException, InterruptedException {
        for (String body : new String[] {"", "   ", "{", "[]", "null", "7", "\"text\"", GOOD + GOOD, "{\"model\":\"tiny\",\"model\":\"tiny\",\"prompt\":\"A\"}",
            "[".repeat(50_000), "{\"a\":".repeat(10_000), "{\"model\":\"tiny\",\"prompt\":NaN}", "{'model':'tiny'}", "\u0000", "{\"n\":" + "1".repeat(5000) + "}"}) {
            HttpResponse<String> response = server.post(COMPLETIONS, body);
            assertEquals(400, response.statusCode(), body.substring(0, Math.min(40, body.length())) + " -> " + response.body());
            assertClean(response.body());
        }
        HttpResponse<String> response = server.client.send(HttpRequest.newBuilder(server.uri(COMPLETIONS)).header("Content-Type", "application/json")
                .POST(HttpRequest.BodyPublishers.ofByteArray(new byte[] {'{', '"', (byte) 0xC3, '"', '}'})).build(), HttpResponse.BodyHandlers.ofString());
        assertEquals(400, response.statusCode());
        assertTrue(response.body().contains("not valid UTF-8"), response.body());
    }

    @Test
    void methodsPathsAndTypes() throws IOException, InterruptedException {
        assertEquals(405, server.get(COMPLETIONS).statusCode());
        assertEquals("POST", server.get(COMPLETIONS).headers().firstValue("Allow").orElseThrow());
        assertEquals(405, server.post("/health", "{}").statusCode());
        for (String path : new String[] {"/index.html", "/page", "/../page.js", "/v1", "/v1/completions/", "/..%2f..%2fetc/passwd", "/v1/models/..", "/%00", "/v1/models/"}) {
            HttpResponse<String> response = server.get(path);
            assertEquals(404, response.statusCode(), path);
            assertTrue(path.startsWith("/v1/models/") || response.body().contains("/bts/gates, /tokenize, /detokenize, /health, /metrics and a page at /\""), response.body());
            assertClean(response.body());
        }
        HttpResponse<String> form = server.client.send(HttpRequest.newBuilder(server.uri(COMPLETIONS)).header("Content-Type", "text/plain")
                .POST(HttpRequest.BodyPublishers.ofString(GOOD)).build(), HttpResponse.BodyHandlers.ofString());
        assertEquals(415, form.statusCode(), "a page of another origin can send nothing that is understood");
    }

    @Test
    void largeAndSlowRequests() throws IOException, InterruptedException {
        HttpResponse<String> large = server.post(COMPLETIONS, "{\"model\":\"tiny\",\"prompt\":\"" + "a".repeat(200_000) + "\"}");
        assertEquals(413, large.statusCode(), large.body());
        HttpResponse<String> longPrompt = server.post(COMPLETIONS, "{\"model\":\"tiny\",\"prompt\":\"" + "a b ".repeat(20_000) + "\"}");
        assertEquals(400, longPrompt.statusCode(), longPrompt.body());
        assertEquals("context_length_exceeded", TestServer.JSON.readTree(longPrompt.body()).at("/error/code").asText());
        assertStatus(408, raw(impatient, "POST /v1/completions HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n{\"model\":"));
        assertStatus(414, raw(server.server, "GET /" + "a".repeat(10_000) + " HTTP/1.1\r\nHost: localhost\r\n\r\n"));
        assertStatus(431, raw(server.server, "GET / HTTP/1.1\r\nHost: localhost\r\nX: " + "a".repeat(50_000) + "\r\n\r\n"));
        String none = raw(server.server, "no http at all\r\n\r\n");
        assertTrue(none.isEmpty() || none.matches("(?s)HTTP/1.[01] 400 .*"), none);
        assertEquals(200, server.post(COMPLETIONS, GOOD).statusCode());
    }

    /** Headers that never end, a byte at a time: the connection is closed when they should have been there, though it is never silent. */
    @Test
    void headersThatNeverEnd() throws Exception {
        long begin = System.nanoTime();
        try (Socket socket = new Socket("127.0.0.1", impatient.uri().getPort())) {
            OutputStream out = socket.getOutputStream();
            out.write("GET /health HTTP/1.1\r\nHost: localhost\r\nX: ".getBytes(StandardCharsets.ISO_8859_1));
            assertThrows(IOException.class, () -> {
                while (System.nanoTime() - begin < 60e9) {
                    out.write('a');
                    Thread.sleep(50);
                }
            }, "the server still reads after a minute");
        }
        double seconds = (System.nanoTime() - begin) / 1e9;
        assertTrue(seconds >= 0.9 * PATIENCE.toSeconds(), "closed after " + seconds + " s, before the time was over");
        assertEquals(200, server.post(COMPLETIONS, GOOD).statusCode());
    }

    /** A connection that was of use may rest for longer than headers may take, and be used again. */
    @Test
    void aConnectionIsKept() throws Exception {
        byte[] request = "GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n".getBytes(StandardCharsets.ISO_8859_1);
        try (Socket socket = new Socket("127.0.0.1", impatient.uri().getPort())) {
            socket.setSoTimeout(60_000);
            for (int i = 0; i < 2; i++) {
                socket.getOutputStream().write(request);
                byte[] answer = new byte[4096];
                int read = socket.getInputStream().read(answer);
                assertStatus(200, new String(answer, 0, Math.max(0, read), StandardCharsets.ISO_8859_1));
                Thread.sleep(PATIENCE.toMillis() + 300);
            }
        }
    }

    /** Clients that go in the midst of headers, of a request, of an answer, or after it: nothing of them is left. */
    @Test
    void noConnectionIsLeft() throws Exception {
        String body = "{\"model\":\"tiny\",\"prompt\":\"A\",\"max_tokens\":60,\"stream\":true}";
        String whole = "POST /v1/completions HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: " + body.length() + "\r\n\r\n" + body;
        for (int i = 0; i < 40; i++) {
            try (Socket socket = new Socket("127.0.0.1", server.server.uri().getPort())) {
                int length = i % 4 == 0 ? 30 : i % 4 == 1 ? whole.length() - 5 : whole.length();
                socket.getOutputStream().write(whole.substring(0, length).getBytes(StandardCharsets.ISO_8859_1));
                if (i % 4 > 1) {
                    socket.setSoTimeout(60_000);
                    assertTrue(socket.getInputStream().read() > 0);
                    Thread.sleep(i % 4 == 2 ? 0 : 100);
                }
            }
        }
        double open = Double.MAX_VALUE;
        for (int i = 0; i < 600 && open > 10; i++) {
            Thread.sleep(100);
            open = server.metric("bts4j_connections");
        }
        assertTrue(open >= 1 && open <= 10, open + " connections are open, though none but the tests' client has any");
    }

    private static void assertStatus(int status, String answer) {
        assertTrue(answer.matches("(?s)HTTP/1.[01] " + status + " .*"), answer);
    }

    /** Sends bytes as they are and reads until the server closes. */
    private static String raw(ModelServer to, String text) throws IOException {
        try (Socket socket = new Socket("127.0.0.1", to.uri().getPort())) {
            socket.setSoTimeout(60_000);
            OutputStream out = socket.getOutputStream();
            out.write(text.getBytes(StandardCharsets.ISO_8859_1));
            out.flush();
            InputStream in = socket.getInputStream();
            byte[] buffer = new byte[4096];
            int read = in.read(buffer);
            return read < 0 ? "" : new String(buffer, 0, read, StandardCharsets.ISO_8859_1);
        }
    }

    @Test
    void randomDamage() throws IOException, InterruptedException {
        damage(400, 1);
    }

    @Test
    @Tag("slow")
    void tenThousandDamagedRequests() throws IOException, InterruptedException {
        damage(10_000, 2);
    }

    /** Good requests with bytes changed, cut, doubled or put in: only 2xx and 4xx, and no word of the host. */
    private static void damage(int requests, long seed) throws IOException, InterruptedException {
        SplittableRandom random = new SplittableRandom(seed);
        String[] good = {"{\"model\":\"tiny\",\"prompt\":\"A\",\"max_tokens\":1,\"temperature\":0.5,\"seed\":3,\"stop\":[\"x\"],\"logprobs\":1,\"gates\":true,\"experts\":[\"code\"]}",
            "{\"model\":\"tiny\",\"messages\":[{\"role\":\"user\",\"content\":\"A\"}],\"max_tokens\":1,\"stream\":true}",
            "{\"model\":\"tiny\",\"input\":[{\"role\":\"user\",\"content\":[{\"type\":\"input_text\",\"text\":\"A\"}]}],\"instructions\":\"B\",\"max_output_tokens\":1,\"text\":{\"format\":{\"type\":\"text\"}},\"store\":false}",
            "{\"model\":\"tiny\",\"input\":[\"A\",\"B\"],\"encoding_format\":\"base64\",\"experts_off\":[\"code\"]}"};
        String[] paths = {COMPLETIONS, CHAT, "/v1/responses", "/v1/embeddings"};
        int refused = 0;
        for (int i = 0; i < requests; i++) {
            int kind = random.nextInt(good.length);
            byte[] body = good[kind].getBytes(StandardCharsets.UTF_8);
            for (int change = 0; change <= random.nextInt(3); change++) {
                body = changed(body, random);
            }
            HttpResponse<String> response = server.client.send(HttpRequest.newBuilder(server.uri(paths[kind])).header("Content-Type", "application/json")
                    .POST(HttpRequest.BodyPublishers.ofByteArray(body)).build(), HttpResponse.BodyHandlers.ofString());
            int status = response.statusCode();
            assertTrue(status == 200 || status >= 400 && status < 500, status + " to " + new String(body, StandardCharsets.ISO_8859_1) + ": " + response.body());
            refused += status == 200 ? 0 : 1;
            if (status != 200) { // a model may write what it likes
                assertClean(response.body());
            }
        }
        assertTrue(refused > requests / 2, refused + " of " + requests + " were refused");
        assertEquals(200, server.get("/health").statusCode());
        assertEquals(200, server.post(COMPLETIONS, GOOD).statusCode());
    }

    private static byte[] changed(byte[] body, SplittableRandom random) {
        int at = random.nextInt(Math.max(1, body.length));
        String text = new String(body, StandardCharsets.ISO_8859_1);
        String next = switch (random.nextInt(5)) {
            case 0 -> text.substring(0, at);
            case 1 -> text.substring(0, at) + (char) random.nextInt(256) + text.substring(Math.min(text.length(), at + 1));
            case 2 -> text.substring(0, at) + text;
            case 3 -> text.substring(0, at) + "9".repeat(random.nextInt(1, 50)) + text.substring(at);
            default -> text.substring(0, at) + new String[] {"null", "{", "]", "\\ud800", "\"", "-1e400", "true"}[random.nextInt(7)] + text.substring(at);
        };
        return next.getBytes(StandardCharsets.ISO_8859_1);
    }

    private static void assertClean(String body) {
        assertFalse(body.contains("Exception") || body.contains("\tat ") || body.contains("io.github") || body.contains("/tmp") || body.contains("java."), body);
    }
}
