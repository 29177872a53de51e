package io.github.bts4j.examples.experiment;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.github.bts4j.core.adapter.AdapterConfig;
import io.github.bts4j.core.checkpoint.SafetensorsFile;
import io.github.bts4j.train.eval.EvaluationResults;
import io.github.bts4j.train.eval.Metric;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Experiments whose experts are adapters of the seed as well. */
class AdapterExperimentTest {
    private static final String METHODS = """
              BTS: {kind: stitch, stitches: 2, alternating: true, dropout: 0, init: EXPERTS, models: [seed, code, math], training: short, seeds: [0]}
              BTS r2: {kind: stitch, stitches: 2, alternating: true, dropout: 0, init: EXPERTS, models: [seed, code r2, math r2], training: short, seeds: [0]}
              BTS x2: {kind: stitch, stitches: 2, alternating: true, dropout: 0, init: EXPERTS, models: [seed, code x2, math], training: short, seeds: [0]}
              BTM r2: {kind: btm-of, models: [seed, code r2, math r2]}
              soup r2: {kind: soup-of, models: [seed, code r2, math r2]}
              BTM: {kind: btm}
              BTM x16: {kind: btm-of, models: [seed, code x16, math x16]}
              BTS r2 without math: {kind: removed, of: BTS r2, expert: math r2}
            """.stripTrailing();
    private static final String ADAPTERS = """
              r2: {kind: trained, rank: 2, alpha: 4, learning-rate: 2.0e-3}
              x2: {kind: extracted, rank: 2, keep-whole: false}
              x16: {kind: extracted, rank: 16, keep-whole: true}
            """.stripTrailing();

    @TempDir
    private Path folder;

    private Path out(String path) {
        return folder.resolve("out").resolve(path);
    }

    @Test
    void adaptersTakePartAndAreMadeOnce() throws IOException {
        Path file = TinyExperiment.write(folder, METHODS, ADAPTERS);
        assertTrue(Experiment.read(file).run());
        assertEquals(2, AdapterConfig.read(out("models/adapter-code-r2")).rank());
        assertEquals(data("models/expert-code"), data("models/adapter-code-r2")); // the same text in the same order
        checkScores();
        List<Path> kept = List.of(out("models/adapter-code-r2/stage.json"), out("models/adapter-math-x2/stage.json"), out("methods/bts-r2-0/stage.json"), out("results/bts-r2/stage.json"));
        List<FileTime> times = times(kept);
        Files.delete(out("models/adapter-code-x16/stage.json"));
        Files.writeString(file, Files.readString(file) + "  r1: {kind: trained, rank: 1, alpha: 1, learning-rate: 1.0e-3}\n"); // more can come at any time
        assertTrue(Experiment.read(file).run());
        assertEquals(times, times(kept));
        assertTrue(Files.exists(out("models/adapter-code-x16/stage.json")) && Files.exists(out("results/math-r1/results.json")));
        String page = Files.readString(out("results.md"));
        int own = 4 * 2 * (4 * 2 * 16 + 3 * (16 + 24)); // layers, rank, both sides of the seven matrices
        assertTrue(page.contains(String.format("| code r2 | %,d | ", own)), page);
        for (String row : List.of("| code r2 | ", "| BTS r2 | ", "| BTS r2 without math | ", "| soup r2 | ")) {
            assertTrue(page.contains(row), row + " is not in\n" + page);
        }
    }

    @Test
    void whatIsReadyDoesNotWaitForTheRest() throws IOException {
        ExperimentSpec spec = ExperimentSpec.read(TinyExperiment.write(folder, METHODS, ADAPTERS));
        try (Workshop workshop = Workshop.open(spec, false)) {
            List<String> alone = List.of("expert-code", "expert-math", "adapter-code-r2", "adapter-math-r2");
            assertEquals(alone, ready(workshop));
            done("models/seed");
            done("models/expert-code");
            assertEquals(List.of("expert-code", "expert-math", "adapter-code-r2", "adapter-math-r2", "adapter-code-x2", "adapter-code-x16", "score-seed", "score-code"), ready(workshop));
            done("models/expert-math");
            done("models/adapter-code-x2");
            List<String> methods = ready(workshop);
            methods.removeIf(name -> name.startsWith("expert-") || name.startsWith("adapter-"));
            assertEquals(List.of("score-seed", "score-code", "score-math", "score-code-x2", "bts-0", "bts-x2-0", "btm-0"), methods);
            done("models/adapter-code-r2");
            assertFalse(ready(workshop).contains("bts-r2-0"));
            done("models/adapter-math-r2");
            assertTrue(ready(workshop).containsAll(List.of("bts-r2-0", "btm-r2-0", "soup-r2-0")));
            assertFalse(ready(workshop).contains("bts-r2-without-math-0"));
            done("methods/bts-r2-0");
            assertTrue(ready(workshop).contains("bts-r2-without-math-0"));
        }
    }

    private void done(String stage) throws IOException {
        Files.createDirectories(out(stage));
        Files.writeString(out(stage).resolve("stage.json"), "{}");
    }

    /** What can begin once the seed is there. */
    private static List<String> ready(Workshop workshop) throws IOException {
        List<String> names = new ArrayList<>();
        for (Turns.Piece piece : workshop.pieces().get(1)) {
            if (piece.ready().isReady()) {
                names.add(piece.name());
            }
        }
        return names;
    }

    private static List<FileTime> times(List<Path> files) throws IOException {
        return List.of(Files.getLastModifiedTime(files.get(0)), Files.getLastModifiedTime(files.get(1)), Files.getLastModifiedTime(files.get(2)), Files.getLastModifiedTime(files.get(3)));
    }

    private String data(String model) throws IOException {
        String madeFrom = Stage.madeFrom(out(model));
        return madeFrom.substring(madeFrom.indexOf("data "));
    }

    /** Of the full rank, with all else kept whole, an adapter is its expert; one of rank 2 is neither that nor the seed. */
    private void checkScores() throws IOException {
        double seed = bits("seed", "code");
        double expert = bits("code", "code");
        assertEquals(expert, bits("code x16", "code"), 1e-4);
        assertEquals(bits("BTM", "code"), bits("BTM x16", "code"), 1e-4);
        assertTrue(Math.abs(bits("code x2", "code") - expert) > 1e-6 && Math.abs(bits("code r2", "code") - seed) > 1e-6);
        assertTrue(bits("soup r2", "switching") > 0 && bits("BTS x2", "math") > 0);
        JsonNode losses = new ObjectMapper().readTree(out("models/adapter-code-x2/extraction.json").toFile());
        assertTrue(losses.at("/model.layers.0.self_attn.q_proj.weight/error").asDouble() < 1, losses.toString());
        assertEquals(1, losses.at("/model.layers.0.input_layernorm.weight/error").asDouble());
        assertEquals(2 * 4 * 7, SafetensorsFile.open(out("models/adapter-code-r2/adapter_model.safetensors")).entries().size());
    }

    private double bits(String row, String domain) throws IOException {
        return EvaluationResults.read(out("results/" + Methods.slug(row) + "/results.json")).find(row, domain, Metric.BITS_PER_BYTE).orElseThrow().interval().value();
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
            rank: 2, alpha | rank: 0, alpha | adapters.r2.rank: 0 must be from 1 to 16, the smaller side of the models' matrices
            rank: 2, alpha | rank: 17, alpha | adapters.r2.rank: 17 must be from 1 to 16
            alpha: 4 | alpha: -4 | adapters.r2.alpha: -4.0 must be above 0
            learning-rate: 2.0e-3 | learning-rate: 0 | adapters.r2.learning-rate: 0.0 must be above 0
            kind: extracted, rank: 2 | kind: extract, rank: 2 | adapters.x2.kind: 'extract' must be one of trained, extracted, did you mean 'extracted'?
            alpha: 4, | | adapters.r2: the key 'alpha' is missing
            models: [seed, code r2, math r2]} | models: [code r2]} | methods.BTM r2.models: [code r2] must be two models or more, each once
            models: [seed, code r2, math r2], | models: [code, code r2], | methods.BTS r2.models: [code, code r2] must be the seed and its adapters, the seed first, which is their base
            models: [seed, code r2, math r2], | models: [seed, code r3], | methods.BTS r2.models: 'code r3' must be one of [seed, code, math, code r2,
            """)
    void whatDoesNotFitIsToldBefore(String right, String wrong, String message) throws IOException {
        Path file = TinyExperiment.write(folder, METHODS, ADAPTERS);
        Files.writeString(file, Files.readString(file).replace(right, wrong == null ? "" : wrong));
        String found = assertThrows(IllegalArgumentException.class, () -> Experiment.read(file)).getMessage();
        assertTrue(found.contains(message), found);
    }
}
