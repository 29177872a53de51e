package io.github.bts4j.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * The page from a base and two adapters to a served model: its commands run as they are, each in a process of its own, in a folder with the files that it names, and print what the page shows.
 * Numbers may differ by a tenth, for other processors round in another way. {@link DocumentationTest} runs the same commands with less training.
 */
@Tag("slow")
class StitchYourLorasTest {
    private static final String PAGE = "docs/stitch-your-loras.md";

    /** What it names. */
    static final List<String> FILES = List.of("src-test-data/stories260K", "src-test-data/loras");
    /** What is written by a model may differ by whole words. */
    private static final List<String> WRITERS = List.of("generate", "serve");
    private static final Pattern NUMBER = Pattern.compile("\\d[\\d,]*(\\.\\d+)?");
    private static final Pattern SERVED = Pattern.compile("is served at (http://[^/]+)/v1");

    @TempDir
    private Path folder;

    @Test
    void everyCommandPrintsWhatThePageShows() throws Exception {
        for (String name : FILES) {
            Files.createDirectories(folder.resolve(name).getParent());
            DocumentedFiles.copy(Page.ROOT.resolve(name), folder.resolve(name));
        }
        List<Page.Block> blocks = Page.all().stream().filter(page -> page.name().equals(PAGE)).findFirst().orElseThrow().blocks();
        int compared = 0;
        for (int i = 0; i < blocks.size(); i++) {
            List<Page.Command> commands = blocks.get(i).commands();
            if (commands.isEmpty()) {
                continue;
            }
            StringBuilder printed = new StringBuilder();
            for (Page.Command command : commands) {
                printed.append(run(command, commands));
            }
            boolean shown = i + 1 < blocks.size() && blocks.get(i + 1).language().equals("text");
            if (shown && !WRITERS.contains(commands.get(0).words().get(1))) {
                compare(blocks.get(i + 1), printed.toString());
                compared++;
            }
        }
        assertTrue(compared >= 6, compared + " outputs were compared");
    }

    /** A server is asked by the curl commands of its block. */
    private String run(Page.Command command, List<Page.Command> block) throws Exception {
        if (command.words().get(0).equals("curl")) {
            return ""; // with its server
        }
        assertEquals("./bts", command.words().get(0), command::toString);
        List<String> words = command.words().subList(1, command.words().size());
        return words.get(0).equals("serve") ? serve(words, block.get(block.indexOf(command) + 1)) : bts(words);
    }

    private Process start(List<String> arguments) throws IOException {
        List<String> line = new ArrayList<>(List.of(Path.of(System.getProperty("java.home"), "bin", "java").toString(), "-Xmx1g", "-XX:+UseSerialGC",
                "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn", "-cp", System.getProperty("java.class.path"), Bts.class.getName()));
        line.addAll(arguments);
        return new ProcessBuilder(line).directory(folder.toFile()).redirectError(folder.resolve("errors.txt").toFile()).start();
    }

    private String bts(List<String> arguments) throws Exception {
        Process process = start(arguments);
        try (InputStream out = process.getInputStream()) {
            String printed = new String(out.readAllBytes(), StandardCharsets.UTF_8);
            assertEquals(0, process.waitFor(), () -> String.join(" ", arguments) + "\n" + printed + Commands.read(folder.resolve("errors.txt")));
            assertTrue(!printed.isBlank(), () -> String.join(" ", arguments) + " printed nothing");
            return printed;
        } finally {
            process.destroyForcibly();
        }
    }

    private String serve(List<String> arguments, Page.Command curl) throws Exception {
        List<String> words = new ArrayList<>(arguments);
        words.addAll(List.of("--port", "0"));
        Process process = start(words);
        try (BufferedReader out = process.inputReader(StandardCharsets.UTF_8)) {
            Matcher served = SERVED.matcher("");
            for (String line = out.readLine(); line != null && !served.reset(line).find(); ) {
                line = out.readLine();
            }
            String body = curl.words().get(curl.words().indexOf("-d") + 1);
            String path = URI.create(curl.words().stream().filter(word -> word.startsWith("http:")).findFirst().orElseThrow()).getPath();
            HttpResponse<String> answer = HttpClient.newHttpClient().send(HttpRequest.newBuilder(URI.create(served.group(1) + path)).header("Content-Type", "application/json")
                    .POST(HttpRequest.BodyPublishers.ofString(body)).build(), HttpResponse.BodyHandlers.ofString());
            assertEquals(200, answer.statusCode(), answer::body);
            assertTrue(answer.body().contains("\"finish_reason\""), answer.body());
            return answer.body();
        } finally {
            process.destroy();
            process.waitFor();
        }
    }

    /** Lines of the page are those that were printed, but for numbers; three dots stand for any lines. */
    private static void compare(Page.Block shown, String printed) {
        List<String> lines = printed.lines().map(String::stripTrailing).toList();
        int at = 0;
        boolean anywhere = false;
        for (String line : shown.text().lines().map(String::stripTrailing).toList()) {
            if (line.equals("...")) {
                anywhere = true;
                continue;
            }
            while (anywhere && at < lines.size() && !masked(lines.get(at)).equals(masked(line))) {
                at++;
            }
            String own = at < lines.size() ? lines.get(at) : "nothing";
            assertEquals(masked(line), masked(own), () -> shown.place() + " shows\n" + shown.text() + "\nand this was printed\n" + printed);
            numbers(line, own, shown);
            anywhere = false;
            at++;
        }
        assertTrue(anywhere || at == lines.size(), () -> shown.place() + ": more was printed\n" + printed);
    }

    private static void numbers(String line, String own, Page.Block shown) {
        List<Double> expected = values(line);
        List<Double> found = values(own);
        for (int i = 0; i < expected.size(); i++) {
            double difference = Math.abs(expected.get(i) - found.get(i));
            assertTrue(difference <= Math.max(0.05, 0.1 * Math.abs(expected.get(i))), shown.place() + " shows\n" + line + "\nand this was printed\n" + own);
        }
    }

    private static String masked(String line) {
        return NUMBER.matcher(line).replaceAll("#").replaceAll(" +", " ");
    }

    private static List<Double> values(String line) {
        try (Stream<String> numbers = NUMBER.matcher(line).results().map(number -> number.group().replace(",", ""))) {
            return numbers.map(Double::valueOf).toList();
        }
    }

    /** This test would fail, and say where. */
    @Test
    void otherOutputIsFound() {
        Page.Block shown = new Page.Block("page.md", "text", 10, "rank 16\n...\nlast 2.0\n");
        compare(shown, "rank 16\nmiddle\nlast 2.1\n");
        for (String printed : List.of("rank 18\nlast 2.0\n", "rank 16\nlast\n", "rank 16\nlast 2.0\nmore\n", "rank 16\nlast 2.3\n")) {
            boolean same = true;
            try {
                compare(shown, printed);
            } catch (AssertionError e) {
                same = false;
            }
            assertTrue(!same, printed);
        }
    }
}
