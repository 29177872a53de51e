package io.github.bts4j.train;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.bts4j.core.llama.LlamaConfig;
import io.github.bts4j.core.torch.ActivationCheckpointing;
import io.github.bts4j.core.torch.llama.DocumentMask;
import io.github.bts4j.core.torch.llama.DocumentRows;
import io.github.bts4j.core.torch.llama.LlamaModel;
import io.github.bts4j.core.torch.llama.LoadOptions;
import io.github.bts4j.stitch.FrozenStateCache;
import io.github.bts4j.stitch.Member;
import io.github.bts4j.stitch.PassOptions;
import io.github.bts4j.stitch.StitchedModel;
import io.github.bts4j.stitch.baseline.RoutedExperts;
import io.github.bts4j.stitch.baseline.UpcycledConfig;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Documents packed into one sequence give the losses and gradients that they give by themselves, and what does not count gives none. */
class DocumentRowsTest {
    private static final int WIDTH = 25;

    @TempDir
    Path folder;

    /** A row of documents with padding behind them; every third token of a document is read only. */
    private static DocumentRows packed(int[]... documents) {
        int[] tokens = new int[WIDTH];
        boolean[] counted = new boolean[WIDTH - 1];
        int[] numbers = new int[WIDTH - 1];
        Arrays.fill(numbers, documents.length);
        int at = 0;
        for (int number = 0; number < documents.length; number++) {
            for (int t = 0; t < documents[number].length; t++, at++) {
                tokens[at] = documents[number][t];
                if (t > 0) {
                    counted[at - 1] = t % 3 > 0;
                }
                if (at < numbers.length) {
                    numbers[at] = number;
                }
            }
        }
        return new DocumentRows(new int[][] {tokens}, new boolean[][] {counted}, new int[][] {numbers});
    }

    private static int[] document(long seed, int length) {
        return new Random(seed).ints(length, 3, TinyRuns.VOCAB).toArray();
    }

    private static DocumentRows both(DocumentRows first, DocumentRows second) {
        return new DocumentRows(new int[][] {first.tokens()[0], second.tokens()[0]}, new boolean[][] {first.counted()[0], second.counted()[0]},
                new int[][] {first.documents()[0], second.documents()[0]});
    }

    /** The losses of plain passes over each document by itself, where they count; the gradients are the sum of those of the documents. */
    private static void compare(Trainable training, Trainable plain) {
        int[] a = document(1, 10);
        int[] b = document(2, 12);
        int[] c = document(3, 25);
        DocumentRows rows = both(packed(a, b), packed(c));
        float[] losses = training.accumulateGradients(rows, 0.1f, 0);
        Map<String, float[]> found = Gradients.take(training);
        float[] expected = new float[losses.length];
        int at = 0;
        for (int[] document : List.of(a, b, c)) {
            at = document == c ? WIDTH - 1 : at;
            float[] alone = plain.accumulateGradients(new int[][] {document}, 0.1f, 0);
            for (int t = 0; t < alone.length; t++) {
                expected[at + t] = (t + 1) % 3 > 0 ? alone[t] : 0;
            }
            at += document.length;
        }
        Gradients.take(plain);
        TinyRuns.tolerance().assertLossesClose("packed", expected, losses);

        Map<String, float[]> sum = new LinkedHashMap<>();
        for (DocumentRows alone : List.of(packed(a), packed(b), packed(c))) {
            training.accumulateGradients(alone, 0.1f, 0);
            Gradients.take(training).forEach((name, gradient) -> {
                float[] all = sum.computeIfAbsent(name, n -> new float[gradient.length]);
                for (int i = 0; i < all.length; i++) {
                    all[i] += gradient[i];
                }
            });
        }
        Gradients.assertClose(sum, found);
    }

    @Test
    void anExpert() {
        for (ActivationCheckpointing checkpointing : ActivationCheckpointing.values()) {
            try (ExpertTraining plain = Gradients.expert(); ExpertTraining packed = Gradients.expert()) {
                compare(packed.withCheckpointing(checkpointing), plain);
            }
        }
    }

    @Test
    void stitches() throws IOException {
        for (ActivationCheckpointing checkpointing : ActivationCheckpointing.values()) {
            try (StitchedModel model = TinyRuns.stitched(0)) {
                model.stitchTensors().values().forEach(tensor -> tensor.setRequiresGradient(true));
                compare(new StitchTraining(model).withOptions(PassOptions.DEFAULT.withCheckpointing(checkpointing)), new StitchTraining(model));
            }
        }
    }

    /** Branch-Train-MiX, BAM, and BAM with adapters. */
    @Test
    void mixtures() throws IOException {
        List<String> names = List.of("hub", "code", "math");
        List<LlamaModel> models = new ArrayList<>();
        try {
            for (String name : names) {
                models.add(LlamaModel.open(TinyRuns.golden("bts-3x4").resolve(name)));
            }
            LlamaConfig config = models.get(0).config();
            for (UpcycledConfig mixture : List.of(UpcycledConfig.btxSoft(config, names), UpcycledConfig.bam(config, names), UpcycledConfig.bamAdapters(config, names))) {
                try (UpcycledTraining training = new UpcycledTraining(mixture, models)) {
                    training.parameters().values().forEach(tensor -> tensor.setRequiresGradient(true));
                    compare(training, training);
                }
            }
        } finally {
            models.forEach(LlamaModel::close);
        }
    }

    /** Each document is routed by itself: to the model that is best on what counts of it, with the weight of that. */
    @Test
    void aRouter() throws IOException {
        Path root = TinyRuns.golden("bts-3x4");
        try (RoutedExperts routed = RoutedExperts.open(Stream.of("hub", "code", "math").map(name -> new Member(name, root.resolve(name))).toList(), LoadOptions.defaults())) {
            routed.routerTensors().get("router.weight").setRequiresGradient(true);
            RouterTraining training = new RouterTraining(routed).withPrefixes(4, 4);
            int[][] documents = {document(1, 10), document(2, 12), document(3, WIDTH)};
            float[] losses = training.accumulateGradients(both(packed(documents[0], documents[1]), packed(documents[2])), 0.1f, 0);
            Map<String, float[]> found = Gradients.take(training);
            float[] expected = new float[losses.length];
            int[] begins = {0, 10, WIDTH - 1};
            for (int d = 0; d < documents.length; d++) {
                boolean[] counted = new boolean[documents[d].length - 1];
                int count = 0;
                for (int t = 0; t < counted.length; t++) {
                    counted[t] = (t + 1) % 3 > 0;
                    count += counted[t] ? 1 : 0;
                }
                int[] prefix = Arrays.copyOf(documents[d], 4);
                int best = best(routed, documents[d], counted);
                float loss = routed.accumulateGradients(new int[][] {prefix}, new int[] {best}, 0.1f * count)[0];
                assertEquals(-Math.log(routed.route(prefix)[best]), loss, 1e-5);
                for (int t = 0; t < counted.length; t++) {
                    expected[begins[d] + t] = counted[t] ? loss : 0;
                }
            }
            TinyRuns.tolerance().assertLossesClose("routes", expected, losses);
            Gradients.assertClose(Gradients.take(training), found);
            assertEquals(3, training.cachedTargets());
            training.accumulateGradients(packed(documents[0]), 0.1f, 1);
            assertEquals(3, training.cachedTargets());
        }
    }

    private static int best(RoutedExperts routed, int[] document, boolean[] counted) {
        int best = 0;
        double least = Double.POSITIVE_INFINITY;
        for (int model = 0; model < routed.models().size(); model++) {
            float[] losses = routed.models().get(model).tokenLosses(new int[][] {document})[0];
            double sum = 0;
            for (int t = 0; t < losses.length; t++) {
                sum += counted[t] ? losses[t] : 0;
            }
            if (sum < least) {
                least = sum;
                best = model;
            }
        }
        return best;
    }

    @Test
    void aSequenceThatCountsWhollyIsPlainText() {
        int[] tokens = document(4, WIDTH);
        boolean[] all = new boolean[WIDTH - 1];
        Arrays.fill(all, true);
        DocumentRows row = new DocumentRows(new int[][] {tokens}, new boolean[][] {all}, new int[][] {{}});
        try (ExpertTraining plain = Gradients.expert(); ExpertTraining masked = Gradients.expert().withDocumentMask(DocumentMask.endingWith(tokens[9]))) {
            TinyRuns.tolerance().assertLossesClose("text", plain.accumulateGradients(new int[][] {tokens}, 0.1f, 0), plain.accumulateGradients(row, 0.1f, 0));
            TinyRuns.tolerance().assertLossesClose("a mark divides it", masked.accumulateGradients(new int[][] {tokens}, 0.1f, 0), masked.accumulateGradients(row, 0.1f, 0));
        }
    }

    @Test
    void aFrozenStateCacheTellsPackingsApart() throws IOException {
        try (StitchedModel model = TinyRuns.stitched(0); FrozenStateCache cache = FrozenStateCache.open(folder)) {
            model.stitchTensors().values().forEach(tensor -> tensor.setRequiresGradient(true));
            PassOptions cached = PassOptions.DEFAULT.withFrozenStateCache(cache);
            DocumentRows two = packed(document(1, 10), document(2, 12));
            DocumentRows one = new DocumentRows(two.tokens(), two.counted(), new int[][] {new int[WIDTH - 1]});
            model.accumulateGradients(two.tokens(), 1, 0, cached);
            float[] apart = model.accumulateGradients(two, 1, 0, cached);
            float[] joined = model.accumulateGradients(one, 1, 0, cached);
            assertEquals(0, cache.hits());
            assertArrayEquals(apart, model.accumulateGradients(two, 1, 0, cached));
            assertArrayEquals(joined, model.accumulateGradients(one, 1, 0, cached));
            assertEquals(8, cache.hits());
            assertTrue(Math.abs(apart[20] - joined[20]) + Math.abs(apart[19] - joined[19]) > 1e-4f);
        }
    }

    @Test
    void rowsMustFit() {
        assertThrows(IllegalArgumentException.class, () -> new DocumentRows(new int[1][5], new boolean[1][5], new int[1][4]));
        assertThrows(IllegalArgumentException.class, () -> new DocumentRows(new int[1][5], new boolean[1][4], new int[1][3]));
        assertThrows(IllegalArgumentException.class, () -> new DocumentRows(new int[2][5], new boolean[1][4], new int[1][4]));
        try (ExpertTraining expert = Gradients.expert()) {
            int[][] outside = {{1, 2, TinyRuns.VOCAB}};
            assertThrows(IllegalArgumentException.class, () -> expert.accumulateGradients(new DocumentRows(outside, new boolean[1][2], new int[1][2]), 1, 0));
        }
    }
}
