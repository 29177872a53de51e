package io.github.bts4j.examples.experiment;

import io.github.bts4j.examples.experiment.ExperimentSpec.TrainingSpec;
import io.github.bts4j.train.RunCheckpoint;
import io.github.bts4j.train.Trainable;
import io.github.bts4j.train.Trainer;
import io.github.bts4j.train.TrainerConfig;
import io.github.bts4j.train.Validation;
import io.github.bts4j.train.data.Datamix;
import io.github.bts4j.train.metrics.JsonLinesMetrics;
import io.github.bts4j.train.metrics.MetricsListener;
import io.github.bts4j.train.metrics.ProgressBar;
import io.github.bts4j.train.optim.AdamWConfig;
import io.github.bts4j.train.optim.LearningRate;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import java.util.function.Consumer;

/** One training of an experiment, which resumes from its last run checkpoint. */
final class Training {
    private static final int WARMUP_DIVISOR = 20;

    /** Folder of a stage's run checkpoints. */
    static final String RUN = "run";

    /** File of the steps, in the stage's folder. */
    static final String METRICS = "metrics.jsonl";

    private Training() {}

    /** The configuration of a trainer, with AdamW's usual beta2. */
    static TrainerConfig config(ExperimentSpec spec, TrainingSpec how, long seed) {
        LearningRate schedule = new LearningRate.WarmupCosine(how.learningRate(), how.steps() / WARMUP_DIVISOR, how.steps(), how.floor());
        return TrainerConfig.of(how.steps(), how.batch(), spec.sequenceLength(), schedule).withSeed(seed)
                .withOptimizer(new AdamWConfig(0.9, 0.95, 1e-8, how.weightDecay())).withCheckpoints(spec.checkpointEvery(), 1);
    }

    /** Trains to the end and saves, or until the process is stopped; true at the end. The stage's folder keeps the metrics. */
    static boolean run(String name, Trainable model, Datamix mix, TrainerConfig config, Path stage, Method.Save save) throws IOException {
        return run(name, model, mix, config, stage, save, trainer -> { });
    }

    /** The same with a validation, which may end it early. What is saved are the weights that it found best. */
    static boolean runValidated(String name, Trainable model, Datamix mix, TrainerConfig config, Validation validation, Path stage, Method.Save save) throws IOException {
        return run(name, model, mix, config, stage, () -> {
            Optional<Path> best = RunCheckpoint.best(stage.resolve(RUN));
            if (best.isPresent()) {
                RunCheckpoint.restoreWeights(best.get(), model.parameters());
                model.weightsChanged();
            }
            save.run();
        }, trainer -> trainer.validate(validation));
    }

    private static boolean run(String name, Trainable model, Datamix mix, TrainerConfig config, Path stage, Method.Save save, Consumer<Trainer> prepared) throws IOException {
        System.err.println(name + ": " + config.totalSteps() + " steps of " + config.batches().microBatch() + " x " + config.batches().sequenceLength() + " tokens");
        Path run = Files.createDirectories(stage.resolve(RUN));
        Optional<Path> latest = RunCheckpoint.latest(run);
        long from = latest.isPresent() ? RunCheckpoint.state(latest.get()).step() : 0;
        try (MetricsListener listener = MetricsListener.all(ProgressBar.onStandardError(), JsonLinesMetrics.resume(stage.resolve(METRICS), from));
                Trainer trainer = new Trainer(model, mix, config, listener).saveTo(run).stopOnShutdown()) {
            prepared.accept(trainer);
            trainer.resumeFrom(run);
            trainer.run();
            if (!trainer.isFinished()) {
                return false;
            }
        }
        save.run();
        return true;
    }
}
