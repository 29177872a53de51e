package io.github.bts4j.server;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import io.github.bts4j.server.ServerPolicy.Quota;
import java.io.BufferedReader;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Keys, the experts that they may use, their quotas, and what is written down about it; through an HTTP client. */
class PolicyTest {
    private static final String COMPLETIONS = "/v1/completions";
    private static final int MANY = 1_000_000;

    /** SHA-256 of bob-secret, by sha256sum. */
    private static final String BOB = "9f03ef1533a68d2f506f81ef463c1183a82a6bd40e45613f36e6fe1889cf1b99";

    @TempDir
    private static Path folder;

    private static TestServer base;
    private static ModelServer server;

    @BeforeAll
    static void start() throws IOException {
        base = TestServer.withRandomGates(folder, TestServer.CONFIG);
        List<ServerPolicy.Key> keys = List.of(
                ServerPolicy.Key.of("alice", "alice-secret"),
                new ServerPolicy.Key("bob", BOB, Optional.of(Set.of()), Quota.UNLIMITED),
                ServerPolicy.Key.of("carol", "carol-secret").withExperts(Set.of("code")).withQuota(new Quota(2, MANY, MANY)),
                ServerPolicy.Key.of("dan", "dan-secret").withQuota(new Quota(MANY, 30, MANY)),
                ServerPolicy.Key.of("eve", "eve-secret").withQuota(new Quota(MANY, MANY, 1)),
                ServerPolicy.Key.of("frank", "frank-secret"), // these two send the requests of one test only, whose lines it counts
                ServerPolicy.Key.of("grace", "grace-secret").withExperts(Set.of()));
        server = ModelServer.start(new ServedModel("tiny", base.text), TestServer.CONFIG.withApiKey("root-secret").withPolicy(new ServerPolicy(keys)).observing(new ServerConfig.Observation(true, true)));
    }

    @AfterAll
    static void stop() {
        server.close();
        base.close();
    }

    private static HttpRequest.Builder request(String path, String authorization) {
        HttpRequest.Builder request = HttpRequest.newBuilder(server.uri().resolve(path)).header("Content-Type", "application/json");
        return authorization.isEmpty() ? request : request.header("Authorization", authorization);
    }

    private static HttpResponse<String> post(String path, String name, String body) throws IOException, InterruptedException {
        return base.client.send(request(path, "Bearer " + name + "-secret").POST(HttpRequest.BodyPublishers.ofString(body)).build(), HttpResponse.BodyHandlers.ofString());
    }

    private static String body(String more) {
        return "{\"model\":\"tiny\",\"prompt\":\"The house\",\"temperature\":0,\"max_tokens\":8" + more + "}";
    }

    private static JsonNode json(HttpResponse<String> response) throws IOException {
        return TestServer.JSON.readTree(response.body());
    }

    private static void assertRefused(int status, String code, String message, HttpResponse<String> response) throws IOException {
        assertEquals(status, response.statusCode(), response.body());
        assertEquals(code, json(response).at("/error/code").asText());
        assertEquals(message, json(response).at("/error/message").asText());
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "Bearer", "Bearer ", "Bearer bob", "Bearer bob-secret2", "bob-secret", "Basic bob-secret", "Bearer alice", "Bearer  bob-secret"})
    void withoutAKey(String authorization) throws IOException, InterruptedException {
        for (HttpRequest each : List.of(request("/v1/models", authorization).build(), request(COMPLETIONS, authorization).POST(HttpRequest.BodyPublishers.ofString(body(""))).build(),
                request("/bts/gates", authorization).POST(HttpRequest.BodyPublishers.ofString("{}")).build())) {
            assertRefused(401, "invalid_api_key", "The API key is missing or wrong: send it as 'Authorization: Bearer KEY'", base.client.send(each, HttpResponse.BodyHandlers.ofString()));
        }
    }

    @Test
    void modelsShowWhatAKeyMayUse() throws IOException, InterruptedException {
        for (String name : List.of("alice", "root", "bob", "carol")) {
            HttpResponse<String> models = base.client.send(request("/v1/models", "bearer " + name + "-secret").build(), HttpResponse.BodyHandlers.ofString());
            assertEquals(name.equals("bob") ? "[]" : "[\"code\"]", json(models).at("/data/0/experts").toString());
            HttpResponse<String> model = base.client.send(request("/v1/models/tiny", "Bearer " + name + "-secret").build(), HttpResponse.BodyHandlers.ofString());
            assertEquals(json(models).at("/data/0"), json(model));
        }
    }

    @Test
    void expertsThatAKeyMayNotUse() throws IOException, InterruptedException {
        JsonNode all = json(post(COMPLETIONS, "alice", body(",\"gates\":true")));
        JsonNode hub = json(post(COMPLETIONS, "alice", body(",\"gates\":true,\"experts_off\":[\"code\"]")));
        assertFalse(all.at("/choices/0/text").equals(hub.at("/choices/0/text")));
        assertEquals(hub.at("/choices/0"), json(post(COMPLETIONS, "alice", body(",\"gates\":true,\"experts\":[]"))).at("/choices/0"));
        assertEquals(all.at("/choices/0"), json(post(COMPLETIONS, "alice", body(",\"gates\":true,\"experts\":\"code\""))).at("/choices/0"));
        for (String allowed : List.of("", ",\"experts\":[]", ",\"experts_off\":[]", ",\"experts_off\":null")) {
            JsonNode answer = json(post(COMPLETIONS, "bob", body(",\"gates\":true" + allowed)));
            assertEquals(hub.at("/choices/0"), answer.at("/choices/0"), "the expert is off");
            assertEquals(0, answer.at("/usage/gate_shares/code").asDouble(-1));
        }
        for (String field : List.of("experts", "experts_off")) {
            assertRefused(403, "expert_not_allowed", field + ": the key bob may not use the expert code, only []", post(COMPLETIONS, "bob", body(",\"" + field + "\":[\"code\"]")));
            assertRefused(400, "invalid_value", field + ": there is no expert law, only [code]", post(COMPLETIONS, "alice", body(",\"" + field + "\":[\"law\"]")));
        }
        assertRefused(400, "invalid_value", "experts and experts_off are both given: send the experts to use, or those to turn off", post(COMPLETIONS, "alice", body(",\"experts\":[],\"experts_off\":[]")));
        JsonNode gates = json(post("/bts/gates", "bob", "{\"model\":\"tiny\",\"prompt\":\"The house\"}"));
        gates.get("stitches").forEach(stitch -> stitch.get("weights").forEach(token -> assertEquals(0, token.get(1).asDouble(-1))));
        assertRefused(403, "expert_not_allowed", "experts: the key bob may not use the expert code, only []", post("/bts/gates", "bob", "{\"model\":\"tiny\",\"prompt\":\"A\",\"experts\":[\"code\"]}"));
    }

    private static long retryAfter(HttpResponse<String> response) {
        return response.headers().firstValueAsLong("Retry-After").orElseThrow();
    }

    @Test
    void requestsPerMinute() throws IOException, InterruptedException {
        assertEquals(200, post(COMPLETIONS, "carol", body("")).statusCode());
        assertEquals(400, post(COMPLETIONS, "carol", "{").statusCode(), "what is wrong counts, too");
        HttpResponse<String> third = post(COMPLETIONS, "carol", body(""));
        assertTrue(retryAfter(third) >= 25 && retryAfter(third) <= 30, "two a minute are one in 30 seconds: " + retryAfter(third));
        assertRefused(429, "requests_per_minute", "The key carol has used its quota of 2 requests per minute: try again in " + retryAfter(third) + " seconds", third);
        assertEquals("rate_limit_error", json(third).at("/error/type").asText());
        assertEquals(200, post(COMPLETIONS, "alice", body("")).statusCode(), "the others go on");
        assertEquals(200, base.client.send(request("/v1/models", "Bearer carol-secret").build(), HttpResponse.BodyHandlers.ofString()).statusCode());
    }

    @Test
    void tokensPerMinute() throws IOException, InterruptedException {
        JsonNode first = json(post(COMPLETIONS, "dan", body(",\"max_tokens\":40").replace("\"max_tokens\":8,", "")));
        int used = first.at("/usage/total_tokens").asInt();
        assertTrue(used > 40);
        HttpResponse<String> second = post(COMPLETIONS, "dan", body(""));
        long expected = Math.round((used - 30 + 1) * 60.0 / 30);
        assertTrue(Math.abs(retryAfter(second) - expected) <= 5, retryAfter(second) + " for " + used + " of 30");
        assertRefused(429, "tokens_per_minute", "The key dan has used its quota of 30 tokens per minute: try again in " + retryAfter(second) + " seconds", second);
    }

    @Test
    void requestsAtTheSameTime() throws IOException, InterruptedException {
        HttpResponse<InputStream> stream = base.client.send(request(COMPLETIONS, "Bearer eve-secret").POST(HttpRequest.BodyPublishers.ofString(
                body(",\"stream\":true").replace("\"max_tokens\":8", "\"max_tokens\":1900"))).build(), HttpResponse.BodyHandlers.ofInputStream());
        try (BufferedReader lines = new BufferedReader(new InputStreamReader(stream.body(), StandardCharsets.UTF_8))) {
            assertTrue(lines.readLine().startsWith("data: "));
            HttpResponse<String> second = post(COMPLETIONS, "eve", body(""));
            assertRefused(429, "concurrent_requests", "The key eve has 1 requests running, the most that it may have at the same time: wait for one to end", second);
            assertEquals(1, retryAfter(second));
        }
        HttpResponse<String> after = post(COMPLETIONS, "eve", body(""));
        for (int i = 0; i < 100 && after.statusCode() == 429; i++) { // the server has yet to see that the client is gone
            Thread.sleep(50);
            after = post(COMPLETIONS, "eve", body(""));
        }
        assertEquals(200, after.statusCode());
        assertEquals(200, post(COMPLETIONS, "eve", body("")).statusCode());
    }

    /** One line for each request, also for those that are refused. */
    @Test
    void whatIsWrittenDown() throws IOException, InterruptedException {
        PrintStream before = System.err;
        ByteArrayOutputStream written = new ByteArrayOutputStream();
        JsonNode answer;
        List<JsonNode> lines;
        System.setErr(new PrintStream(written, true, StandardCharsets.UTF_8));
        try {
            answer = json(post(COMPLETIONS, "frank", body(",\"gates\":true,\"n\":2")));
            post("/v1/chat/completions", "grace", body(""));
            post(COMPLETIONS, "grace", body(",\"experts\":[\"code\"]"));
            post("/tokenize", "mallory", body(""));
            lines = audited(written);
            for (long end = System.nanoTime() + 60_000_000_000L; lines.size() < 4 && System.nanoTime() < end; lines = audited(written)) {
                Thread.sleep(20); // a line follows its response
            }
        } finally {
            System.setErr(before);
        }
        assertFalse(written.toString(StandardCharsets.UTF_8).contains("-secret"));
        List<String> summaries = lines.stream().map(line -> line.get("key").asText() + " " + line.get("path").asText() + " " + line.get("status").asInt() + " " + line.path("error").asText("")).toList();
        assertEquals(List.of("frank /v1/completions 200 ", "grace /v1/chat/completions 400 unsupported_model", "grace /v1/completions 403 expert_not_allowed", " /tokenize 401 invalid_api_key"), summaries);
        JsonNode first = lines.get(0);
        assertEquals(answer.at("/usage/gate_shares"), first.get("gate_shares"));
        assertEquals(answer.at("/usage/prompt_tokens"), first.get("prompt_tokens"));
        assertEquals(answer.at("/usage/completion_tokens"), first.get("completion_tokens"));
        assertEquals("[\"length\",\"length\"]", first.get("stop").toString());
        assertEquals("[\"code\"]", first.get("experts").toString());
        assertEquals("tiny", first.get("model").asText());
        assertTrue(first.get("seconds").asDouble() >= 0 && java.time.Instant.parse(first.get("time").asText()).isAfter(java.time.Instant.now().minusSeconds(60)));
    }

    /** The audit lines of the requests above; those of other tests may come late. */
    private static List<JsonNode> audited(ByteArrayOutputStream written) throws IOException {
        List<JsonNode> lines = new ArrayList<>();
        for (String line : written.toString(StandardCharsets.UTF_8).lines().filter(each -> each.contains("bts4j.audit") && each.endsWith("}")).toList()) {
            JsonNode entry = TestServer.JSON.readTree(line.substring(line.indexOf('{')));
            if (entry.get("key").asText().matches("frank|grace") || entry.get("path").asText().equals("/tokenize")) {
                lines.add(entry);
            }
        }
        return lines;
    }

    private static double metric(String name) throws IOException, InterruptedException {
        return TestServer.metric(base.client.send(request("/metrics", "").build(), HttpResponse.BodyHandlers.ofString()), name);
    }

    @Test
    void metricsByExpertAndKey() throws IOException, InterruptedException {
        post(COMPLETIONS, "alice", body(""));
        double hub = metric("bts4j_expert_tokens_total{expert=\"hub\"}");
        double code = metric("bts4j_expert_tokens_total{expert=\"code\"}");
        double requests = metric("bts4j_expert_requests_total{expert=\"code\"}");
        double tokens = metric("bts4j_key_tokens_total{key=\"alice\",kind=\"generated\"}");
        JsonNode answer = json(post(COMPLETIONS, "alice", body(",\"gates\":true")));
        JsonNode shares = answer.at("/usage/gate_shares");
        assertEquals(8 * shares.get("hub").asDouble(), metric("bts4j_expert_tokens_total{expert=\"hub\"}") - hub, 1e-3);
        assertEquals(8 * shares.get("code").asDouble(), metric("bts4j_expert_tokens_total{expert=\"code\"}") - code, 1e-3);
        assertEquals(1, metric("bts4j_expert_requests_total{expert=\"code\"}") - requests);
        assertEquals(8, metric("bts4j_key_tokens_total{key=\"alice\",kind=\"generated\"}") - tokens);
        post(COMPLETIONS, "bob", body(",\"experts\":[\"code\"]"));
        assertTrue(metric("bts4j_refused_total{key=\"bob\",reason=\"expert_not_allowed\"}") >= 1);
    }

    @Test
    void anAllowanceGrowsBackEvenly() {
        AtomicLong now = new AtomicLong(5);
        Allowance allowance = new Allowance(120, now::get);
        allowance.use(120);
        assertEquals(1, allowance.secondsUntilOne());
        now.addAndGet(500_000_000L);
        assertEquals(0, allowance.secondsUntilOne());
        allowance.use(301);
        assertEquals(151, allowance.secondsUntilOne(), "302 to come, two a second");
        now.addAndGet(3600 * 1_000_000_000L);
        allowance.use(120);
        assertEquals(1, allowance.secondsUntilOne(), "no more than a minute's allowance is saved up");
    }

    @Test
    void wrongPolicies() {
        assertWrong("keys is empty: a policy needs at least one key, otherwise nobody could use the server", () -> new ServerPolicy(List.of()));
        assertWrong("keys has the name 'a' twice: give every key its own name", () -> new ServerPolicy(List.of(ServerPolicy.Key.of("a", "1"), ServerPolicy.Key.of("a", "2"))));
        assertWrong("keys has the secret of 'b' twice: give every client its own key", () -> new ServerPolicy(List.of(ServerPolicy.Key.of("a", "1"), ServerPolicy.Key.of("b", "1"))));
        assertWrong("secret of 'a' is empty: give the key that clients send", () -> ServerPolicy.Key.of("a", " "));
        for (String secret : List.of("one two", "padded ", "line\n", "schl\u00fcssel")) { // which a header does not carry as they are
            assertTrue(assertThrows(IllegalArgumentException.class, () -> ServerPolicy.Key.of("a", secret)).getMessage().startsWith("secret of 'a' has a space"), secret);
        }
        assertWrong("name = 'a b' must be 1 to 64 letters, digits, ., _, @ and -", () -> ServerPolicy.Key.of("a b", "1"));
        assertWrong("sha256 of 'a' must be 64 hexadecimal digits, as sha256sum prints them", () -> new ServerPolicy.Key("a", "12", Optional.empty(), Quota.UNLIMITED));
        assertWrong("tokensPerMinute = 0 must be at least 1", () -> new Quota(1, 0, 1));
        assertWrong("policy: the key a names the expert law, but the model tiny has only [code]", () -> start(ServerPolicy.Key.of("a", "1").withExperts(Set.of("law"))));
        String text = new ServerPolicy(List.of(ServerPolicy.Key.of("a", "1"))).toString();
        assertEquals("ServerPolicy[keys=[Key[name=a, experts=all, quota=Quota[requestsPerMinute=2147483647, tokensPerMinute=2147483647, concurrentRequests=2147483647]]]]", text);
    }

    private static void start(ServerPolicy.Key key) {
        try {
            ModelServer.start(new ServedModel("tiny", base.text), TestServer.CONFIG.withPolicy(new ServerPolicy(List.of(key)))).close();
        } catch (IOException e) {
            throw new AssertionError(e);
        }
    }

    private static void assertWrong(String message, org.junit.jupiter.api.function.Executable action) {
        assertEquals(message, assertThrows(IllegalArgumentException.class, action).getMessage());
    }
}
