package io.github.bts4j.train;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ai.djl.Device;
import io.github.bts4j.core.llama.LlamaConfig;
import io.github.bts4j.train.data.Datamix;
import io.github.bts4j.train.data.DomainUse;
import io.github.bts4j.train.data.TokenDataset;
import io.github.bts4j.train.data.TokenDatasetBuilder;
import io.github.bts4j.train.data.Window;
import io.github.bts4j.train.metrics.EvaluationMetrics;
import io.github.bts4j.train.metrics.MetricsListener;
import io.github.bts4j.train.metrics.StepMetrics;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Runs on conversations, with text beside them. */
class ConversationRunTest {
    private static final int STEPS = 6;

    @TempDir
    Path folder;

    /** Conversations of 4 to 20 tokens, of which those from the given share on count. */
    private static TokenDataset conversations(double from) {
        SplittableRandom random = new SplittableRandom(3);
        TokenDatasetBuilder builder = TokenDataset.builder("chat");
        for (int i = 0; i < 30; i++) {
            int length = random.nextInt(4, 21);
            boolean[] counted = new boolean[length];
            Arrays.fill(counted, (int) (length * from), length, true);
            builder.add(random.ints(length, 3, TinyRuns.VOCAB).toArray(), counted, length);
        }
        return builder.build().withWholeDocuments();
    }

    private static Datamix data(double from) {
        return Datamix.of(List.of(conversations(from), TinyRuns.domain("code", 3, 7)), Map.of("chat", 3.0, "code", 1.0)).withBlockSize(8);
    }

    private static ExpertTraining expert() {
        LlamaConfig config = LlamaConfig.builder().vocabSize(TinyRuns.VOCAB).hiddenSize(32).intermediateSize(64).numLayers(2).numHeads(4).numKvHeads(2).maxPositionEmbeddings(64).build();
        return ExpertTraining.fromScratch(config, 0.2, 5, Device.cpu());
    }

    private static final class Seen implements MetricsListener {
        private final List<StepMetrics> steps = new ArrayList<>();
        private final List<EvaluationMetrics> evaluations = new ArrayList<>();

        @Override
        public void onStep(StepMetrics metrics) {
            steps.add(metrics);
        }

        @Override
        public void onEvaluation(EvaluationMetrics metrics) {
            evaluations.add(metrics);
        }
    }

    private static TrainerConfig config() {
        return TinyRuns.config(STEPS).withAccumulation(2);
    }

    @Test
    void aResumedRunIsTheUninterruptedOne() throws IOException {
        Seen whole = new Seen();
        try (ExpertTraining one = expert(); ExpertTraining other = expert()) {
            try (Trainer trainer = new Trainer(one, data(0.5), config(), whole)) {
                trainer.run();
            }
            try (Trainer trainer = new Trainer(other, data(0.5), config(), new Seen()).saveTo(folder)) {
                trainer.runTo(3);
            }
            Seen rest = new Seen();
            try (ExpertTraining fresh = expert(); Trainer trainer = new Trainer(fresh, data(0.5), config(), rest).saveTo(folder)) {
                assertTrue(trainer.resumeFrom(folder));
                trainer.run();
                assertEquals(TinyRuns.hashes(one.parameters()), TinyRuns.hashes(fresh.parameters()));
            }
            assertEquals(whole.steps.get(STEPS - 1).loss(), rest.steps.get(2).loss());
            assertEquals(whole.steps.get(STEPS - 1).tokensSeen(), rest.steps.get(2).tokensSeen());
            try (ExpertTraining fresh = expert(); Trainer trainer = new Trainer(fresh, data(0.25), config(), new Seen())) {
                assertThrows(ResumeException.class, () -> trainer.resumeFrom(folder), "other tokens count");
            }
        }
    }

    @Test
    void whatCountsIsCounted() throws IOException {
        Seen seen = new Seen();
        Datamix data = data(0.5);
        try (ExpertTraining expert = expert(); Trainer trainer = new Trainer(expert, data, config(), seen)) {
            trainer.validate(Validation.of(STEPS, Map.of("chat", conversations(0.5).windows(TinyRuns.LENGTH)), id -> 1));
            trainer.run();
            StepMetrics last = seen.steps.get(STEPS - 1);
            assertEquals(data.use(STEPS * 8L, TinyRuns.LENGTH).stream().mapToLong(DomainUse::tokens).sum(), last.tokensSeen());
            assertTrue(last.tokensSeen() < STEPS * 8L * TinyRuns.LENGTH, "not all tokens");
            assertEquals(List.of("chat", "code"), last.lossByDomain().keySet().stream().sorted().toList());
            double sum = 0;
            long count = 0;
            for (Window window : conversations(0.5).windows(TinyRuns.LENGTH)) {
                float[] losses = expert.tokenLosses(new int[][] {window.unpadded()})[0];
                for (int t = 0; t < losses.length; t++) {
                    if (window.counts(t + 1)) {
                        sum += losses[t];
                        count++;
                    }
                }
            }
            assertEquals(sum / count, seen.evaluations.get(0).loss(), 1e-4);
        }
    }
}
