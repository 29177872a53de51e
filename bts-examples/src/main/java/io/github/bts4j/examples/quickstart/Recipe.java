package io.github.bts4j.examples.quickstart;

import io.github.bts4j.core.llama.LlamaConfig;
import io.github.bts4j.stitch.Init;
import io.github.bts4j.stitch.StitchConfig;
import io.github.bts4j.train.TrainerConfig;
import io.github.bts4j.train.optim.AdamWConfig;
import io.github.bts4j.train.optim.LearningRate;
import io.github.bts4j.train.stability.Safeguards;
import java.util.List;

/**
 * All numbers of the quick start. {@code docs/results.md} describes how they were found and what results they give.
 *
 * @param seed seed of weights and data order; the held-out documents are the same for all seeds
 * @param seedSteps steps of the seed's pretraining
 * @param expertSteps steps of each expert
 * @param stitchSteps steps of the stitch layers
 * @param maxWindows at most so many held-out windows of each domain are scored
 */
record Recipe(long seed, int seedSteps, int expertSteps, int stitchSteps, int maxWindows) {
    static final int SEQUENCE = 256;
    static final int SEGMENT = 64;
    static final int HOLD_OUT_EVERY = 9;
    static final double DEVIATION = 0.06;
    static final String GENERAL = "english";
    static final List<String> EXPERTS = List.of("code", "math", "lang2");

    private static final int MICRO_BATCH = 2;
    private static final int WARMUP_DIVISOR = 20;
    private static final int MEASURE_EVERY = 20;
    private static final AdamWConfig PRETRAINING = new AdamWConfig(0.9, 0.95, 1e-8, 0.1);
    private static final AdamWConfig STITCHING = new AdamWConfig(0.9, 0.98, 1e-8, 0);

    /** The share of general text in the seed's mix; the experts' domains share the rest. */
    static final double SEED_GENERAL = 0.46;
    /** The share of general text in an expert's mix: it keeps the expert's streams near the seed's. */
    static final double EXPERT_GENERAL = 0.15;
    /** The share of sequences joined from segments of different domains, in pretraining and expert training. */
    static final double SWITCHING = 0.25;
    /** The same in stitch training. */
    static final double STITCH_SWITCHING = 0.3;

    static Recipe standard(long seed) {
        return new Recipe(seed, 900, 240, 2000, Integer.MAX_VALUE);
    }

    /** The Llama architecture; 1,066,112 parameters with the bundled tokenizer. */
    static LlamaConfig model(int vocabSize) {
        return LlamaConfig.builder().vocabSize(vocabSize).hiddenSize(128).intermediateSize(352).numLayers(4).numHeads(4).numKvHeads(4)
                .maxPositionEmbeddings(512).tieWordEmbeddings(true).bosTokenId(1).eosTokenIds(List.of(2)).build();
    }

    static StitchConfig stitches(int numLayers) {
        return StitchConfig.evenly(numLayers, 4).withInit(Init.AVERAGE).withDropout(0);
    }

    TrainerConfig seedTraining() {
        return training(seedSteps, new LearningRate.WarmupCosine(3e-3, seedSteps / WARMUP_DIVISOR, seedSteps, 0.1), PRETRAINING);
    }

    TrainerConfig expertTraining() {
        return training(expertSteps, new LearningRate.WarmupCosine(5e-4, expertSteps / WARMUP_DIVISOR, expertSteps, 0.1), PRETRAINING);
    }

    TrainerConfig stitchTraining() {
        return training(stitchSteps, new LearningRate.WarmupCosine(1.8e-3, stitchSteps / WARMUP_DIVISOR, stitchSteps, 0), STITCHING)
                .withSafeguards(Safeguards.OFF.withMeasurements(MEASURE_EVERY));
    }

    private TrainerConfig training(int steps, LearningRate schedule, AdamWConfig optimizer) {
        return TrainerConfig.of(steps, MICRO_BATCH, SEQUENCE, schedule).withOptimizer(optimizer).withSeed(seed);
    }
}
