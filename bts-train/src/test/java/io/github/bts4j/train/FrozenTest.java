package io.github.bts4j.train;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ai.djl.ndarray.NDArray;
import ai.djl.pytorch.engine.PtNDArray;
import ai.djl.pytorch.jni.JniUtils;
import io.github.bts4j.core.checkpoint.ModelFingerprint;
import io.github.bts4j.core.torch.llama.LlamaModel;
import io.github.bts4j.stitch.StitchedModel;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Training changes the stitch layers and nothing else. */
class FrozenTest {
    private static Map<String, String> files() throws IOException {
        Map<String, String> hashes = new TreeMap<>();
        for (String name : new String[] {"hub", "code", "math"}) {
            try (Stream<Path> files = Files.list(TinyRuns.golden("bts-3x4").resolve(name))) {
                for (Path file : files.toList()) {
                    hashes.put(name + "/" + file.getFileName(), ModelFingerprint.sha256(file));
                }
            }
        }
        return hashes;
    }

    private static Map<String, String> tensors(StitchedModel model) {
        Map<String, String> hashes = new TreeMap<>();
        for (int i = 0; i < model.models().size(); i++) {
            String prefix = model.members().get(i).name() + "/";
            TinyRuns.hashes(model.models().get(i).tensors()).forEach((name, hash) -> hashes.put(prefix + name, hash));
        }
        return hashes;
    }

    private static boolean requiresGradient(NDArray tensor) {
        return JniUtils.requiresGrad((PtNDArray) tensor);
    }

    @Test
    void fiveStepsChangeEveryStitchTensorAndNoFrozenOne() throws IOException {
        Map<String, String> files = files();
        assertEquals(9, files.size());
        try (StitchedModel model = TinyRuns.stitched(0.1)) {
            Map<String, String> frozen = tensors(model);
            assertEquals(3 * (3 + 9 * 4), frozen.size());
            Map<String, String> stitches = TinyRuns.hashes(model.stitchTensors());
            try (Trainer trainer = new Trainer(new StitchTraining(model), TinyRuns.data(), TinyRuns.config(5), metrics -> { })) {
                trainer.run();
                assertEquals(5, trainer.step());
                for (LlamaModel base : model.models()) {
                    base.tensors().forEach((name, tensor) -> assertFalse(requiresGradient(tensor) || tensor.hasGradient(), name));
                }
                model.stitchTensors().forEach((name, tensor) -> assertTrue(requiresGradient(tensor), name));
            }
            assertEquals(frozen, tensors(model));
            TinyRuns.hashes(model.stitchTensors()).forEach((name, hash) -> assertNotEquals(stitches.get(name), hash, name));
            model.stitchTensors().forEach((name, tensor) -> assertFalse(requiresGradient(tensor), name + " after the trainer was closed"));
        }
        assertEquals(files, files());
    }

    @Test
    void anExpertsTrainingDoesNotTouchItsSeed() throws IOException {
        Map<String, String> files = files();
        try (LlamaModel seed = LlamaModel.open(TinyRuns.golden("bts-3x4").resolve("hub"));
                ExpertTraining training = ExpertTraining.branch(seed);
                Trainer trainer = new Trainer(training, TinyRuns.data(), TinyRuns.config(3), metrics -> { })) {
            Map<String, String> before = TinyRuns.hashes(seed.tensors());
            assertEquals(before, TinyRuns.hashes(training.parameters()), "a branch begins as its seed");
            trainer.run();
            assertEquals(before, TinyRuns.hashes(seed.tensors()));
            TinyRuns.hashes(training.parameters()).forEach((name, hash) -> assertNotEquals(before.get(name), hash, name));
            seed.tensors().forEach((name, tensor) -> assertFalse(requiresGradient(tensor), name));
        }
        assertEquals(files, files());
    }

    /** An expert that keeps the seed's embeddings, final norm and head: those are the seed's bits, all else is trained, and by the same gradients as in a whole training. */
    @Test
    void anExpertCanKeepItsEmbeddings(@TempDir Path folder) throws IOException {
        Path seedFolder = TinyRuns.golden("bts-3x4").resolve("hub");
        Set<String> kept = Set.of("model.embed_tokens.weight", "model.norm.weight", "lm_head.weight");
        Map<String, String> whole = gradients(seedFolder, false);
        Map<String, String> part = gradients(seedFolder, true);
        assertTrue(whole.keySet().stream().anyMatch(kept::contains) && part.keySet().stream().noneMatch(kept::contains), whole.keySet() + " and " + part.keySet());
        whole.keySet().removeAll(kept);
        assertEquals(whole, part);
        try (LlamaModel seed = LlamaModel.open(seedFolder); ExpertTraining expert = ExpertTraining.branch(seed).withFrozenEmbeddings();
                Trainer trainer = new Trainer(expert, TinyRuns.data(), TinyRuns.config(4), metrics -> { })) {
            trainer.run();
            expert.save(folder, seedFolder);
            try (LlamaModel saved = LlamaModel.open(folder)) {
                Map<String, String> before = TinyRuns.hashes(seed.tensors());
                Map<String, String> after = TinyRuns.hashes(saved.tensors());
                assertEquals(before.keySet(), after.keySet());
                before.forEach((name, hash) -> assertEquals(kept.contains(name), hash.equals(after.get(name)), name));
            }
        }
    }

    private static Map<String, String> gradients(Path folder, boolean freeze) throws IOException {
        try (LlamaModel seed = LlamaModel.open(folder); ExpertTraining expert = ExpertTraining.branch(seed)) {
            Map<String, NDArray> trained = (freeze ? expert.withFrozenEmbeddings() : expert).parameters();
            trained.values().forEach(tensor -> tensor.setRequiresGradient(true));
            expert.accumulateGradients(new int[][] {{1, 5, 9, 2, 7, 3, 8, 4}}, 0.5f, 0);
            Map<String, NDArray> gradients = new TreeMap<>();
            trained.forEach((name, tensor) -> gradients.put(name, tensor.getGradient()));
            return new TreeMap<>(TinyRuns.hashes(gradients));
        }
    }
}
