package io.github.bts4j.train.benchmark;

import io.github.bts4j.core.llama.LlamaConfig;
import io.github.bts4j.core.llama.LlamaTensors;
import io.github.bts4j.core.torch.ActivationCheckpointing;
import io.github.bts4j.stitch.StitchConfig;
import io.github.bts4j.train.TrainerConfig;
import io.github.bts4j.train.TrainingPlan;
import io.github.bts4j.train.optim.LearningRate;
import java.util.Collections;

/**
 * What a computation needs at least: operations, and bytes that are read from memory. Attention is counted over the tokens that a token sees, half of the
 * sequence in the mean.
 *
 * @param operations floating-point operations, an addition and a multiplication as two
 * @param bytes weights to read
 */
record BenchmarkWork(double operations, double bytes) {
    /** Whether reading takes longer than computing. */
    boolean isBoundByMemory(double bytesPerSecond, double operationsPerSecond) {
        return bytes / bytesPerSecond > operations / operationsPerSecond;
    }

    /** What the seed, the hub alone, needs. */
    static Counts seed(BenchmarkSettings settings, double bytes) {
        LlamaConfig config = settings.shape().config();
        double head = 2.0 * config.vocabSize() * config.hiddenSize();
        double layers = 2.0 * LlamaTensors.parameterCount(config) - head; // the embedding is the head
        double seen = 4.0 * config.numLayers() * config.numHeads() * config.headDim();
        return new Counts(settings, head, bytes, length -> layers + seen * (length + 1) / 2 + head, length -> 3 * (layers + seen * (length + 1) / 2 + head));
    }

    /** What the stitched model needs. */
    static Counts stitched(BenchmarkSettings settings, double bytes) {
        LlamaConfig config = settings.shape().config();
        return new Counts(settings, 2.0 * config.vocabSize() * config.hiddenSize(), bytes, length -> plan(settings, length).operations().forward(),
                length -> plan(settings, length).operations().training());
    }

    /** As if each token saw half of the sequence. */
    private static TrainingPlan plan(BenchmarkSettings settings, int length) {
        LlamaConfig config = settings.shape().config();
        return TrainingPlan.of(Collections.nCopies(settings.experts() + 1, config), settings.types().get(0).precision(), StitchConfig.evenly(config.numLayers(), settings.stitches()),
                TrainerConfig.of(1, 1, (length + 1) / 2, new LearningRate.Constant(1e-3)), ActivationCheckpointing.OFF);
    }

    private interface PerToken {
        double of(int length);
    }

    /** A model's counts; the head's operations are counted once for a prompt. */
    record Counts(BenchmarkSettings settings, double head, double bytes, PerToken forward, PerToken training) {
        BenchmarkWork step() {
            return new BenchmarkWork(training.of(settings.sequence()) * settings.sequence() * settings.batch(), bytes);
        }

        BenchmarkWork prompt() {
            return new BenchmarkWork(forward.of(settings.prompt()) * settings.prompt() - head * (settings.prompt() - 1), bytes);
        }

        BenchmarkWork token(int sessions, int position) {
            return new BenchmarkWork(forward.of(2 * position) * sessions, bytes);
        }
    }
}
