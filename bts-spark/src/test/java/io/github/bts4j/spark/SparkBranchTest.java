package io.github.bts4j.spark;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.bts4j.core.TrainingException;
import io.github.bts4j.core.checkpoint.ModelFingerprint;
import io.github.bts4j.core.torch.llama.LlamaModel;
import io.github.bts4j.train.BranchStep;
import io.github.bts4j.train.BranchedExpert;
import io.github.bts4j.train.ExpertTraining;
import io.github.bts4j.train.RunCheckpoint;
import io.github.bts4j.train.TinyRuns;
import io.github.bts4j.train.TokenMix;
import io.github.bts4j.train.Trainer;
import io.github.bts4j.train.TrainerConfig;
import io.github.bts4j.train.data.TokenDataset;
import io.github.bts4j.train.data.TokenFolder;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import org.apache.spark.sql.SparkSession;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Experts that are trained by two tasks at once, and the same one after the other in this process: the same files. */
class SparkBranchTest {
    @TempDir
    private Path folder;

    /** A dataset on the disk. */
    static String tokens(Path folder, String name, int factor, int add) throws IOException {
        TokenDataset dataset = TinyRuns.domain(name, factor, add);
        Path path = Files.createDirectories(folder.resolve("tokens-" + name));
        try (TokenFolder.Writer writer = TokenFolder.writer(path, name)) {
            writer.add(dataset.document(0), dataset.bytes());
            writer.end();
        }
        return path.toString();
    }

    static TokenMix mix(Path folder, String name, int factor) throws IOException {
        return new TokenMix(List.of(new TokenMix.Part("general", tokens(folder.resolve(name), "general", 3, 7), 1), new TokenMix.Part(name, tokens(folder.resolve(name), name, factor, 5), 2)), 4);
    }

    static TrainerConfig config() {
        return Runs.config(8, 1, 1).withCheckpoints(3, 2);
    }

    /** The SHA-256 of an expert's weights after a run in this process. */
    static String here(Path folder, TokenMix mix, Path seed) throws IOException {
        try (LlamaModel model = LlamaModel.open(seed); ExpertTraining training = ExpertTraining.branch(model)) {
            try (Trainer trainer = new Trainer(training, mix.open(SharedFiles::local), config(), metrics -> { })) {
                trainer.run();
            }
            training.save(folder, seed);
        }
        return ModelFingerprint.sha256(folder.resolve("model.safetensors"));
    }

    SparkSession session() {
        return Runs.session();
    }

    @Test
    void expertsAreThoseOfOneProcess() throws IOException {
        Path seed = TinyRuns.textModel(folder.resolve("seed"), 5);
        TokenMix code = mix(folder, "code", 11);
        TokenMix math = mix(folder, "math", 13);
        List<String> expected = List.of(here(folder.resolve("code-here"), code, seed), here(folder.resolve("math-here"), math, seed));
        List<BranchStep> steps = Collections.synchronizedList(new ArrayList<>());
        try (SparkSession spark = session()) {
            SparkBranch branch = SparkBranch.on(spark).seed(seed.toString()).expert("code", code).expert("math", math).config(config()).into(folder.resolve("shared")).listener(steps::add);
            List<BranchedExpert> experts = branch.run();
            assertEquals(expected, experts.stream().map(BranchedExpert::sha256).toList());
            assertEquals(List.of("code", "math"), experts.stream().map(BranchedExpert::name).toList());
            assertTrue(steps.stream().anyMatch(step -> step.expert().equals("math") && step.step() == 8 && step.totalSteps() == 8), steps.toString());
            assertEquals(8, Files.readAllLines(folder.resolve("shared/code-run/metrics.jsonl")).stream().filter(line -> line.contains("\"loss\"")).count());
            assertTrue(Files.exists(folder.resolve("shared/code/tokenizer.json")));
            var written = Files.getLastModifiedTime(folder.resolve("shared/code/model.safetensors"));
            assertEquals(experts, branch.run(), "finished experts are found");
            assertEquals(written, Files.getLastModifiedTime(folder.resolve("shared/code/model.safetensors")));
            Path half = folder.resolve("half/code-run");
            try (LlamaModel model = LlamaModel.open(seed); ExpertTraining training = ExpertTraining.branch(model); Trainer trainer = new Trainer(training, code.open(SharedFiles::local), config(), metrics -> { }).saveTo(half)) {
                trainer.runTo(5); // as of a driver that was lost
            }
            assertEquals(5, RunCheckpoint.state(RunCheckpoint.latest(half).orElseThrow()).step());
            assertEquals(expected.get(0), SparkBranch.on(spark).seed(seed.toString()).expert("code", code).config(config()).into(folder.resolve("half")).run().get(0).sha256());
        }
    }

    @Test
    void mistakesAreOneLine() throws IOException {
        TokenMix mix = mix(folder, "code", 11);
        try (SparkSession spark = session()) {
            SparkBranch branch = SparkBranch.on(spark).seed(folder.resolve("none").toString()).expert("code", mix).config(config()).into(folder.resolve("shared"));
            String message = assertThrows(TrainingException.class, branch::run).getMessage();
            assertTrue(message.startsWith(folder.resolve("none") + " does not exist: every executor needs it under this path") && message.lines().count() == 1, message);
            assertTrue(assertThrows(IllegalArgumentException.class, () -> branch.expert("../up", mix)).getMessage().contains("the name of a folder"));
            assertTrue(assertThrows(IllegalArgumentException.class, () -> branch.expert("code", mix)).getMessage().contains("twice"));
            assertTrue(assertThrows(IllegalStateException.class, () -> SparkBranch.on(spark).run()).getMessage().contains("seed(address)"));
        }
    }
}
