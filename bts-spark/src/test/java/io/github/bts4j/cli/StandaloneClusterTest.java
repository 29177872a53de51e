package io.github.bts4j.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ai.djl.Device;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.github.bts4j.core.checkpoint.ModelFingerprint;
import io.github.bts4j.core.llama.LlamaConfig;
import io.github.bts4j.spark.MiniHdfs;
import io.github.bts4j.train.ExpertTraining;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledIf;
import org.junit.jupiter.api.io.TempDir;

/** The quick start's steps by {@code spark-submit} on a cluster of separate processes, from a shared folder and, with {@code -Phdfs}, from HDFS: the same files and figures as without it. */
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

    /** Where a command reads a file or folder from. */
    private interface Store {
        Object address(Path path, String name) throws IOException;
    }

    /** SHA-256 of what was trained, and bits per byte of the stitched model. */
    private List<String> quickStart(Path own, Path seed, Store store, Commands commands) throws IOException, InterruptedException {
        Object from = store.address(seed, "seed");
        String code = "code=" + store.address(lines("code.jsonl", "int f%d(int x) { return x * %d; }"), "code.jsonl");
        String math = "math=" + store.address(lines("math.jsonl", "From %d + %d it follows that the lemma holds."), "math.jsonl");
        String text = "text=" + store.address(lines("text.jsonl", "The weather of day %d was fair, and %d came."), "text.jsonl");
        String[] small = {"--steps", "6", "--batch", "2", "--sequence", "32", "--accumulation", "4", "--lanes", "2", "--seed", "7"};
        done(commands, with(small, "branch", from, own.resolve("experts"), "--train", "code=code:3,text", "--train", "math=math:3,text", "--data", code, "--data", math, "--data", text));
        done(commands, with(small, "train", from, "--data", text, "--hold-out", "10", "--out", own.resolve("prose")));
        done(commands, with(small, "stitch", from, "--expert", "code=" + store.address(own.resolve("experts/code"), "expert-code"), "--expert", "math=" + store.address(own.resolve("experts/math"), "expert-math"),
                "--stitches", "2", "--data", code, "--data", math, "--data", text, "--out", own.resolve("stitched")));
        StandaloneCluster.Result scored = commands.run("eval", own.resolve("stitched"), "--data", code, "--data", math, "--sequence", "32", "--json");
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

    private static void done(Commands commands, Object... arguments) throws IOException, InterruptedException {
        StandaloneCluster.Result result = commands.run(arguments);
        assertEquals(0, result.status(), result.err() + result.out());
        assertTrue(result.out().contains("Saved the "), result.out());
    }

    private static Object[] with(String[] more, Object... first) {
        return Stream.concat(Stream.of(first), Stream.of(more)).toArray();
    }

    private Path seed() throws IOException {
        Path seed = folder.resolve("seed");
        LlamaConfig small = LlamaConfig.builder().vocabSize(2048).hiddenSize(32).intermediateSize(64).numLayers(4).numHeads(4).numKvHeads(2).maxPositionEmbeddings(128).build();
        try (ExpertTraining random = ExpertTraining.fromScratch(small, 0.2, 1, Device.cpu())) {
            random.save(seed, Path.of(System.getProperty("bts4j.testData")).resolve("tokenizer"));
        }
        return seed;
    }

    private void sameOnACluster(Store store) throws Exception {
        Path seed = seed();
        List<String> here = quickStart(Files.createDirectory(folder.resolve("here")), seed, (path, name) -> path, SparkCommandsTest::bts);
        assertEquals(5, here.size(), here.toString());
        try (StandaloneCluster cluster = StandaloneCluster.start(Files.createDirectory(folder.resolve("cluster")))) {
            List<String> there = quickStart(Files.createDirectory(folder.resolve("there")), seed, store, cluster::submit);
            assertEquals(here, there);
            try (Stream<Path> logs = Files.walk(folder.resolve("cluster"))) {
                long executors = logs.filter(file -> file.endsWith("stderr")).map(file -> file.getName(file.getNameCount() - 4)).distinct().count();
                assertEquals(2, executors, "both workers had executors");
            }
        }
    }

    @Test
    void theQuickStartsStepsAreThoseOfOneProcess() throws Exception {
        sameOnACluster((path, name) -> path);
    }

    /** Seed, texts and experts are read from HDFS; what is written is on the shared file system. */
    @Test
    @EnabledIf("io.github.bts4j.spark.MiniHdfs#isThere")
    void theyAreFromAStore() throws Exception {
        List<String> addresses = new ArrayList<>();
        try (MiniHdfs hdfs = MiniHdfs.open(folder.resolve("hdfs"))) {
            sameOnACluster((path, name) -> {
                addresses.add(hdfs.put(path, name));
                return addresses.get(addresses.size() - 1);
            });
        }
        assertEquals(6, addresses.size());
        assertTrue(addresses.stream().allMatch(address -> address.startsWith("hdfs://")), addresses.toString());
    }
}
