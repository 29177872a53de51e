package io.github.bts4j.server;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Who is let in, by what a browser says in Host and Origin. */
class AccessTest {
    private static final String BODY = "{\"model\":\"tiny\",\"prompt\":\"A\",\"max_tokens\":1}";

    @TempDir
    private static Path folder;

    private static TestServer first;
    private static ModelServer open;

    @BeforeAll
    static void start() throws IOException {
        first = new TestServer(folder, TestServer.CONFIG);
        ServedModel served = new ServedModel("tiny", first.text);
        open = ModelServer.start(served, TestServer.CONFIG.withApiKey("secret").allowing(List.of("Models.example"), List.of("https://App.example", "null")));
    }

    @AfterAll
    static void stop() {
        open.close();
        first.close();
    }

    private static String ask(ModelServer server, String method, String path, String... headers) throws IOException {
        String body = method.equals("POST") ? BODY : "";
        return TestServer.raw(server, method + " " + path + " HTTP/1.1\r\n" + String.join("\r\n", headers) + "\r\nConnection: close\r\nContent-Type: application/json\r\nContent-Length: "
                + body.length() + "\r\n\r\n" + body, 10_000);
    }

    private static void assertStatus(int status, String answer) {
        assertTrue(answer.startsWith("HTTP/1.1 " + status + " "), answer);
    }

    /** DNS rebinding: the attacker's page is of the same origin as its requests, and its name now means 127.0.0.1. */
    @ParameterizedTest
    @ValueSource(strings = {"evil.example", "evil.example:8080", "127.0.0.1.evil.example", "localhost.evil.example", "xlocalhost", "127.0.0.1@evil.example", "10.0.0.1", "0.0.0.0",
        "[::2]", "models.example", "rebind.127.0.0.1.nip.io", "LOCALHOST.evil"})
    void namesThatAnybodyMayGiveAreRefused(String host) throws IOException {
        for (String path : List.of("/v1/models", "/", "/metrics", "/health", "/v1/completions")) {
            String answer = ask(first.server, path.endsWith("completions") ? "POST" : "GET", path, "Host: " + host, "Origin: http://" + host);
            assertTrue(answer.startsWith("HTTP/1.1 403 ") || host.contains("@") && answer.startsWith("HTTP/1.1 400 "), answer);
            assertFalse(answer.contains("tiny"), answer);
            assertFalse(answer.toLowerCase(java.util.Locale.ROOT).contains("access-control"), answer);
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"localhost", "LocalHost:80", "127.0.0.1:8080", "localhost.", "[::1]:8080", "127.0.0.2"})
    void namesOfTheLoopbackAddressAreLetIn(String host) throws IOException {
        assertStatus(200, ask(first.server, "GET", "/v1/models", "Host: " + host));
        assertStatus(200, ask(first.server, "POST", "/v1/completions", "Host: " + host));
        assertStatus(200, ask(first.server, "POST", "/v1/completions", "Host: " + host, "Origin: http://" + host));
    }

    @Test
    void hostsThatAreNone() throws IOException {
        assertStatus(400, ask(first.server, "GET", "/health", "X: y"));
        assertStatus(400, ask(first.server, "GET", "/health", "Host: "));
        assertStatus(400, ask(first.server, "GET", "/health", "Host: localhost", "Host: evil.example"));
        String old = TestServer.raw(first.server, "GET /health HTTP/1.0\r\n\r\n", 10_000);
        assertTrue(old.startsWith("HTTP/1.0 200 "), old);
        String absolute = TestServer.raw(first.server, "GET http://evil.example/v1/models HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n", 10_000);
        assertFalse(absolute.contains("200 OK"), absolute);
    }

    @ParameterizedTest
    @ValueSource(strings = {"https://evil.example", "null", "http://localhost.evil.example", "file://", "http://localhost:1", "https://127.0.0.1"})
    void pagesOfOtherOriginsAreRefused(String origin) throws IOException {
        for (String method : List.of("GET", "POST", "OPTIONS")) {
            String path = method.equals("GET") ? "/v1/models" : "/v1/completions";
            String answer = ask(first.server, method, path, "Host: localhost:8080", "Origin: " + origin, "Access-Control-Request-Method: POST");
            assertStatus(403, answer);
            assertFalse(answer.toLowerCase(java.util.Locale.ROOT).contains("access-control"), answer);
        }
    }

    @Test
    void anAllowedPageGetsItsPreflightAndItsAnswer() throws IOException {
        String preflight = ask(open, "OPTIONS", "/v1/chat/completions", "Host: models.example:80", "Origin: https://app.example", "Access-Control-Request-Method: POST",
                "Access-Control-Request-Headers: authorization,content-type,x-stainless-os", "Access-Control-Request-Private-Network: true");
        assertStatus(204, preflight);
        for (String header : List.of("Access-Control-Allow-Origin: https://app.example", "Access-Control-Allow-Methods: GET, HEAD, POST",
                "Access-Control-Allow-Headers: authorization,content-type,x-stainless-os", "Access-Control-Allow-Private-Network: true", "Vary: Origin, ")) {
            assertTrue(preflight.contains(header), preflight);
        }
        String answer = ask(open, "POST", "/v1/completions", "Host: localhost", "Origin: https://app.example", "Authorization: Bearer secret");
        assertStatus(200, answer);
        assertTrue(answer.contains("Access-Control-Allow-Origin: https://app.example\r\n") && answer.contains("Vary: Origin\r\n"), answer);
        String refused = ask(open, "POST", "/v1/completions", "Host: localhost", "Origin: https://app.example");
        assertStatus(401, refused);
        assertTrue(refused.contains("Access-Control-Allow-Origin: https://app.example\r\n"), "so that the page can tell why: " + refused);
        assertStatus(200, ask(open, "GET", "/v1/models", "Host: localhost", "Origin: null", "Authorization: Bearer secret"));
        assertStatus(403, ask(open, "GET", "/v1/models", "Host: localhost", "Origin: https://app.example.evil", "Authorization: Bearer secret"));
        assertStatus(405, ask(open, "OPTIONS", "/v1/models", "Host: localhost", "Authorization: Bearer secret"));
    }

    @Test
    void headIsGetWithoutItsBody() throws IOException {
        for (String path : List.of("/", "/health", "/v1/models", "/v1/models/tiny", "/page.js")) {
            String head = ask(first.server, "HEAD", path, "Host: localhost");
            String get = ask(first.server, "GET", path, "Host: localhost");
            assertStatus(200, head);
            int end = get.indexOf("\r\n\r\n") + 4;
            assertEquals(get.substring(0, end).lines().filter(line -> line.matches("(?i)content-.*")).toList(), head.lines().filter(line -> line.matches("(?i)content-.*")).toList());
            assertTrue(head.endsWith("\r\n\r\n") && head.indexOf("\r\n\r\n") + 4 == head.length(), head);
        }
        assertStatus(404, ask(first.server, "HEAD", "/v1/models/other", "Host: localhost"));
        String post = ask(first.server, "HEAD", "/v1/completions", "Host: localhost");
        assertTrue(post.startsWith("HTTP/1.1 405 ") && post.contains("Allow: POST"), post);
    }

    @Test
    void theKeyIsNotPrinted() {
        String text = TestServer.CONFIG.withApiKey("sesame").toString();
        assertTrue(!text.contains("sesame") && text.contains("apiKey=(set)"), text);
        for (String key : List.of("open sesame", "sesame\n", "s\u00e9same")) {
            String message = assertThrows(IllegalArgumentException.class, () -> TestServer.CONFIG.withApiKey(key)).getMessage();
            assertTrue(message.startsWith("apiKey = (not shown) must be without spaces") && !message.contains(key), message);
        }
        for (String origin : List.of("app.example", "https://app.example/", "https://a b", "")) {
            String message = assertThrows(IllegalArgumentException.class, () -> TestServer.CONFIG.allowing(List.of(), List.of(origin))).getMessage();
            assertTrue(message.contains("allowedOrigins = " + origin), message);
        }
        assertThrows(IllegalArgumentException.class, () -> TestServer.CONFIG.allowing(List.of("models.example:80"), List.of()));
    }
}
