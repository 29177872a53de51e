package io.github.bts4j.server;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.BufferedReader;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** A server with the launcher's heap of 1 GiB, in a process of its own, and prompts just below its limit of 4 MiB: they cost their senders a 400, and others nothing. */
@Tag("slow")
class LongPromptsTest {
    private static final int CHARACTERS = 3_900_000;
    private static final String GOOD = "{\"model\":\"tiny\",\"prompt\":\"A\",\"max_tokens\":2}";
    private static final String STREAM = "{\"model\":\"tiny\",\"prompt\":\"A\",\"max_tokens\":200,\"stream\":true,\"seed\":5}";

    @TempDir
    private Path folder;

    private final HttpClient client = HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();

    /** In a usual context length alone tells; in a very long one the text has to be looked at. None of the texts fits either context. */
    @ParameterizedTest
    @CsvSource({"2, 2048", "4, 2048", "2, 524288", "4, 524288"})
    void longPromptsAtOnce(int prompts, int context) throws Exception {
        Process process = new ProcessBuilder(List.of(Path.of(System.getProperty("java.home"), "bin", "java").toString(), "-Xmx1g", "-XX:ErrorFile=" + folder.resolve("crash"),
                "-Dbts4j.testData=" + System.getProperty("bts4j.testData"), "-cp", System.getProperty("java.class.path"), Server.class.getName(), folder.toString(), String.valueOf(context)))
                .redirectError(ProcessBuilder.Redirect.INHERIT).start();
        try (BufferedReader said = process.inputReader(StandardCharsets.UTF_8)) {
            URI completions = URI.create(said.readLine()).resolve("/v1/completions");
            String alone = post(completions, STREAM).get(10, TimeUnit.MINUTES).body();
            assertTrue(alone.endsWith("data: [DONE]\n\n"), alone);
            CompletableFuture<HttpResponse<String>> stream = post(completions, STREAM);
            List<CompletableFuture<HttpResponse<String>>> sent = new ArrayList<>();
            for (int i = 0; i < prompts; i++) {
                String text = List.of("a b ", "ab 12 \u00e9 ", "\\t\\t", "word").get(i);
                text = text.repeat(CHARACTERS / text.getBytes(StandardCharsets.UTF_8).length);
                sent.add(post(completions, "{\"model\":\"tiny\",\"prompt\":\"" + text + "\"}"));
            }
            long worst = 0;
            while (!sent.stream().allMatch(CompletableFuture::isDone)) {
                long begin = System.nanoTime();
                HttpResponse<String> good = post(completions, GOOD).get(5, TimeUnit.MINUTES);
                assertEquals(200, good.statusCode(), good.body());
                worst = Math.max(worst, System.nanoTime() - begin);
            }
            for (CompletableFuture<HttpResponse<String>> each : sent) {
                assertEquals(400, each.get().statusCode(), each.get().body());
                assertTrue(each.get().body().contains("context_length_exceeded"), each.get().body());
            }
            assertEquals(tokens(alone), tokens(stream.get(10, TimeUnit.MINUTES).body()), "the answer that was streaming");
            assertEquals(200, post(completions, GOOD).get(5, TimeUnit.MINUTES).statusCode());
            assertTrue(process.isAlive());
            System.out.printf("%d prompts, a context of %d: another client waited %.2f s at most%n", prompts, context, worst / 1e9);
        } finally {
            process.destroyForcibly().waitFor();
        }
    }

    private static String tokens(String stream) {
        return stream.replaceAll("\"(id|created)\":[^,]*,", "");
    }

    private CompletableFuture<HttpResponse<String>> post(URI uri, String body) {
        return client.sendAsync(HttpRequest.newBuilder(uri).header("Content-Type", "application/json").POST(HttpRequest.BodyPublishers.ofString(body)).build(), BodyHandlers.ofString());
    }

    /** Prints where it listens, and runs until it is killed. */
    static final class Server {
        /** Patient, as a machine that runs other tests beside needs it. */
        private static final ServerConfig CONFIG = TestServer.CONFIG.withTimeouts(Duration.ofMinutes(5), Duration.ofMinutes(10), Duration.ofSeconds(2));

        private Server() {}

        public static void main(String[] arguments) throws Exception {
            try (TestServer server = new TestServer(Path.of(arguments[0]), CONFIG, Integer.parseInt(arguments[1]))) {
                System.out.println(server.uri("/"));
                Thread.sleep(TimeUnit.MINUTES.toMillis(30));
            }
        }
    }
}
