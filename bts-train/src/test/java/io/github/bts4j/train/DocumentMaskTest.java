package io.github.bts4j.train;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.github.bts4j.core.torch.ActivationCheckpointing;
import io.github.bts4j.core.torch.llama.DocumentMask;
import io.github.bts4j.stitch.FrozenStateCache;
import io.github.bts4j.stitch.PassOptions;
import io.github.bts4j.stitch.StitchedModel;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Map;
import java.util.Random;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** With the mask, a sequence of two documents gives the losses and gradients that the documents give each by itself. */
class DocumentMaskTest {
    private static final int BOS = 1;
    private static final int EOS = 2;
    private static final int FIRST = 9;
    private static final int SECOND = 14;

    @TempDir
    Path folder;

    private static int[] document(long seed, int length, boolean begins) {
        int[] ids = new Random(seed).ints(length, 3, TinyRuns.VOCAB).toArray();
        ids[begins ? 0 : length - 1] = begins ? BOS : EOS;
        return ids;
    }

    private static int[] joined(int[] a, int... b) {
        return IntStream.concat(Arrays.stream(a), Arrays.stream(b)).toArray();
    }

    /** Losses and gradients of the documents apart, and of the sequence that holds both. */
    private static void compare(Trainable masked, Trainable plain, boolean begins) {
        int[] first = document(7, FIRST, begins);
        int[] second = document(8, SECOND, begins);
        float[] firstLosses = plain.accumulateGradients(new int[][] {joined(first, second[0])}, 0.1f, 0);
        float[] secondLosses = plain.accumulateGradients(new int[][] {second}, 0.1f, 0);
        Map<String, float[]> expected = Gradients.take(plain);
        float[] losses = masked.accumulateGradients(new int[][] {joined(first, second)}, 0.1f, 0);
        Map<String, float[]> found = Gradients.take(masked);
        float[] all = new float[losses.length];
        System.arraycopy(firstLosses, 0, all, 0, FIRST);
        System.arraycopy(secondLosses, 0, all, FIRST, SECOND - 1);
        TinyRuns.tolerance().assertLossesClose("apart", all, losses);
        Gradients.assertClose(expected, found);
        float[] unmasked = plain.accumulateGradients(new int[][] {joined(first, second)}, 0.1f, 0);
        Gradients.take(plain);
        TinyRuns.tolerance().assertLossesClose("the first", firstLosses, Arrays.copyOf(unmasked, FIRST));
        assertNotEquals(secondLosses[SECOND - 2], unmasked[unmasked.length - 1], 1e-4f, "without the mask the second document sees the first");

        float[] rows = masked.accumulateGradients(new int[][] {joined(first, second), joined(document(9, SECOND, begins), document(10, FIRST, begins))}, 0.1f, 0);
        Gradients.take(masked);
        TinyRuns.tolerance().assertLossesClose("every row has its own documents", losses, Arrays.copyOf(rows, losses.length));
    }

    @Test
    void anExpert() {
        for (ActivationCheckpointing checkpointing : ActivationCheckpointing.values()) {
            try (ExpertTraining plain = Gradients.expert(); ExpertTraining begins = Gradients.expert(); ExpertTraining ends = Gradients.expert()) {
                compare(begins.withDocumentMask(DocumentMask.beginningWith(BOS)).withCheckpointing(checkpointing), plain, true);
                compare(ends.withDocumentMask(DocumentMask.endingWith(EOS)).withCheckpointing(checkpointing), plain, false);
            }
        }
    }

    @Test
    void stitches() throws IOException {
        for (ActivationCheckpointing checkpointing : ActivationCheckpointing.values()) {
            stitches(PassOptions.DEFAULT.withCheckpointing(checkpointing), PassOptions.DEFAULT);
        }
    }

    private static void stitches(PassOptions options, PassOptions plainOptions) throws IOException {
        try (StitchedModel model = TinyRuns.stitched(0)) {
            model.stitchTensors().values().forEach(tensor -> tensor.setRequiresGradient(true));
            StitchTraining plain = new StitchTraining(model).withOptions(plainOptions);
            compare(new StitchTraining(model).withOptions(options.withDocumentMask(DocumentMask.beginningWith(BOS))), plain, true);
            compare(new StitchTraining(model).withOptions(options.withDocumentMask(DocumentMask.endingWith(EOS))), plain, false);
        }
    }

    @Test
    void aFrozenStateCacheDistinguishesMasks() throws IOException {
        try (StitchedModel model = TinyRuns.stitched(0); FrozenStateCache cache = FrozenStateCache.open(folder)) {
            model.stitchTensors().values().forEach(tensor -> tensor.setRequiresGradient(true));
            int[][] tokens = {joined(document(7, FIRST, true), document(8, SECOND, true))};
            PassOptions cached = PassOptions.DEFAULT.withFrozenStateCache(cache);
            float[] plain = model.accumulateGradients(tokens, 1, 0, cached);
            float[] masked = model.accumulateGradients(tokens, 1, 0, cached.withDocumentMask(DocumentMask.beginningWith(BOS)));
            assertEquals(0, cache.hits());
            assertNotEquals(plain[plain.length - 1], masked[masked.length - 1], 1e-4f);
            assertArrayEquals(masked, model.accumulateGradients(tokens, 1, 0, cached.withDocumentMask(DocumentMask.beginningWith(BOS))));
            assertEquals(4, cache.hits(), "three streams before the first stitch, and the hub before the second one");
            float[] uncached = model.accumulateGradients(tokens, 1, 0, PassOptions.DEFAULT.withDocumentMask(DocumentMask.beginningWith(BOS)));
            assertArrayEquals(uncached, masked, 0.03f, "float32 states are rounded to bfloat16");
        }
    }

    @Test
    void aRunIsBoundToItsMask() throws IOException {
        try (ExpertTraining expert = Gradients.expert(); StitchedModel model = TinyRuns.stitched(0)) {
            Map<String, String> plain = expert.identity();
            assertEquals("within documents that begin with token 1", expert.withDocumentMask(DocumentMask.beginningWith(BOS)).identity().get("attention"));
            assertEquals(plain.size() + 1, expert.identity().size());
            StitchTraining stitches = new StitchTraining(model).withOptions(PassOptions.DEFAULT.withDocumentMask(DocumentMask.endingWith(EOS)));
            assertEquals("within documents that end with token 2", stitches.identity().get("attention"));
        }
        assertThrows(IllegalArgumentException.class, () -> DocumentMask.beginningWith(-1));
    }
}
