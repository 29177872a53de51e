package io.github.bts4j.train;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ai.djl.Device;
import ai.djl.ndarray.NDArray;
import io.github.bts4j.core.llama.LlamaConfig;
import java.util.LinkedHashMap;
import java.util.Map;

/** Gradients of small trainings, and how close they must be. */
final class Gradients {
    private Gradients() {}

    /** An expert with random weights, of which every one requires a gradient. */
    static ExpertTraining expert() {
        LlamaConfig config = LlamaConfig.builder().vocabSize(TinyRuns.VOCAB).hiddenSize(32).intermediateSize(64).numLayers(3).numHeads(4)
                .numKvHeads(2).maxPositionEmbeddings(64).tieWordEmbeddings(false).build();
        ExpertTraining expert = ExpertTraining.fromScratch(config, 0.2, 5, Device.cpu());
        expert.parameters().values().forEach(tensor -> tensor.setRequiresGradient(true));
        return expert;
    }

    /** The gradients, which are zero afterwards. */
    static Map<String, float[]> take(Trainable training) {
        Map<String, float[]> gradients = new LinkedHashMap<>();
        training.parameters().forEach((name, tensor) -> {
            try (NDArray gradient = tensor.getGradient()) {
                gradients.put(name, gradient.toFloatArray());
                gradient.muli(0); // NDArray.set would lend it a Java buffer, which dies with the NDArray
            }
        });
        return gradients;
    }

    /** A gradient is a sum over the tokens through a chain of twice the length, the stitches' of a sum that may be nothing but rounding. */
    static void assertClose(Map<String, float[]> expected, Map<String, float[]> found) {
        assertEquals(expected.keySet(), found.keySet());
        expected.forEach((name, gradient) -> {
            float largest = 0;
            for (float value : gradient) {
                largest = Math.max(largest, Math.abs(value));
            }
            assertTrue(largest > 0 || name.startsWith("stitch"), name + " has no gradient");
            assertArrayEquals(gradient, found.get(name), (float) TinyRuns.tolerance().times(3).of(largest) + 1e-9f, name);
        });
    }
}
