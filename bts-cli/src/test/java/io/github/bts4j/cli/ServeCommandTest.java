package io.github.bts4j.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Path;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

/** What {@code bts serve} says and serves, in this process and in one of its own. */
class ServeCommandTest {
    private static final ObjectMapper JSON = new ObjectMapper();

    @TempDir
    private static Path folder;

    private static Path seed;

    @BeforeAll
    static void prepare() throws IOException {
        seed = Commands.seed(folder.resolve("seed"));
    }

    /** The base URL of OpenAI's clients, and the page's address. */
    @Test
    void serveSaysWhatIsWhere() throws Exception {
        StringWriter out = new StringWriter();
        PrintWriter printer = new PrintWriter(out, true);
        CompletableFuture<Integer> status = new CompletableFuture<>();
        Thread server = new Thread(() -> status.complete(Bts.run(new String[] {"serve", seed.toString(), "--port", "0", "--json"}, printer, printer)));
        server.start();
        while (!out.toString().contains("\n")) {
            assertFalse(status.isDone(), out::toString);
            Thread.sleep(20);
        }
        JsonNode said = JSON.readTree(out.toString());
        assertEquals("seed", said.get("model").asText());
        assertFalse(said.get("chat").asBoolean(), "it has no template");
        HttpClient client = HttpClient.newHttpClient();
        HttpResponse<String> models = client.send(HttpRequest.newBuilder(URI.create(said.get("uri").asText() + "/models")).build(), HttpResponse.BodyHandlers.ofString());
        assertEquals("seed", JSON.readTree(models.body()).at("/data/0/id").asText());
        HttpResponse<String> page = client.send(HttpRequest.newBuilder(URI.create(said.get("page").asText())).build(), HttpResponse.BodyHandlers.ofString());
        assertTrue(page.body().startsWith("<!DOCTYPE html>"), page.body());
        server.interrupt();
        assertEquals(0, status.get(5, TimeUnit.MINUTES));
    }

    /** The server in a process of its own, until SIGTERM. */
    @Test
    @EnabledOnOs({OS.LINUX, OS.MAC})
    void serveAnswersAndEndsWhenTold() throws IOException, InterruptedException {
        Process process = new ProcessBuilder(Path.of(System.getProperty("java.home"), "bin", "java").toString(), "-cp", System.getProperty("java.class.path"), Bts.class.getName(),
                "serve", seed.toString(), "--port", "0", "--template", "llama2").redirectError(folder.resolve("serve.err").toFile()).start();
        try (BufferedReader out = process.inputReader()) {
            String line = out.readLine();
            assertTrue(line != null && line.startsWith("seed is served at http://127.0.0.1:"), () -> line + Commands.read(folder.resolve("serve.err")));
            URI page = URI.create(line.replaceAll(".* page at (\\S+)$", "$1"));
            assertEquals(200, HttpClient.newHttpClient().send(HttpRequest.newBuilder(page).build(), HttpResponse.BodyHandlers.discarding()).statusCode(), line);
            URI uri = page.resolve("/v1/chat/completions");
            HttpResponse<String> answer = HttpClient.newHttpClient().send(HttpRequest.newBuilder(uri).header("Content-Type", "application/json")
                    .POST(HttpRequest.BodyPublishers.ofString("{\"model\":\"seed\",\"messages\":[{\"role\":\"user\",\"content\":\"Hello\"}],\"max_tokens\":4}")).build(),
                    HttpResponse.BodyHandlers.ofString());
            assertEquals(200, answer.statusCode(), answer.body());
            process.toHandle().destroy();
            assertEquals(128 + 15, process.waitFor());
            assertFalse(Commands.read(folder.resolve("serve.err")).contains("Exception"), Commands.read(folder.resolve("serve.err")));
        } finally {
            process.destroyForcibly();
        }
    }
}
