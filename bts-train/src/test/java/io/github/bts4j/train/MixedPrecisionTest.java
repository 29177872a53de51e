package io.github.bts4j.train;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ai.djl.ndarray.types.DataType;
import io.github.bts4j.core.llama.Precision;
import io.github.bts4j.core.support.ElementType;
import io.github.bts4j.core.torch.llama.LlamaModel;
import io.github.bts4j.core.torch.llama.LoadOptions;
import io.github.bts4j.stitch.baseline.UpcycledConfig;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Passes in bfloat16 over weights in float32; {@link SftStepGoldenTest} compares their gradients with transformers'. */
class MixedPrecisionTest {
    private static final int[][] TOKENS = {{5, 17, 3, 99, 20, 41, 7}, {8, 2, 64, 33, 12, 90, 1}};

    @TempDir
    private Path folder;

    private static LlamaModel model(Precision precision) throws IOException {
        return LlamaModel.open(TinyRuns.golden("llama2-gqa"), LoadOptions.defaults().withPrecision(precision));
    }

    @Test
    void lossesAreThoseOfTheModelInBfloat16() throws IOException {
        try (LlamaModel whole = model(Precision.FLOAT32); LlamaModel rounded = model(Precision.BFLOAT16); ExpertTraining plain = ExpertTraining.branch(whole);
                ExpertTraining mixed = ExpertTraining.branch(whole).withMixedPrecision()) {
            float[][] wanted = rounded.tokenLosses(TOKENS);
            float[][] found = mixed.tokenLosses(TOKENS);
            for (int row = 0; row < TOKENS.length; row++) {
                assertArrayEquals(wanted[row], found[row], 1e-5f);
            }
            assertNotEquals(plain.tokenLosses(TOKENS)[0][0], found[0][0]);
            mixed.parameters().values().forEach(tensor -> assertEquals(DataType.FLOAT32, tensor.getDataType()));
        }
    }

    /** Without tensors there is nothing to compute with. */
    @Test
    void aFailedChangeOfTheTypeLeavesTheTrainingAsItWas() throws IOException {
        try (LlamaModel model = model(Precision.FLOAT32); ExpertTraining training = ExpertTraining.branch(model)) {
            float[][] before = training.tokenLosses(TOKENS);
            assertThrows(RuntimeException.class, () -> training.computeIn(ElementType.BFLOAT16, Map.of()));
            assertArrayEquals(before, training.tokenLosses(TOKENS));
        }
    }

    /** Soft routing between two experts, with and without attention experts. */
    @Test
    void upcycledGradientsAreTheSameUpToRounding() throws IOException {
        for (boolean attention : List.of(false, true)) {
            try (LlamaModel model = model(Precision.FLOAT32); LlamaModel other = model(Precision.BFLOAT16)) {
                UpcycledConfig config = new UpcycledConfig(model.config(), List.of("a", "b"), false, attention, false);
                try (UpcycledTraining plain = new UpcycledTraining(config, List.of(model, other)); UpcycledTraining mixed = new UpcycledTraining(config, List.of(model, other)).withMixedPrecision()) {
                    Map<String, float[]> wanted = gradients(plain);
                    Map<String, float[]> found = gradients(mixed);
                    assertEquals(wanted.keySet(), found.keySet());
                    wanted.forEach((name, gradient) -> {
                        double error = Gradients.distance(gradient, found.get(name));
                        assertTrue(name.contains("router") || error > 0 && error < Gradients.BFLOAT16, name + " is off by " + error);
                    });
                }
            }
        }
    }

    private static Map<String, float[]> gradients(UpcycledTraining training) {
        training.parameters().values().forEach(tensor -> tensor.setRequiresGradient(true));
        training.accumulateGradients(TOKENS, 1, 0);
        return Gradients.take(training);
    }

    /** A step far below bfloat16's resolution is not lost. */
    @Test
    void smallStepsAddUpAndTheTypeIsPartOfARun() throws IOException {
        try (LlamaModel model = model(Precision.FLOAT32); ExpertTraining mixed = ExpertTraining.branch(model).withMixedPrecision().withFrozenEmbeddings();
                Trainer trainer = new Trainer(mixed, TinyRuns.data(), TinyRuns.config(3), metrics -> { }).saveTo(folder)) {
            float before = mixed.parameters().get("model.layers.0.self_attn.q_proj.weight").toFloatArray()[0];
            trainer.runTo(2);
            assertNotEquals(before, mixed.parameters().get("model.layers.0.self_attn.q_proj.weight").toFloatArray()[0]);
        }
        try (LlamaModel model = model(Precision.FLOAT32); ExpertTraining plain = ExpertTraining.branch(model).withFrozenEmbeddings();
                Trainer trainer = new Trainer(plain, TinyRuns.data(), TinyRuns.config(3), metrics -> { }).saveTo(folder)) {
            String message = assertThrows(ResumeException.class, () -> trainer.resumeFrom(folder)).getMessage();
            assertTrue(message.contains("computed in"), message);
        }
    }
}
