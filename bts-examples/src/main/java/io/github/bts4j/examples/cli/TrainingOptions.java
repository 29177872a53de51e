package io.github.bts4j.examples.cli;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.github.bts4j.core.llama.DocumentMask;
import io.github.bts4j.core.torch.ActivationCheckpointing;
import io.github.bts4j.core.tokenizer.LlamaTokenizer;
import io.github.bts4j.train.AdamWConfig;
import io.github.bts4j.train.LearningRate;
import io.github.bts4j.train.ResumeChange;
import io.github.bts4j.train.ResumeException;
import io.github.bts4j.train.RunCheckpoint;
import io.github.bts4j.train.RunLock;
import io.github.bts4j.train.Trainable;
import io.github.bts4j.train.Trainer;
import io.github.bts4j.train.TrainerConfig;
import io.github.bts4j.train.Validation;
import io.github.bts4j.train.data.Datamix;
import io.github.bts4j.train.data.HoldOut;
import io.github.bts4j.train.data.Split;
import io.github.bts4j.train.data.TokenDataset;
import io.github.bts4j.train.data.TokenEncoder;
import io.github.bts4j.train.data.Window;
import io.github.bts4j.train.eval.TokenBytes;
import io.github.bts4j.train.metrics.JsonLinesMetrics;
import io.github.bts4j.train.metrics.MetricsListener;
import io.github.bts4j.train.metrics.ProgressBar;
import io.github.bts4j.train.metrics.TensorBoardWriter;
import io.github.bts4j.train.stability.Reaction;
import io.github.bts4j.train.stability.Safeguards;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.DoubleSupplier;
import java.util.function.UnaryOperator;
import picocli.CommandLine.Option;

/** How a training runs; options of {@code train} and {@code stitch}. */
final class TrainingOptions {
    private static final int USUAL_SEQUENCE = 256;

    @Option(names = "--weight", paramLabel = "DOMAIN=W", description = "Relative weight of a domain; 1 if not given.")
    private List<String> weights = List.of();

    @Option(names = "--steps", defaultValue = "1000", description = "Optimizer steps (default: ${DEFAULT-VALUE}).")
    private long steps;

    @Option(names = "--batch", defaultValue = "4", description = "Sequences per pass (default: ${DEFAULT-VALUE}).")
    private int batch;

    @Option(names = "--accumulation", defaultValue = "1", description = "Passes per step (default: ${DEFAULT-VALUE}).")
    private int accumulation;

    @Option(names = "--sequence", description = "Tokens per sequence (default: 256, or the model's context where that is shorter).")
    private Integer sequence;

    private int length;

    @Option(names = "--lr", description = "Peak learning rate (default: 1e-4 for a model; for stitches what fits the size of the hub's states, and is told).")
    private Double learningRate;

    @Option(names = "--warmup", description = "Steps of warm-up; a twentieth of all if not given. After it the rate falls linearly.")
    private Long warmup;

    @Option(names = "--weight-decay", defaultValue = "0.1", description = "AdamW's weight decay (default: ${DEFAULT-VALUE}).")
    private double weightDecay;

    @Option(names = "--clip", defaultValue = "1.0", description = "Limit of the global gradient norm (default: ${DEFAULT-VALUE}).")
    private double clip;

    @Option(names = "--seed", defaultValue = "0", description = "Random seed of weights, dropout and the order of text (default: ${DEFAULT-VALUE}).")
    private long seed;

    @Option(names = "--run", paramLabel = "DIR", description = "Folder for run checkpoints and metrics; a run that is there goes on. OUT-run if not given.")
    private Path run;

    @Option(names = "--save-every", defaultValue = "100", description = "Steps between run checkpoints (default: ${DEFAULT-VALUE}).")
    private long saveEvery;

    @Option(names = "--keep", defaultValue = "2", description = "Run checkpoints that are kept (default: ${DEFAULT-VALUE}).")
    private int keep;

    @Option(names = "--hold-out", paramLabel = "K", description = "Hold every K-th document out of training, for validation.")
    private Integer holdOut;

    @Option(names = "--validate-every", defaultValue = "100", description = "Steps between validations, with --hold-out (default: ${DEFAULT-VALUE}).")
    private long validateEvery;

    @Option(names = "--patience", description = "End after so many validations without a new best loss.")
    private Integer patience;

    @Option(names = "--checkpointing", defaultValue = "off", description = "Activations to compute again: off, partial or full (default: ${DEFAULT-VALUE}).")
    private ActivationCheckpointing checkpointing;

    @Option(names = "--document-mask", description = "No attention across documents, told apart by the tokenizer's begin mark or by --eos.")
    private boolean documentMask;

    @Option(names = "--rewind", description = "At a loss spike go back 100 steps and leave 200 batches out; needs --save-every 50 or less.")
    private boolean rewind;

    @Option(names = "--measure-every", defaultValue = "0", description = "Steps between measurements of Adam's health; 0 for none (default: ${DEFAULT-VALUE}).")
    private int measureEvery;

    @Option(names = "--tensorboard", description = "Write TensorBoard event files into the run's folder as well.")
    private boolean tensorBoard;

    @Option(names = "--allow-change", split = ",", paramLabel = "WHAT", description = "Let a run go on with another configuration or other data: configuration, data.")
    private List<ResumeChange> changes = List.of();

    ActivationCheckpointing checkpointing() {
        return checkpointing;
    }

    /** Tokens of a training sequence. */
    int sequence() {
        return length;
    }

    /** How documents are told apart, by a mark that each of them has: a begin mark that the tokenizer sets, or else the end mark of {@code --eos}. */
    Optional<DocumentMask> documentMask(LlamaTokenizer tokenizer, DataOptions data) {
        if (!documentMask) {
            return Optional.empty();
        }
        int[] some = TokenEncoder.of(tokenizer).encode("a");
        if (tokenizer.bosTokenId().isPresent() && some.length > 0 && some[0] == tokenizer.bosTokenId().getAsInt()) {
            return Optional.of(DocumentMask.beginningWith(some[0]));
        }
        if (data.endMark(tokenizer).isPresent()) {
            return Optional.of(DocumentMask.endingWith(data.endMark(tokenizer).getAsInt()));
        }
        throw new IllegalArgumentException("--document-mask: the tokenizer " + (tokenizer.bosTokenId().isPresent() ? "does not set its begin mark" : "has no begin mark")
                + ", so nothing tells documents apart; add --eos, which ends each of them with a mark");
    }

    /** Where run checkpoints and metrics go. */
    Path runFolder(Path out) {
        return run == null ? out.resolveSibling(out.getFileName() + "-run") : run;
    }

    /** Refuses folders that hold something else, before anything is loaded. */
    void checkFolders(Path out, OutputFolder output, List<Path> inputs) throws IOException {
        Path folder = runFolder(out);
        output.check("--out " + out, out, inputs, RunProduct.of(folder));
        RunFolder.check("--run " + folder, folder, out);
    }

    /** A context that is too short is refused here: beyond it the model was never trained, and would give numbers all the same. */
    void checkContext(int contextLength) {
        length = sequence == null ? Math.min(USUAL_SEQUENCE, contextLength) : sequence;
        WindowOptions.check("--sequence", length, contextLength);
    }

    /** Here, because the trainer's own messages do not know the options' names. */
    private void check() {
        atLeast("--steps", steps, 1);
        atLeast("--batch", batch, 1);
        atLeast("--accumulation", accumulation, 1);
        atLeast("--warmup", warmup == null ? 0 : warmup, 0);
        atLeast("--weight-decay", weightDecay, 0);
        atLeast("--save-every", saveEvery, 0);
        atLeast("--keep", keep, 1);
        atLeast("--hold-out", holdOut == null ? 2 : holdOut, 2);
        atLeast("--validate-every", validateEvery, 1);
        atLeast("--patience", patience == null ? 1 : patience, 1);
        atLeast("--measure-every", measureEvery, 0);
        if (patience != null && holdOut == null) {
            throw new IllegalArgumentException("--patience " + patience + " needs --hold-out: without documents to validate on, nothing ends a run early");
        }
        if (learningRate != null && !(learningRate > 0)) {
            throw new IllegalArgumentException("--lr " + learningRate + " is not positive");
        }
        if (!(clip > 0)) {
            throw new IllegalArgumentException("--clip " + clip + " is not positive; Infinity switches it off");
        }
    }

    private static void atLeast(String option, double value, double least) {
        if (!(value >= least)) {
            throw new IllegalArgumentException(option + " " + (value == Math.rint(value) ? Long.toString((long) value) : value) + " is below " + (long) least);
        }
    }

    private TrainerConfig config(DoubleSupplier usualRate) {
        check();
        if (rewind && (saveEvery < 1 || saveEvery > 50)) {
            throw new IllegalArgumentException("--rewind with --save-every " + saveEvery + ": a rewind goes back 100 steps to a run checkpoint; save every 50 steps or less");
        }
        LearningRate schedule = new LearningRate.WarmupLinear(learningRate == null ? usualRate.getAsDouble() : learningRate, warmup == null ? steps / 20 : warmup, steps, 0);
        Safeguards safeguards = Safeguards.OFF.withMeasurements(measureEvery);
        return TrainerConfig.of(steps, batch, length, schedule).withAccumulation(accumulation).withMaxGradNorm(clip).withSeed(seed)
                .withOptimizer(new AdamWConfig(0.9, 0.95, 1e-8, weightDecay)).withCheckpoints(saveEvery, rewind ? Math.max(keep, (int) (200 / Math.max(1, saveEvery)) + 1) : keep)
                .withSafeguards(rewind ? safeguards.withReactions(new Reaction.Rewind(100, 200)) : safeguards);
    }

    /**
     * Trains to the end, or until the process is told to stop; what is done is kept in the run's folder. At the end, what the run's last step and validation
     * measured, where this call made them.
     */
    Optional<ObjectNode> train(Trainable model, List<TokenDataset> datasets, LlamaTokenizer tokenizer, DoubleSupplier usualRate, UnaryOperator<TrainerConfig> more, Path folder,
            boolean force) throws IOException {
        TrainerConfig config = more.apply(config(usualRate));
        Map<String, List<Window>> windows = new LinkedHashMap<>();
        List<TokenDataset> training = new ArrayList<>();
        for (TokenDataset dataset : datasets) {
            if (holdOut == null) {
                training.add(dataset);
            } else {
                Split split = split(dataset);
                training.add(split.training());
                windows.put(dataset.name(), split.heldOut().windows(length));
            }
        }
        Datamix mix = Datamix.of(training, weights(training)).withSeed(seed);
        Optional<Validation> validation = windows.isEmpty() ? Optional.empty() : Optional.of(Validation.of(validateEvery, windows, TokenBytes.of(tokenizer)))
                .map(often -> patience == null ? often : often.withEarlyStopping(patience, 0));
        try (RunLock lock = RunLock.acquire(folder)) {
            try {
                return run(new Run(model, mix, config, validation), lock);
            } catch (ResumeException e) {
                if (!force) {
                    throw e;
                }
                RunFolder.clear(folder);
                return run(new Run(model, mix, config, validation), lock);
            }
        }
    }

    /** What a run is. */
    private record Run(Trainable model, Datamix mix, TrainerConfig config, Optional<Validation> validation) {}

    private Optional<ObjectNode> run(Run run, RunLock lock) throws IOException {
        LastMetrics last = new LastMetrics();
        try (MetricsListener listener = listener(lock.folder(), last);
                Trainer trainer = new Trainer(run.model(), run.mix(), run.config(), listener).saveTo(lock).stopOnShutdown()) {
            run.validation().ifPresent(trainer::validate);
            trainer.resumeFrom(lock.folder(), changes.toArray(ResumeChange[]::new));
            trainer.run();
            return trainer.isFinished() ? Optional.of(last.json().put("run", lock.folder().toString()).put("steps", trainer.step())) : Optional.empty();
        }
    }

    private Split split(TokenDataset dataset) {
        int documents = dataset.documentCount();
        if (documents < 2) {
            throw new IllegalArgumentException("--hold-out " + holdOut + ": the domain '" + dataset.name() + "' is one document, which cannot be trained on and held out; leave --hold-out out, or divide it");
        }
        if (documents < holdOut) {
            throw new IllegalArgumentException("--hold-out " + holdOut + ": of the " + documents + " documents of '" + dataset.name() + "' none would be held out; give at most " + documents);
        }
        return dataset.split(HoldOut.everyKth(holdOut));
    }

    private MetricsListener listener(Path folder, LastMetrics last) throws IOException {
        Optional<Path> latest = RunCheckpoint.latestWhole(folder, damaged -> { }); // the trainer tells what is damaged
        long from = latest.isPresent() ? RunCheckpoint.state(latest.get()).step() : 0;
        List<MetricsListener> all = new ArrayList<>(List.of(last, ProgressBar.onStandardError(), JsonLinesMetrics.resume(folder.resolve("metrics.jsonl"), from)));
        if (tensorBoard) {
            all.add(TensorBoardWriter.resume(folder.resolve("tensorboard"), from));
        }
        return MetricsListener.all(all.toArray(MetricsListener[]::new));
    }

    private Map<String, Double> weights(List<TokenDataset> domains) {
        Map<String, Double> byName = new LinkedHashMap<>();
        domains.forEach(domain -> byName.put(domain.name(), 1.0));
        for (String each : weights) {
            String[] pair = Models.pair("--weight", each);
            if (byName.replace(pair[0], number(each, pair[1])) == null) {
                throw new IllegalArgumentException("--weight " + each + ": there is no domain '" + pair[0] + "', only " + byName.keySet());
            }
        }
        return byName;
    }

    private static double number(String weight, String text) {
        try {
            return Double.parseDouble(text);
        } catch (NumberFormatException e) {
            throw new IllegalArgumentException("--weight " + weight + ": '" + text + "' is not a number", e);
        }
    }
}
