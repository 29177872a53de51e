package io.github.bts4j.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What {@code bts bench} prints; how fast a machine is, no test says. */
class BenchCommandTest {
    private static final List<String> SEED = List.of("seed prefill", "seed decoding", "seed 8 sessions");
    private static final List<String> STITCHED = List.of("stitched training", "stitched prefill", "stitched decoding", "stitched 8 sessions");

    @TempDir
    private Path folder;

    @Test
    void theTableHasARowForEachFigure() throws IOException {
        String text = Commands.done("bench", "--shape", "xs", "--types", "float32", "--seconds", 0, "--models", folder, "--threads", 1).out();
        List<String> lines = text.lines().toList();
        assertTrue(lines.get(0).matches("bts4j \\d+\\.\\d+\\.\\d+\\S* on .+, \\d+ processors?, [\\d.]+ GiB of memory, .+"), text);
        assertTrue(text.contains(" " + System.getProperty("java.version") + " (") && text.contains("libtorch 2.") && text.contains("; 1 thread\n"), text);
        assertTrue(text.contains("shape xs: 0.2 million parameters, 4 layers of 64; 3 experts, 4 stitch layers; training 2 x 32 tokens, prompts of 64, 8 sessions together\n"), text);
        assertEquals(1, lines.stream().filter(line -> line.matches("\\| float32 \\| [\\d.,]+ \\| [\\d.,]+ \\|")).count(), text);
        List<String> rows = lines.stream().filter(line -> line.matches("\\| float32 \\| (seed|stitched) \\| [\\w ]+ \\| [\\d.,]+ \\| [\\d.,]+ - [\\d.,]+ \\| \\d\\.\\d\\d \\| (memory|product) \\|")).toList();
        List<String> expected = new ArrayList<>(List.of("seed training"));
        expected.addAll(SEED);
        expected.addAll(STITCHED);
        assertEquals(expected, rows.stream().map(row -> row.split(" \\| ")[1] + " " + row.split(" \\| ")[2]).toList(), text);
        assertTrue(Files.exists(folder.resolve("xs-float32-3/config.json")));
    }

    /** The same figures as JSON; models that are there are used again, and without --models nothing is left behind. */
    @Test
    void theObjectHasThemToo() throws IOException {
        List<String> before = temporary();
        JsonNode json = Commands.done("bench", "--shape=xs", "--types=int8,int8", "--seconds=0", "--experts=1", "--stitches=2", "--json").json();
        assertEquals(before, temporary());
        assertEquals("xs", json.at("/settings/shape").asText());
        assertEquals("[\"int8\"]", json.at("/settings/types").toString());
        assertEquals(1, json.at("/settings/experts").asInt());
        assertEquals(1, json.path("limits").size());
        List<String> rows = new ArrayList<>();
        for (JsonNode row : json.path("rows")) {
            rows.add(row.path("type").asText() + " " + row.path("model").asText() + " " + row.path("measured").asText());
            double median = row.path("tokens_per_second").asDouble();
            assertTrue(row.path("tokens_per_second_lower_quartile").asDouble() <= median && median <= row.path("tokens_per_second_upper_quartile").asDouble(), row::toString);
            assertTrue(row.path("share").asDouble() > 0 && row.path("measurements").asInt() >= 3, row::toString);
        }
        assertEquals(Stream.of(SEED.stream().map("int8 "::concat), STITCHED.stream().map("int8 "::concat)).flatMap(each -> each).toList(), rows);
        assertFalse(json.at("/machine/processor").asText().isBlank());
        assertEquals(Runtime.getRuntime().availableProcessors(), json.at("/machine/processors").asInt());
        assertTrue(json.at("/machine/products/float32").isTextual() && json.path("seconds").asDouble() > 0, json::toString);
    }

    private static List<String> temporary() throws IOException {
        try (Stream<Path> files = Files.list(Path.of(System.getProperty("java.io.tmpdir")))) {
            return files.map(file -> file.getFileName().toString()).filter(name -> name.startsWith("bts-bench")).sorted().toList();
        }
    }

    @Test
    void wrongCallsSayWhatIsRight() {
        Commands.refused("--quick and --full exclude each other: give one", "bench", "--quick", "--full");
        Commands.refused("--stitches 5 must be from 1 to 4, the layers of shape xs", "bench", "--shape", "xs", "--stitches", 5);
        Commands.refused("float32", "bench", "--types", "float64");
    }
}
