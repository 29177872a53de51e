package io.github.bts4j.examples.quickstart;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.bts4j.core.torch.llama.LoadOptions;
import io.github.bts4j.stitch.StitchCheckpoint;
import io.github.bts4j.stitch.StitchedModel;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The whole quick start with a handful of steps: every phase leaves its folder, and a second run replaces the first. */
class QuickStartTest {
    @TempDir
    private Path folder;

    @Test
    void leavesCheckpointsMetricsAndAReport() throws IOException {
        for (int run = 0; run < 2; run++) {
            SmallQuickStart.run(folder, run);
        }
        try (StitchedModel model = StitchCheckpoint.open(folder.resolve("stitch"), LoadOptions.defaults())) {
            assertEquals(List.of("seed", "code", "maths", "Spanish"), model.members().stream().map(member -> member.name()).toList());
            assertEquals(458_752, model.config().parameterCount(3, model.hiddenSize()));
        }
        String html = Files.readString(folder.resolve("report.html"));
        for (String row : List.of("seed", "expert code", "expert maths", "expert Spanish", "model soup", "BTM", "BTS")) {
            assertTrue(html.contains(">" + row + "<"), "no row " + row);
        }
        assertFalse(html.replaceAll("(?s)<pre>.*?</pre>", "").matches("(?s).*\\b(lang2|english|math)\\b.*"), "names of files among those for people");
        assertTrue(html.contains("458,752 stitch parameters"));
        assertTrue(html.matches("(?s).*<p class=\"verdict\">(No clear winner: )?[\\w ]+ (won: |has the fewest, )\\d\\.\\d{3} bits per byte on average over the five held-out texts.*"), "who won");
        for (String name : List.of("seed", "expert-code", "expert-math", "expert-lang2", "stitch")) {
            assertTrue(Files.exists(folder.resolve("metrics").resolve(name).resolve("metrics.csv")), name);
        }
        assertTrue(QuantizationExample.run(folder, 12, System.out) < 1.01, "int8 weights cost more than 1 % of perplexity");
        List<String> metrics = Files.readAllLines(folder.resolve("metrics/stitch/metrics.csv"));
        assertEquals(1 + 6, metrics.size());
        try (Stream<Path> files = Files.list(folder.resolve("metrics/stitch"))) {
            assertEquals(1, files.filter(file -> file.getFileName().toString().contains("tfevents")).count());
        }
    }
}
