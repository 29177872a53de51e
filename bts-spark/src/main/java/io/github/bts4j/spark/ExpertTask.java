package io.github.bts4j.spark;

import io.github.bts4j.core.TrainingException;
import io.github.bts4j.core.UnsupportedException;
import io.github.bts4j.core.checkpoint.FileTree;
import io.github.bts4j.core.checkpoint.ModelFingerprint;
import io.github.bts4j.core.support.Processor;
import io.github.bts4j.core.torch.Torch;
import io.github.bts4j.core.torch.llama.LlamaModel;
import io.github.bts4j.core.torch.llama.LoadOptions;
import io.github.bts4j.core.torch.llama.Weights;
import io.github.bts4j.train.ExpertTraining;
import io.github.bts4j.train.RunCheckpoint;
import io.github.bts4j.train.RunLock;
import io.github.bts4j.train.Trainer;
import io.github.bts4j.train.TrainerConfig;
import io.github.bts4j.train.metrics.JsonLinesMetrics;
import io.github.bts4j.train.metrics.MetricsListener;
import java.io.IOException;
import java.io.Serializable;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.Optional;
import org.apache.spark.TaskContext;

/** The training of one expert, on the executor. */
record ExpertTask(String name, String seed, TokenMix mix, TrainerConfig config, String folder, boolean frozenEmbeddings, String processor, boolean mixed) implements Serializable {
    private static final String WEIGHTS = "model.safetensors";

    BranchedExpert run(BranchProgress progress) {
        return ExecutorFailure.describing(() -> {
            if (!mixed && !Processor.kind().equals(processor)) {
                throw new UnsupportedException("This executor's processor is " + Processor.kind() + ", the driver's is " + processor + ": use machines of one kind, or set " + SparkSettings.MIXED + "=true");
            }
            Path shared = SharedFiles.local(folder);
            Path expert = shared.resolve(name);
            if (!Files.exists(expert.resolve(WEIGHTS))) {
                train(shared.resolve(name + "-run"), expert, progress);
            }
            return new BranchedExpert(name, expert.toString(), ModelFingerprint.sha256(expert.resolve(WEIGHTS)), config.totalSteps());
        });
    }

    private void train(Path run, Path expert, BranchProgress progress) throws IOException {
        Torch.threads(TaskContext.get().cpus());
        Path from = SharedFiles.local(seed);
        try (RunLock lock = RunLock.takeOver(run); LlamaModel model = LlamaModel.open(from, LoadOptions.defaults().withWeights(Weights.DEQUANTIZED)); ExpertTraining training = ExpertTraining.branch(model)) {
            if (frozenEmbeddings) {
                training.withFrozenEmbeddings();
            }
            try (MetricsListener listener = listener(run, progress); Trainer trainer = new Trainer(training, mix.open(), config, listener).saveTo(lock).stopOnShutdown()) {
                trainer.resumeFrom(run);
                trainer.run();
                if (!trainer.isFinished()) {
                    throw new TrainingException("The training of expert '" + name + "' was stopped at step " + trainer.step() + " of " + config.totalSteps() + ": run it again to resume");
                }
            }
            lock.requireOwned();
            save(training, from, expert);
        }
    }

    private MetricsListener listener(Path run, BranchProgress progress) throws IOException {
        int attempt = TaskContext.get().attemptNumber();
        Optional<Path> latest = RunCheckpoint.latestWhole(run, damaged -> { }); // the trainer reports damaged checkpoints
        long begun = latest.isPresent() ? RunCheckpoint.state(latest.get()).step() : 0;
        return MetricsListener.all(JsonLinesMetrics.resume(run.resolve("metrics.jsonl"), begun), step -> progress.add(new BranchStep(name, step.step(), step.totalSteps(), step.loss(), attempt)));
    }

    /** In one step: whoever sees the folder sees all of it. */
    private void save(ExpertTraining training, Path tokenizer, Path expert) throws IOException {
        Path temporary = Files.createTempDirectory(expert.getParent(), "." + name + "-");
        try {
            training.save(temporary, tokenizer);
            if (Files.exists(expert)) {
                FileTree.delete(expert); // without weights, or it would not be trained
            }
            Files.move(temporary, expert, StandardCopyOption.ATOMIC_MOVE);
        } finally {
            FileTree.delete(temporary);
        }
    }
}
