package io.github.bts4j.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ai.djl.Device;
import io.github.bts4j.core.checkpoint.FolderContent;
import io.github.bts4j.core.llama.LlamaConfig;
import io.github.bts4j.train.ExpertTraining;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

/** The command line with {@code --master local[2]}, and without: the same output and the same files. */
class SparkCommandsTest {
    private static final Path DATA = Path.of(System.getProperty("bts4j.testData"));

    @TempDir
    private static Path folder;

    private static Path seed;
    private static Path code;
    private static Path text;

    @BeforeAll
    static void prepare() throws IOException {
        seed = folder.resolve("seed");
        LlamaConfig small = LlamaConfig.builder().vocabSize(2048).hiddenSize(32).intermediateSize(64).numLayers(2).numHeads(4).numKvHeads(2).maxPositionEmbeddings(128).build();
        try (ExpertTraining random = ExpertTraining.fromScratch(small, 0.2, 1, Device.cpu())) {
            random.save(seed, DATA.resolve("tokenizer"));
        }
        code = lines("code.jsonl", "int f%d(int x) { return x * %d; }");
        text = lines("text.jsonl", "The weather of day %d was fair, and été %d came. \uD83E\uDD8A");
    }

    private static Path lines(String name, String pattern) throws IOException {
        List<String> lines = new ArrayList<>();
        for (int i = 0; i < 30; i++) {
            lines.add("{\"text\": \"" + String.format(pattern, i, 7 * i).repeat(3) + "\"}");
        }
        return Files.write(folder.resolve(name), lines);
    }

    static StandaloneCluster.Result bts(Object... arguments) {
        StringWriter out = new StringWriter();
        StringWriter err = new StringWriter();
        int status = Bts.run(Arrays.stream(arguments).map(Object::toString).toArray(String[]::new), new PrintWriter(out, true), new PrintWriter(err, true));
        return new StandaloneCluster.Result(status, out.toString(), err.toString());
    }

    private static StandaloneCluster.Result done(Object... arguments) {
        StandaloneCluster.Result result = bts(arguments);
        assertEquals(0, result.status(), result.err() + result.out());
        return result;
    }

    private static void refused(int status, String message, Object... arguments) {
        StandaloneCluster.Result result = bts(arguments);
        assertEquals(status, result.status(), result.err() + result.out());
        assertTrue(result.err().contains(message), "missing\n" + message + "\nin\n" + result.err());
        assertEquals(1, result.err().lines().filter(line -> line.startsWith("bts")).count(), result.err());
    }

    @Test
    void tokensAreTheSameFiles() throws IOException {
        Path here = folder.resolve("tokens-here");
        Path there = folder.resolve("tokens-there");
        done("tokenize", seed, here, "--data", "code=" + code, "--data", "text=" + text, "--eos");
        StandaloneCluster.Result result = done("tokenize", seed, there, "--data", "code=" + code, "--data", "text=" + text, "--eos", "--master", "local[2]");
        assertTrue(result.out().startsWith("code: 30 documents, "), result.out());
        assertEquals(FolderContent.of(here), FolderContent.of(there));
        assertTrue(FolderContent.of(here).size() >= 6, () -> here + " holds two datasets");
        Path broken = Files.writeString(folder.resolve("broken.jsonl"), "{\"text\": \"a\"}\n{\"text\": 5}\n");
        refused(1, "broken.jsonl:2", "tokenize", seed, folder.resolve("none"), "--data", "code=" + broken, "--master", "local[2]");
    }

    /** Drawn, not only the most likely: each prompt has a seed of its own. */
    @Test
    void continuationsAreTheSameLines() throws IOException {
        Path prompts = Files.writeString(folder.resolve("prompts.jsonl"), "{\"q\": \"int f\"}\n{\"q\": \"The weather\"}\n{\"q\": \"int f\"}\n");
        String here = done("generate", seed, "--prompts", prompts, "--field", "q", "--max-tokens", 6, "--seed", 5).out();
        assertEquals(3, here.lines().distinct().count(), here);
        assertTrue(here.lines().allMatch(line -> line.startsWith("{\"prompt\":")), here);
        assertEquals(here, done("generate", seed, "--prompts", prompts, "--field", "q", "--max-tokens", 6, "--seed", 5, "--master", "local[2]").out());
        refused(2, "needs no cluster", "generate", seed, "int", "--master", "local[2]");
        refused(2, "exclude each other", "generate", seed, "int", "--prompts", prompts);
        refused(2, "PROMPT is missing", "generate", seed);
    }

    private static Object[] branch(Path out, Object... more) {
        List<Object> all = new ArrayList<>(List.of("branch", seed, out, "--train", "code=code:3,text", "--train", "text=text", "--data", "code=" + code, "--data", "text=" + text, "--steps", 4, "--batch", 2,
                "--sequence", 24, "--seed", 3));
        all.addAll(List.of(more));
        return all.toArray();
    }

    @Test
    void expertsAreThoseOfTheirOwnTrainings() throws IOException {
        Path alone = folder.resolve("alone");
        done("train", seed, "--data", "code=" + code, "--data", "text=" + text, "--weight", "code=3", "--steps", 4, "--batch", 2, "--sequence", 24, "--seed", 3, "--out", alone);
        Path here = folder.resolve("experts-here");
        Path there = folder.resolve("experts-there");
        done(branch(here));
        StandaloneCluster.Result spark = done(branch(there, "--master", "local[2]"));
        assertTrue(spark.err().contains("expert code: step 4/4 loss "), spark.err());
        for (String name : List.of("code", "text")) {
            assertEquals(FolderContent.of(here.resolve(name)), FolderContent.of(there.resolve(name)));
            assertEquals(Files.readAllLines(here.resolve(name + "-run/metrics.jsonl")).size(), Files.readAllLines(there.resolve(name + "-run/metrics.jsonl")).size());
        }
        assertEquals(FolderContent.of(alone), FolderContent.of(there.resolve("code")));
        assertTrue(!FolderContent.of(here.resolve("code")).equals(FolderContent.of(here.resolve("text"))));
        assertEquals(spark.out(), done(branch(there, "--master", "local[2]")).out(), "finished experts are found");
        refused(1, "belongs to another run", branch(there, "--lr", 0.5, "--master", "local[2]"));
        refused(1, "belongs to another run", branch(there, "--lr", 0.5));
    }

    /** Both experts finish their steps and save; the same command resumes them. */
    @Test
    @Tag("slow")
    @EnabledOnOs({OS.LINUX, OS.MAC})
    void ctrlCSavesAllExperts() throws Exception {
        Object[] interrupted = branch(folder.resolve("interrupted"), "--steps", 300, "--save-every", 0, "--master", "local[2]");
        List<String> command = new ArrayList<>(List.of(Path.of(System.getProperty("java.home"), "bin", "java").toString(), "-Xmx1g", "--enable-native-access=ALL-UNNAMED", "-cp", System.getProperty("java.class.path"),
                Bts.class.getName()));
        Arrays.stream(interrupted).map(Object::toString).forEach(command::add);
        Path log = folder.resolve("interrupted.log");
        ProcessBuilder builder = new ProcessBuilder(command).redirectErrorStream(true).redirectOutput(log.toFile());
        builder.environment().put("OMP_NUM_THREADS", "1");
        Process process = builder.start();
        for (String name : List.of("code", "text")) {
            Path metrics = folder.resolve("interrupted").resolve(name + "-run/metrics.jsonl");
            for (int i = 0; i < 6000 && (!Files.exists(metrics) || Files.size(metrics) < 1000); i++) {
                Thread.sleep(20);
            }
        }
        assertEquals(0, new ProcessBuilder("kill", "-INT", String.valueOf(process.pid())).start().waitFor());
        assertTrue(process.waitFor(5, TimeUnit.MINUTES));
        assertEquals(130, process.exitValue(), Files.readString(log));
        for (String name : List.of("code", "text")) {
            try (Stream<Path> files = Files.list(folder.resolve("interrupted").resolve(name + "-run"))) {
                assertEquals(1, files.filter(file -> file.getFileName().toString().startsWith("checkpoint-")).count(), Files.readString(log));
            }
            assertTrue(!Files.exists(folder.resolve("interrupted").resolve(name)), "it was stopped before the end");
        }
        done(interrupted);
        done(branch(folder.resolve("uninterrupted"), "--steps", 300, "--save-every", 0));
        for (String name : List.of("code", "text")) {
            assertEquals(FolderContent.of(folder.resolve("uninterrupted").resolve(name)), FolderContent.of(folder.resolve("interrupted").resolve(name)));
        }
    }

    @Test
    void optionsThatDoNothingAreRefused() {
        Path copy = folder.resolve("copy");
        refused(2, "--master needs --train: copies are not trained", "branch", seed, copy, "--master", "local[2]");
        refused(2, "--steps needs --train", "branch", seed, copy, "--steps", 5);
        refused(2, "no expert is trained on it", "branch", seed, copy, "--train", "code=code", "--data", "code=" + code, "--data", "text=" + text);
        refused(2, "there is no domain 'math', only [code]", "branch", seed, copy, "--train", "code=math", "--data", "code=" + code);
        refused(2, "'code:0' must be DOMAIN or DOMAIN:WEIGHT", "branch", seed, copy, "--train", "code=code:0", "--data", "code=" + code);
        refused(2, "--lanes 2 is above --accumulation 1", branch(copy, "--lanes", 2));
        refused(2, "is no address of Spark's", branch(copy, "--master", "remote"));
    }

    /** Every stage as a task: the seed, two experts at once, then the methods. */
    @Test
    @Tag("slow")
    void anExperimentHasTheSameResults() throws IOException {
        String[] lines = {"output: out", "tokenizer: " + DATA.resolve("tokenizer"), "frozen-precision: FLOAT32", "sequence-length: 48", "general: text", "domains:",
            "  text: {train: text.jsonl, held-out: text.jsonl}", "  code: {train: code.jsonl, held-out: code.jsonl}", "model: {hidden-size: 16, intermediate-size: 24, layers: 4, heads: 2, deviation: 0.1}",
            "seed: " + training("text: 2, code: 1"), "experts-keep-embeddings: true", "experts:", "  code: " + training("code: 1"), "  prose: " + training("text: 1"), "trainings:",
            "  short: " + training("text: 1, code: 1"), "projection-rate: 0.1", "methods:", "  BTM: {kind: btm}", "  soup: {kind: soup}",
            "  BTS: {kind: stitch, stitches: 2, alternating: true, dropout: 0.1, init: EXPERTS, models: [seed, code, prose], training: short, seeds: [0, 1]}",
            "evaluation: {domains: [text, code], cloze: [], windows: 4, items: 0, problems: 0, method-bodies: 0, tasks-for: [BTS]}", "tables: {}"};
        List<Map<String, String>> found = new ArrayList<>();
        for (String place : List.of("here", "there")) {
            Path own = Files.createDirectories(folder.resolve("experiment-" + place));
            Files.copy(text, own.resolve("text.jsonl"));
            Files.copy(code, own.resolve("code.jsonl"));
            Path file = Files.write(own.resolve("tiny.yaml"), List.of(lines));
            Object[] master = place.equals("here") ? new Object[0] : new Object[] {"--master", "local[2]"};
            done(Stream.concat(Stream.of("experiment", file), Arrays.stream(master)).toArray());
            Map<String, String> content = FolderContent.of(own.resolve("out"));
            content.keySet().removeIf(name -> !name.matches(".*(safetensors|results\\.json|positions\\.json)"));
            found.add(content);
        }
        assertTrue(found.get(0).size() > 12, found.toString());
        assertEquals(found.get(0), found.get(1));
    }

    private static String training(String mix) {
        return "{steps: 4, batch: 2, learning-rate: 1.0e-3, floor: 0.1, weight-decay: 0.1, switching: 0, mix: {" + mix + "}}";
    }
}
