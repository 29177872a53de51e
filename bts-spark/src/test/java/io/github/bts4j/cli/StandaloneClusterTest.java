package io.github.bts4j.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ai.djl.Device;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.github.bts4j.core.checkpoint.ModelFingerprint;
import io.github.bts4j.core.llama.LlamaConfig;
import io.github.bts4j.train.ExpertTraining;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The quick start's steps by {@code spark-submit} on a cluster of separate processes, from a shared folder: the same files and figures as without it. */
@Tag("slow")
class StandaloneClusterTest {
    @TempDir
    private Path folder;

    private interface Commands {
        StandaloneCluster.Result run(Object... arguments) throws IOException, InterruptedException;
    }

    private Path lines(String name, String pattern) throws IOException {
        List<String> lines = new ArrayList<>();
        for (int i = 0; i < 60; i++) {
            lines.add("{\"text\": \"" + String.format(pattern, i, 7 * i).repeat(4) + "\"}");
        }
        return Files.write(folder.resolve(name), lines);
    }

    /** SHA-256 of what was trained, and bits per byte of the stitched model. */
    private List<String> quickStart(Path own, Path seed, Commands commands) throws IOException, InterruptedException {
        Path code = lines("code.jsonl", "int f%d(int x) { return x * %d; }");
        Path math = lines("math.jsonl", "From %d + %d it follows that the lemma holds.");
        Path text = lines("text.jsonl", "The weather of day %d was fair, and %d came.");
        String[] small = {"--steps", "6", "--batch", "2", "--sequence", "32", "--accumulation", "4", "--lanes", "2", "--seed", "7"};
        List<Object[]> steps = List.of(
                with(small, "branch", seed, own.resolve("experts"), "--train", "code=code:3,text", "--train", "math=math:3,text", "--data", "code=" + code, "--data", "math=" + math, "--data", "text=" + text),
                with(small, "train", seed, "--data", "text=" + text, "--hold-out", "10", "--out", own.resolve("prose")),
                with(small, "stitch", seed, "--expert", "code=" + own.resolve("experts/code"), "--expert", "math=" + own.resolve("experts/math"), "--stitches", "2", "--data", "code=" + code, "--data",
                        "math=" + math, "--data", "text=" + text, "--out", own.resolve("stitched")));
        for (Object[] step : steps) {
            StandaloneCluster.Result result = commands.run(step);
            assertEquals(0, result.status(), result.err() + result.out());
            assertTrue(result.out().contains("Saved the "), result.out());
        }
        StandaloneCluster.Result scored = commands.run("eval", own.resolve("stitched"), "--data", "code=" + code, "--data", "math=" + math, "--sequence", "32", "--json");
        assertEquals(0, scored.status(), scored.err());
        JsonNode scores = new ObjectMapper().readTree(scored.out());
        List<String> found = new ArrayList<>(List.of(scores.get("domains").toString()));
        for (String name : List.of("experts/code", "experts/math", "prose", "stitched")) {
            try (Stream<Path> files = Files.list(own.resolve(name))) {
                files.filter(file -> file.toString().endsWith(".safetensors")).forEach(file -> found.add(name + " " + ModelFingerprint.sha256(file)));
            }
        }
        return found;
    }

    private static Object[] with(String[] more, Object... first) {
        return Stream.concat(Stream.of(first), Stream.of(more)).toArray();
    }

    @Test
    void theQuickStartsStepsAreThoseOfOneProcess() throws Exception {
        Path seed = folder.resolve("seed");
        LlamaConfig small = LlamaConfig.builder().vocabSize(2048).hiddenSize(32).intermediateSize(64).numLayers(4).numHeads(4).numKvHeads(2).maxPositionEmbeddings(128).build();
        try (ExpertTraining random = ExpertTraining.fromScratch(small, 0.2, 1, Device.cpu())) {
            random.save(seed, Path.of(System.getProperty("bts4j.testData")).resolve("tokenizer"));
        }
        List<String> here = quickStart(Files.createDirectory(folder.resolve("here")), seed, SparkCommandsTest::bts);
        assertEquals(5, here.size(), here.toString());
        try (StandaloneCluster cluster = StandaloneCluster.start(Files.createDirectory(folder.resolve("cluster")))) {
            List<String> there = quickStart(Files.createDirectory(folder.resolve("there")), seed, cluster::submit);
            assertEquals(here, there);
            try (Stream<Path> logs = Files.walk(folder.resolve("cluster"))) {
                long executors = logs.filter(file -> file.endsWith("stderr")).map(file -> file.getName(file.getNameCount() - 4)).distinct().count();
                assertEquals(2, executors, "both workers had executors");
            }
        }
    }
}
