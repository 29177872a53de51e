package io.github.bts4j.examples.experiment;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.github.bts4j.core.OutputException;
import io.github.bts4j.stitch.BoundCheckpoint;
import io.github.bts4j.stitch.StitchCheckpoint;
import io.github.bts4j.train.eval.EvaluationResults;
import io.github.bts4j.train.eval.ItemScores;
import io.github.bts4j.train.eval.Metric;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ExperimentTest {
    private static final String ALL = """
              soup: {kind: soup}
              TIES: {kind: ties, density: 0.5, weight: 1}
              task arithmetic: {kind: task-arithmetic, weight: 0.5}
              BTM: {kind: btm}
              routing: {kind: routing, training: short, seeds: [0]}
              continued: {kind: continued, training: short, seeds: [0]}
              BTX sample: {kind: upcycled, top-one: true, attention-experts: false, adapters: false, models: [seed, code, math], training: short, seeds: [0]}
              BAM adapters: {kind: upcycled, top-one: false, attention-experts: true, adapters: true, models: [seed, code, math], training: short, seeds: [0]}
              BTS: {kind: stitch, stitches: 2, alternating: true, dropout: 0, init: AVERAGE, models: [seed, code, math], training: short, seeds: [0, 7]}
              BTS without math: {kind: removed, of: BTS, expert: math}
              BTS with math again: {kind: added, of: BTS without math, expert: math, training: short, seeds: [0]}
              BTS all trained: {kind: retrained, of: BTS with math again, training: short, seeds: [0]}
              BTS code hub: {kind: stitch, stitches: 1, alternating: true, dropout: 0.1, init: AVERAGE, models: [code, math], training: short, seeds: [0]}
            """.stripTrailing();

    @TempDir
    private Path folder;

    private static Map<String, FileTime> stages(Path out) throws IOException {
        Map<String, FileTime> times = new TreeMap<>();
        try (Stream<Path> files = Files.walk(out)) {
            for (Path file : files.filter(path -> path.endsWith("stage.json")).toList()) {
                times.put(out.relativize(file).toString(), Files.getLastModifiedTime(file));
            }
        }
        return times;
    }

    @Test
    void everyMethodIsMadeOnceAndWhatIsThereIsKept() throws IOException {
        Path file = TinyExperiment.write(folder, ALL);
        assertTrue(Experiment.read(file).run());
        Map<String, FileTime> made = stages(folder.resolve("out"));
        assertTrue(made.keySet().containsAll(List.of("models/seed/stage.json", "models/expert-math/stage.json", "methods/bts-7/stage.json",
                "methods/btm-0/stage.json", "methods/bts-code-hub-0/stage.json")), made.toString());
        assertTrue(Experiment.read(file).run());
        assertEquals(made, stages(folder.resolve("out")));
        checkResults(folder.resolve("out"));
    }

    private static void checkResults(Path out) throws IOException {
        EvaluationResults bts = EvaluationResults.read(out.resolve("results/bts/results.json"));
        double sum = 0;
        for (String domain : List.of("english", "code", "math")) {
            sum += bts.find("BTS", domain, Metric.BITS_PER_BYTE).orElseThrow().interval().value();
        }
        assertEquals(sum / 3, bts.find("BTS", Scoring.AVERAGE, Metric.BITS_PER_BYTE).orElseThrow().interval().value(), 1e-9);
        assertTrue(bts.find("BTS", Texts.SWITCHING, Metric.BITS_PER_BYTE).isPresent());
        checkSegments(bts);
        assertTrue(bts.find("BTS", "sums", Metric.BITS_PER_BYTE).isPresent());
        assertEquals(4, bts.find("BTS", "arithmetic-symbols-choice", Metric.ACC).orElseThrow().scores().count());
        assertTrue(bts.find("BTS", "java-methods", Metric.PARSES).isPresent());
        JsonNode gates = new ObjectMapper().readTree(out.resolve("results/bts/gates.json").toFile());
        for (JsonNode row : gates) {
            assertEquals(1, row.at("/shares/seed").asDouble() + row.at("/shares/code").asDouble() + row.at("/shares/math").asDouble(), 1e-5);
        }
        JsonNode positions = new ObjectMapper().readTree(out.resolve("results/bts/positions.json").toFile());
        assertEquals(5, positions.size());
        assertEquals(Scoring.PARTS, positions.get("code").size());
        assertEquals(5, gates.size()); // one layer into the hub; three domains, sums, switching
        String page = Files.readString(out.resolve("results.md"));
        for (String expected : List.of("| BAM adapters |", "| BTS code hub |", "| BTS | 2 |", "| BTS with math again |", "All rows: held-out text", "Intervals:", "All rows: tasks",
                "| the best of seed and experts in each |", "text that changes its domain", "what is kept of each expert's gain")) {
            assertTrue(page.contains(expected), expected + " is not in\n" + page);
        }
        JsonNode first = new ObjectMapper().readTree(out.resolve("results/bts/gates.json").toFile()).get(0);
        String share = String.format(java.util.Locale.ROOT, "| english | %d | %.3f | ", first.get("stitch").asInt(), first.at("/shares/seed").asDouble());
        assertTrue(page.contains(share), share + " is not in\n" + page);
        assertTrue(page.lines().anyMatch(line -> line.startsWith("| code | ") && line.contains("100.0")), page); // an expert keeps all of its gain
    }

    /** The segments' bits and bytes are those of the whole text. */
    private static void checkSegments(EvaluationResults bts) {
        ItemScores whole = bts.find("BTS", Texts.SWITCHING, Metric.BITS_PER_BYTE).orElseThrow().scores();
        double bits = 0;
        double bytes = 0;
        for (String domain : List.of("english", "code", "math")) {
            ItemScores part = bts.find("BTS", Scoring.segmentsOf(domain), Metric.BITS_PER_BYTE).orElseThrow().scores();
            bits += Arrays.stream(part.values()).sum();
            bytes += Arrays.stream(part.weights()).sum();
        }
        assertEquals(Arrays.stream(whole.values()).sum(), bits, 1e-3);
        assertEquals(Arrays.stream(whole.weights()).sum(), bytes);
    }

    /** Owners' stitches in one model; a newer expert takes over an older one's slices, or starts with untrained ones; then its slices are trained. */
    @Test
    void stitchesTrainedApartAreCombinedAndExpertsReplaced() throws IOException {
        Path file = TinyExperiment.write(folder, """
                  BTS: {kind: stitch, stitches: 2, alternating: true, dropout: 0, init: EXPERTS, models: [seed, code, math], training: short, seeds: [0, 7]}
                  site code: {kind: stitch, stitches: 2, alternating: true, dropout: 0, init: EXPERTS, models: [seed, code], training: short, seeds: [0, 7]}
                  site math: {kind: stitch, stitches: 2, alternating: true, dropout: 0, init: EXPERTS, models: [seed, math], training: short, seeds: [0, 7]}
                  combined: {kind: combined, of: [site code, site math], seeds: [0, 7]}
                  calibrated: {kind: retrained, of: combined, training: short, seeds: [0, 7]}
                  replaced: {kind: replaced, of: BTS, expert: code, by: code-2, untrained: false, seeds: [7]}
                  afresh: {kind: replaced, of: BTS, expert: code, by: code-2, untrained: true, seeds: [7]}
                  afresh, trained: {kind: slices, of: afresh, expert: code, training: short, seeds: [7]}
                """.stripTrailing());
        Files.writeString(file, Files.readString(file) + "newer-experts:\n  code-2: {of: code, training: short}\n");
        assertTrue(Experiment.read(file).run());
        Path methods = folder.resolve("out/methods");
        assertEquals(List.of("seed", "code", "math"), names(methods.resolve("combined-7")));
        assertEquals(List.of("seed", "code", "math"), names(methods.resolve("calibrated-0")));
        StitchCheckpoint.Description replaced = StitchCheckpoint.describe(methods.resolve("replaced-7"));
        assertEquals(StitchCheckpoint.describe(methods.resolve("bts-7")).sha256(), replaced.sha256(), "it takes over all stitch weights");
        assertTrue(replaced.models().get(1).path().endsWith("models/expert-code-2"), replaced.toString());
        assertEquals(List.of("seed", "math", "code"), names(methods.resolve("afresh-7")));
        assertEquals(List.of("seed", "math", "code"), names(methods.resolve("afresh-trained-7")));
        assertNotEquals(StitchCheckpoint.describe(methods.resolve("afresh-7")).sha256(), StitchCheckpoint.describe(methods.resolve("afresh-trained-7")).sha256());
        assertTrue(Files.exists(folder.resolve("out/results/combined-random-seed-7/results.json")));
        assertTrue(Files.readString(folder.resolve("out/models/expert-code-2/stage.json")).contains("from the expert code "));
        String page = Files.readString(folder.resolve("out/results.md"));
        assertTrue(page.contains("| code-2 |") && page.contains("| combined | 2 |"), page);
    }

    private static List<String> names(Path stitch) throws IOException {
        return StitchCheckpoint.describe(stitch).models().stream().map(BoundCheckpoint.Base::name).toList();
    }

    @Test
    void randomSeedsCanBeAddedLater() throws IOException {
        Path file = TinyExperiment.write(folder, "  BTS: {kind: stitch, stitches: 2, alternating: true, dropout: 0, init: AVERAGE, models: [seed, code], training: short, seeds: [0]}");
        assertTrue(Experiment.read(file).run());
        Map<String, FileTime> before = stages(folder.resolve("out"));
        Files.writeString(file, Files.readString(file).replace("seeds: [0]", "seeds: [0, 3]"));
        assertTrue(Experiment.read(file).run());
        Map<String, FileTime> after = stages(folder.resolve("out"));
        assertTrue(after.keySet().containsAll(List.of("methods/bts-3/stage.json", "results/bts-random-seed-3/stage.json")), after.toString());
        assertTrue(after.entrySet().containsAll(before.entrySet()), after + " keeps " + before);
    }

    @Test
    void oneDomainHasNoTextThatChangesItsDomain() throws IOException {
        Path file = TinyExperiment.write(folder, "  soup: {kind: soup}");
        Files.writeString(file, Files.readString(file).replace("evaluation: {domains: [english, code, math]", "evaluation: {domains: [code]"));
        assertTrue(Experiment.read(file).run());
        String page = Files.readString(folder.resolve("out/results.md"));
        assertTrue(page.contains("averaged over the domains") && !page.contains("text that changes its domain"), page);
        assertTrue(Files.readString(folder.resolve("out/report.html")).contains(">soup<"));
    }

    @Test
    void whatWasMadeFromOtherSettingsIsNotMixedIn() throws IOException {
        Path file = TinyExperiment.write(folder, "  soup: {kind: soup}");
        assertTrue(Experiment.read(file).run());
        Files.writeString(file, Files.readString(file).replace("  math: {steps: 4", "  math: {steps: 5"));
        Map<String, FileTime> before = stages(folder.resolve("out"));
        String message = assertThrows(OutputException.class, () -> Experiment.read(file).run()).getMessage();
        assertTrue(message.contains("expert-math") && message.contains("steps=4") && message.contains("steps=5"), message);
        assertTrue(Experiment.read(file).replacingOthers().run());
        Map<String, FileTime> after = stages(folder.resolve("out"));
        assertEquals(before.keySet(), after.keySet());
        assertEquals(before.get("models/expert-code/stage.json"), after.get("models/expert-code/stage.json"));
        assertNotEquals(before.get("models/expert-math/stage.json"), after.get("models/expert-math/stage.json"));
        assertNotEquals(before.get("methods/soup-0/stage.json"), after.get("methods/soup-0/stage.json"));
    }

    @Test
    void unknownNamesAreRefusedBeforeAnythingIsTrained() throws IOException {
        Path file = TinyExperiment.write(folder, "  BTS: {kind: stitch, stitches: 2, alternating: true, dropout: 0, init: AVERAGE, models: [seed, law], training: brief, seeds: [0]}");
        String message = assertThrows(IllegalArgumentException.class, () -> Experiment.read(file)).getMessage();
        assertTrue(message.contains("law") && message.contains("brief"), message);
        assertTrue(Files.notExists(folder.resolve("out")));
    }
}
