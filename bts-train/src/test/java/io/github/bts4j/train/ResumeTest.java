package io.github.bts4j.train;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.github.bts4j.core.LockedException;
import io.github.bts4j.core.checkpoint.ModelFormatException;
import io.github.bts4j.core.llama.Precision;
import io.github.bts4j.core.torch.llama.LlamaModel;
import io.github.bts4j.core.torch.llama.LoadOptions;
import io.github.bts4j.core.torch.llama.Quantization;
import io.github.bts4j.stitch.StitchConfig;
import io.github.bts4j.stitch.StitchedModel;
import io.github.bts4j.train.data.Datamix;
import io.github.bts4j.train.optim.LearningRate;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Twenty steps, and ten in this process and ten in another: the same to the bit. And what is not resumed. */
class ResumeTest {
    @TempDir
    private Path folder;

    @ParameterizedTest
    @ValueSource(strings = {"stitch", "expert", "adapter"})
    void aRunThatGoesOnInAnotherProcessIsTheSameToTheBit(String kind) throws IOException, InterruptedException {
        List<String> whole = ChildRun.run(kind, folder.resolve("whole"), TinyRuns.config(20), 20);
        List<String> parts = new ArrayList<>(ChildRun.run(kind, folder.resolve("parts"), TinyRuns.config(20), 10).subList(0, 10));
        Path errors = folder.resolve("errors");
        Path result = folder.resolve("result");
        Process child = ChildRun.start(errors, kind, folder.resolve("parts"), 20, 20, 0, result);
        String out = new String(child.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertEquals(0, child.waitFor(), () -> out + read(errors));
        parts.addAll(Files.readAllLines(result));
        assertTrue(whole.size() > 20 && whole.get(19).startsWith("20 "), "twenty steps and the tensors");
        assertEquals(whole, parts);
    }

    private static String read(Path file) {
        try {
            return Files.readString(file);
        } catch (IOException e) {
            return e.toString();
        }
    }

    /** Two steps of a run, saved. */
    private Path begun() throws IOException {
        Path run = folder.resolve("run");
        ChildRun.run("stitch", run, TinyRuns.config(6), 2);
        return run;
    }

    private static String refusal(StitchedModel model, Datamix data, TrainerConfig config, Path run) throws IOException {
        try (Trainer trainer = new Trainer(new StitchTraining(model), data, config, metrics -> { })) {
            Map<String, String> before = TinyRuns.hashes(model.stitchTensors());
            String message = assertThrows(ResumeException.class, () -> trainer.resumeFrom(run)).getMessage();
            assertEquals(0, trainer.step());
            assertEquals(before, TinyRuns.hashes(model.stitchTensors()));
            assertTrue(message.contains("belongs to another run"), message);
            return message;
        }
    }

    @Test
    void anotherConfigurationIsRefused() throws IOException {
        Path run = begun();
        try (StitchedModel model = TinyRuns.stitched(0.1)) {
            TrainerConfig other = TrainerConfig.of(6, 4, TinyRuns.LENGTH, new LearningRate.Constant(0.125)).withSeed(9);
            String message = refusal(model, TinyRuns.data(), other, run);
            assertTrue(message.contains("configuration learningRate: saved WarmupLinear, now Constant; ")
                    && message.contains("configuration learningRate.peak: saved 0.005, now 0.125; ")
                    && message.endsWith("; ResumeChange.CONFIGURATION would allow a different configuration"), message);
            assertFalse(message.contains("TrainerConfig[") || message.contains("microBatch"), message);
            assertFalse(message.contains("data (fingerprint"), message);
            assertTrue(refusal(model, TinyRuns.data(), TinyRuns.config(6).withSeed(10), run).contains("configuration seed: saved 9, now 10"));
        }
    }

    @Test
    void howOftenCheckpointsAreWrittenMayChange() throws IOException {
        Path run = begun();
        assertEquals("3 ", ChildRun.run("stitch", run, TinyRuns.config(6).withCheckpoints(1, 3), 6).get(0).substring(0, 2));
        try (Stream<Path> files = Files.list(run)) {
            assertEquals(3, files.filter(file -> file.getFileName().toString().startsWith("checkpoint-")).count());
        }
    }

    @Test
    void otherDataIsRefused() throws IOException {
        Path run = begun();
        try (StitchedModel model = TinyRuns.stitched(0.1)) {
            String message = refusal(model, TinyRuns.data().withSeed(1), TinyRuns.config(6), run);
            assertTrue(message.contains("data (fingerprint of the datamix): saved " + TinyRuns.data().fingerprint()), message);
            assertFalse(message.contains("configuration "), message);
        }
    }

    @Test
    void otherBaseModelsAreRefusedByNameAndFile() throws IOException {
        Path run = begun();
        Path copy = folder.resolve("models");
        TinyRuns.copyFolder(TinyRuns.golden("bts-3x4"), copy);
        TinyRuns.flipByte(copy.resolve("code").resolve("model.safetensors"));
        try (StitchedModel model = TinyRuns.stitched(copy, 0.1, "hub", "code", "math")) {
            String message = refusal(model, TinyRuns.data(), TinyRuns.config(6), run);
            assertTrue(message.contains("1:code/model.safetensors: saved "), message);
            assertFalse(message.contains("math"), message);
        }
        try (StitchedModel model = TinyRuns.stitched(0.2)) {
            String message = refusal(model, TinyRuns.data(), TinyRuns.config(6), run);
            assertTrue(message.contains("stitch.dropout: saved 0.1, now 0.2"), message);
        }
        try (StitchedModel model = TinyRuns.stitched(TinyRuns.golden("bts-3x4"), 0.1, "hub", "code")) {
            String message = refusal(model, TinyRuns.data(), TinyRuns.config(6), run);
            assertTrue(message.contains("2:math/model.safetensors: saved ") && message.contains("now absent"), message);
        }
    }

    @Test
    void anExpertOfAnotherSizeIsRefused() throws IOException {
        Path run = folder.resolve("run");
        ChildRun.run("expert", run, TinyRuns.config(6), 2);
        try (LlamaModel seed = LlamaModel.open(TinyRuns.golden("bts-4x8").resolve("hub")); ExpertTraining training = ExpertTraining.branch(seed);
                Trainer trainer = new Trainer(training, TinyRuns.data(), TinyRuns.config(6), metrics -> { })) {
            String message = assertThrows(ResumeException.class, () -> trainer.resumeFrom(run)).getMessage();
            assertTrue(message.contains("model numLayers: saved 4, now 8") && !message.contains("["), message);
        }
    }

    @Test
    void aDamagedCheckpointIsRefusedAndNothingIsRestored() throws IOException {
        Path run = begun();
        Path checkpoint = RunCheckpoint.latest(run).orElseThrow();
        for (String name : List.of("weights.safetensors", "optimizer.safetensors", "state.json")) {
            Path file = checkpoint.resolve(name);
            byte[] whole = Files.readAllBytes(file);
            if (name.equals("state.json")) {
                Files.write(file, java.util.Arrays.copyOf(whole, whole.length / 2));
            } else {
                TinyRuns.flipByte(file);
            }
            assertDamaged(run, file);
            Files.write(file, whole);
        }
        assertEquals("3 ", ChildRun.run("stitch", run, TinyRuns.config(6), 3).get(0).substring(0, 2), "repaired");
    }

    @ParameterizedTest
    @ValueSource(strings = {"null", "{}", "[]", "{\"state\": null, \"files\": {}}", "{\"state\": {}, \"files\": {}}"})
    void aStateThatIsNoneIsRefused(String json) throws IOException {
        Path run = begun();
        Path file = Files.writeString(RunCheckpoint.latest(run).orElseThrow().resolve("state.json"), json);
        assertDamaged(run, file);
    }

    @Test
    void everyEntryOfTheStateIsNeeded() throws IOException {
        Path run = begun();
        Path file = RunCheckpoint.latest(run).orElseThrow().resolve("state.json");
        ObjectMapper json = new ObjectMapper();
        byte[] whole = Files.readAllBytes(file);
        for (String key : List.of("step", "position", "tokensSeen", "seed", "config", "data", "model")) {
            ObjectNode stored = (ObjectNode) json.readTree(whole);
            ((ObjectNode) stored.get("state")).remove(key);
            json.writeValue(file.toFile(), stored);
            assertDamaged(run, file);
        }
    }

    private static void assertDamaged(Path run, Path file) throws IOException {
        try (StitchedModel model = TinyRuns.stitched(0.1);
                Trainer trainer = new Trainer(new StitchTraining(model), TinyRuns.data(), TinyRuns.config(6), metrics -> { })) {
            Map<String, String> before = TinyRuns.hashes(model.stitchTensors());
            ModelFormatException damaged = assertThrows(ModelFormatException.class, () -> trainer.resumeFrom(run));
            assertEquals(file, damaged.file());
            assertEquals(0, trainer.step());
            assertEquals(before, TinyRuns.hashes(model.stitchTensors()));
        }
    }

    @Test
    void aDamagedNewestCheckpointGivesWayToTheOneBefore() throws IOException {
        Path run = folder.resolve("run");
        ChildRun.run("stitch", run, TinyRuns.config(6).withCheckpoints(1, 3), 3);
        TinyRuns.flipByte(run.resolve("checkpoint-0000000003/weights.safetensors"));
        Files.delete(run.resolve("checkpoint-0000000002/optimizer.safetensors"));
        TinyRuns.Record record = new TinyRuns.Record();
        try (StitchedModel model = TinyRuns.stitched(0.1);
                Trainer trainer = new Trainer(new StitchTraining(model), TinyRuns.data(), TinyRuns.config(6), record).saveTo(run)) {
            assertTrue(trainer.resumeFrom(run));
            assertEquals(1, trainer.step());
            assertTrue(record.messages.stream().anyMatch(message -> message.contains("checkpoint-0000000003/weights.safetensors") && message.contains("the checkpoint is damaged")
                    && message.endsWith("Resuming from checkpoint-0000000001")), record.messages.toString());
            trainer.run();
        }
        assertEquals(ChildRun.run("stitch", folder.resolve("whole"), TinyRuns.config(6), 6).subList(6, 7), ChildRun.run("stitch", run, TinyRuns.config(6), 6).subList(0, 1),
                "the run is what it would have been");
    }

    @Test
    @SuppressWarnings("ReferenceEquality")
    void anotherStartIsAnotherRun() throws IOException {
        Path run = folder.resolve("run");
        TinyRuns.textModels(folder, "one", "two");
        try (LlamaModel one = LlamaModel.open(folder.resolve("one")); ExpertTraining training = ExpertTraining.branch(one);
                Trainer trainer = new Trainer(training, TinyRuns.data(), TinyRuns.config(3), metrics -> { }).saveTo(run)) {
            trainer.run();
        }
        LoadOptions rounded = LoadOptions.defaults().withPrecision(Precision.BFLOAT16);
        for (LoadOptions options : List.of(LoadOptions.defaults(), rounded)) {
            Path base = folder.resolve(options == rounded ? "one" : "two");
            try (LlamaModel other = LlamaModel.open(base, options); ExpertTraining training = ExpertTraining.branch(other);
                    Trainer trainer = new Trainer(training, TinyRuns.data(), TinyRuns.config(3), metrics -> { })) {
                String message = assertThrows(ResumeException.class, () -> trainer.resumeFrom(run)).getMessage();
                assertTrue(message.contains("weights that the training starts from, SHA-256: saved "), message);
            }
        }
    }

    @Test
    void theTypeThatFrozenModelsComputeInIsPartOfAStitchRun() throws IOException {
        Path run = begun();
        Path root = TinyRuns.golden("bts-3x4");
        for (LoadOptions options : List.of(LoadOptions.defaults().withPrecision(Precision.BFLOAT16), LoadOptions.defaults().withQuantization(Quantization.INT8))) {
            try (StitchedModel model = StitchedModel.builder().config(StitchConfig.evenly(4, 2).withDropout(0.1)).hub(root.resolve("hub")).expert("code", root.resolve("code"))
                    .expert("math", root.resolve("math")).options(options).open();
                    Trainer trainer = new Trainer(new StitchTraining(model), TinyRuns.data(), TinyRuns.config(6), metrics -> { })) {
                String message = assertThrows(ResumeException.class, () -> trainer.resumeFrom(run)).getMessage();
                assertTrue(message.contains("hub computes in: saved FLOAT32, now " + (options.quantization().isPresent() ? "FLOAT32 from int8" : "BFLOAT16")), message);
            }
        }
    }

    @Test
    void oneTrainerAtATimeWritesIntoARunsFolder() throws IOException {
        Path run = folder.resolve("run");
        try (StitchedModel model = TinyRuns.stitched(0.1); StitchedModel another = TinyRuns.stitched(0.1);
                Trainer first = new Trainer(new StitchTraining(model), TinyRuns.data(), TinyRuns.config(6), metrics -> { }).saveTo(run)) {
            String message = assertThrows(LockedException.class,
                    () -> new Trainer(new StitchTraining(another), TinyRuns.data(), TinyRuns.config(6), metrics -> { }).saveTo(run)).getMessage();
            assertEquals("The run in " + run + " is already being trained: wait for it to end, or use another folder", message);
            first.runTo(1);
        }
        try (StitchedModel model = TinyRuns.stitched(0.1); Trainer next = new Trainer(new StitchTraining(model), TinyRuns.data(), TinyRuns.config(6), metrics -> { }).saveTo(run)) {
            assertTrue(next.resumeFrom(run), "free again");
        }
    }

    @Test
    void withoutACheckpointNothingIsResumed() throws IOException {
        try (StitchedModel model = TinyRuns.stitched(0.1);
                Trainer trainer = new Trainer(new StitchTraining(model), TinyRuns.data(), TinyRuns.config(6), metrics -> { })) {
            assertFalse(trainer.resumeFrom(folder.resolve("nowhere")));
            assertFalse(trainer.resumeFrom(folder));
            assertEquals(0, trainer.step());
        }
    }

    @Test
    void aFinishedRunGoesNoFurther() throws IOException {
        Path run = folder.resolve("run");
        List<String> first = ChildRun.run("stitch", run, TinyRuns.config(3), 3);
        List<String> again = ChildRun.run("stitch", run, TinyRuns.config(3), 3);
        assertEquals(first.subList(3, first.size()), again, "no step, the same weights");
        IllegalArgumentException refused = assertThrows(IllegalArgumentException.class, () -> ChildRun.run("stitch", run, TinyRuns.config(3), 4));
        assertTrue(refused.getMessage().contains("lastStep = 4 is beyond totalSteps = 3"), refused.getMessage());
    }
}
