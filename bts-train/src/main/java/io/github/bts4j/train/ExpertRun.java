package io.github.bts4j.train;

import io.github.bts4j.core.TrainingException;
import io.github.bts4j.core.checkpoint.FileTree;
import io.github.bts4j.core.checkpoint.ModelFingerprint;
import io.github.bts4j.core.llama.LlamaConfig;
import io.github.bts4j.core.llama.LlamaTensors;
import io.github.bts4j.core.torch.ActivationCheckpointing;
import io.github.bts4j.core.torch.llama.LlamaModel;
import io.github.bts4j.core.torch.llama.LoadOptions;
import io.github.bts4j.core.torch.llama.Weights;
import io.github.bts4j.train.metrics.JsonLinesMetrics;
import io.github.bts4j.train.metrics.MetricsListener;
import java.io.IOException;
import java.io.Serializable;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.Optional;

/**
 * The training of one expert of several, from files and into files, so that any process can run it: phases 1 and 2 of Branch-Train-Stitch (arXiv 2502.00075, section 3). The folder
 * gets {@code NAME}, the expert, and {@code NAME-run}, its run checkpoints and {@code metrics.jsonl}. Immutable and serializable.
 *
 * @param name the expert's name
 * @param seed path or address of the model to branch from; its tokenizer goes into the expert's folder
 * @param mix what it is trained on
 * @param config how it is trained
 * @param folder path of the folder, with atomic renames
 * @param frozenEmbeddings whether embeddings, final norm and head are frozen, see {@link ExpertTraining#withFrozenEmbeddings}
 * @serial exclude
 */
public record ExpertRun(String name, String seed, TokenMix mix, TrainerConfig config, String folder, boolean frozenEmbeddings) implements Serializable {
    private static final String WEIGHTS = "model.safetensors";

    /** How the right to write into the run's folder is had: {@link RunLock#acquire} or {@link RunLock#takeOver}. */
    public interface Locking {
        /**
         * Locks the run's folder.
         *
         * @param run the folder
         * @return the lock
         * @throws IOException if the folder cannot be written to
         */
        RunLock of(Path run) throws IOException;
    }

    /**
     * Trains to the end, from the last run checkpoint if there is one. A finished expert is found.
     *
     * @param files where the files are
     * @param locking how the run's folder is locked
     * @param progress receives every step
     * @return the expert
     * @throws IOException if a file is missing, or cannot be read or written
     * @throws ResumeException if the run in the folder is another one
     * @throws TrainingException if the process is to end; the run is saved
     */
    public BranchedExpert run(TrainingSource.Files files, Locking locking, MetricsListener progress) throws IOException {
        Path shared = files.find(folder);
        Path expert = shared.resolve(name);
        Path run = shared.resolve(name + "-run");
        if (!Files.exists(expert.resolve(WEIGHTS)) || RunCheckpoint.latest(run).isPresent()) { // what is there may be of another run
            try (RunLock lock = locking.of(run)) {
                train(lock, files, expert, progress);
            }
        }
        return new BranchedExpert(name, expert.toString(), ModelFingerprint.sha256(expert.resolve(WEIGHTS)), config.totalSteps());
    }

    /**
     * An estimate of what the process needs beside mapped files and the Java heap.
     *
     * @param model the seed's configuration
     * @return bytes
     */
    public long bytes(LlamaConfig model) {
        long parameters = LlamaTensors.parameterCount(model);
        TrainerConfig.Batches batches = config.batches();
        return PassMemory.of(model, parameters, ActivationCheckpointing.OFF, batches.microBatch(), batches.sequenceLength()) + 2 * Float.BYTES * parameters; // and both moments
    }

    private void train(RunLock lock, TrainingSource.Files files, Path expert, MetricsListener progress) throws IOException {
        Path from = files.find(seed);
        Path run = lock.folder();
        try (LlamaModel model = LlamaModel.open(from, LoadOptions.defaults().withWeights(Weights.DEQUANTIZED)); ExpertTraining training = ExpertTraining.branch(model)) {
            if (frozenEmbeddings) {
                training.withFrozenEmbeddings();
            }
            try (MetricsListener listener = listener(run, progress); Trainer trainer = new Trainer(training, mix.open(files), config, listener).saveTo(lock).stopOnShutdown()) {
                trainer.resumeFrom(run);
                trainer.run();
                if (!trainer.isFinished()) {
                    throw new TrainingException("The training of expert '" + name + "' was stopped at step " + trainer.step() + " of " + config.totalSteps() + ": run it again to resume");
                }
            }
            lock.requireOwned();
            if (!Files.exists(expert.resolve(WEIGHTS))) {
                save(training, from, expert);
            }
        }
    }

    private static MetricsListener listener(Path run, MetricsListener progress) throws IOException {
        Optional<Path> latest = RunCheckpoint.latestWhole(run, damaged -> { }); // the trainer reports damaged checkpoints
        long begun = latest.isPresent() ? RunCheckpoint.state(latest.get()).step() : 0;
        return MetricsListener.all(JsonLinesMetrics.resume(run.resolve("metrics.jsonl"), begun), progress);
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
