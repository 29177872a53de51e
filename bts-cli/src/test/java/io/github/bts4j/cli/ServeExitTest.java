package io.github.bts4j.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ai.djl.Device;
import io.github.bts4j.core.llama.LlamaConfig;
import io.github.bts4j.train.ExpertTraining;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

/**
 * A server that is told to end (SIGTERM) while clients ask for answers: answers in progress end, later ones are refused or find nobody, the status is the
 * signal's, and nothing crashes.
 */
@EnabledOnOs(OS.LINUX)
class ServeExitTest {
    private static final int FEW = 1;
    private static final int MANY = Integer.getInteger("bts4j.exitTrials", 50);
    private static final int CLIENTS = 3;
    private static final int LONGEST_WAIT = 1500; // milliseconds

    @TempDir
    private static Path folder;

    @BeforeAll
    static void model() throws IOException {
        LlamaConfig config = LlamaConfig.builder().vocabSize(2048).hiddenSize(64).intermediateSize(128).numLayers(4).numHeads(4).numKvHeads(2)
                .maxPositionEmbeddings(512).build();
        try (ExpertTraining random = ExpertTraining.fromScratch(config, 0.4, 1, Device.cpu())) {
            random.save(folder.resolve("model"), Path.of(System.getProperty("bts4j.testData")).resolve("tokenizer"));
        }
    }

    @Test
    void once() throws Exception {
        end(FEW);
    }

    @Test
    @Tag("slow")
    void manyTimes() throws Exception {
        end(MANY);
    }

    private static void end(int trials) throws Exception {
        SplittableRandom random = new SplittableRandom(12);
        for (int trial = 0; trial < trials; trial++) {
            Path output = folder.resolve(trial + ".txt");
            Process process = new ProcessBuilder(Path.of(System.getProperty("java.home"), "bin", "java").toString(), "-XX:ErrorFile=" + output + ".crash", "-cp",
                    System.getProperty("java.class.path"), Bts.class.getName(), "serve", folder.resolve("model").toString(), "--port", "0").directory(folder.toFile())
                    .redirectErrorStream(true).redirectOutput(output.toFile()).start();
            try {
                endOne(process, output, random.nextInt(LONGEST_WAIT));
            } finally {
                process.destroyForcibly();
            }
        }
    }

    private static void endOne(Process process, Path output, int milliseconds) throws Exception {
        while (process.isAlive() && !Files.readString(output).contains("with a page")) {
            Thread.sleep(5);
        }
        URI uri = URI.create(Files.readString(output).replaceAll("(?s).*is served at (\\S+)/v1,.*", "$1")).resolve("/v1/completions");
        List<String> wrong = new ArrayList<>();
        List<Thread> clients = new ArrayList<>();
        for (int i = 0; i < CLIENTS; i++) {
            boolean stream = i == 0;
            clients.add(new Thread(() -> ask(uri, stream, wrong)));
        }
        clients.forEach(Thread::start);
        Thread.sleep(milliseconds); // some in the first calls of kernels, some later
        process.toHandle().destroy();
        assertTrue(process.waitFor(120, TimeUnit.SECONDS), "the process does not end");
        for (Thread client : clients) {
            client.join();
        }
        assertEquals(128 + 15, process.exitValue(), () -> text(output));
        assertFalse(Files.exists(Path.of(output + ".crash")), "a crash report");
        assertFalse(text(output).contains("Exception"), () -> text(output));
        assertEquals(List.of(), wrong);
    }

    /** Until the server is gone or refuses: an answer is whole or says why it is not. */
    private static void ask(URI uri, boolean stream, List<String> wrong) {
        String body = "{\"model\":\"model\",\"prompt\":\"A\",\"max_tokens\":40,\"seed\":1,\"stream\":" + stream + "}";
        HttpRequest request = HttpRequest.newBuilder(uri).header("Content-Type", "application/json").POST(HttpRequest.BodyPublishers.ofString(body)).build();
        HttpClient client = HttpClient.newHttpClient();
        try {
            while (true) {
                HttpResponse<String> answer = client.send(request, HttpResponse.BodyHandlers.ofString());
                if (answer.statusCode() == 503 && answer.body().contains("shutting_down")) {
                    return;
                }
                if (answer.statusCode() != 200 || !answer.body().contains(stream ? "data: [DONE]" : "\"completion_tokens\":")) {
                    synchronized (wrong) {
                        wrong.add(answer.statusCode() + " " + answer.body());
                    }
                    return;
                }
            }
        } catch (IOException e) {
            return; // nobody listens any more
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private static String text(Path output) {
        try {
            return Files.readString(output);
        } catch (IOException e) {
            return e.toString();
        }
    }
}
