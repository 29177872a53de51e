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
    /** How far gradients in bfloat16 may be off, by {@link #distance}: with this small model's random weights, transformers' own are off by up to 0.049. */
    static final double BFLOAT16 = 0.06;

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

    /** The distance of two vectors, relative to the first. */
    static double distance(float[] wanted, float[] found) {
        double off = 0;
        double all = 0;
        for (int i = 0; i < wanted.length; i++) {
            off += Math.pow(wanted[i] - found[i], 2);
            all += Math.pow(wanted[i], 2);
        }
        return Math.sqrt(off / all);
    }
}
