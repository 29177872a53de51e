package io.github.bts4j.cli;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.github.bts4j.core.tokenizer.LlamaTokenizer;
import io.github.bts4j.core.torch.ActivationCheckpointing;
import io.github.bts4j.core.torch.llama.DocumentMask;
import io.github.bts4j.train.ResumeChange;
import io.github.bts4j.train.ResumeException;
import io.github.bts4j.train.RunCheckpoint;
import io.github.bts4j.train.RunLock;
import io.github.bts4j.train.Trainable;
import io.github.bts4j.train.Trainer;
import io.github.bts4j.train.TrainerConfig;
import io.github.bts4j.train.Validation;
import io.github.bts4j.train.cluster.Cluster;
import io.github.bts4j.train.data.Datamix;
import io.github.bts4j.train.data.HoldOut;
import io.github.bts4j.train.data.Split;
import io.github.bts4j.train.data.TokenDataset;
import io.github.bts4j.train.data.TokenEncoder;
import io.github.bts4j.train.data.Window;
import io.github.bts4j.train.eval.TokenBytes;
import io.github.bts4j.train.metrics.JsonLinesMetrics;
import io.github.bts4j.train.metrics.MetricsListener;
import io.github.bts4j.train.metrics.MlflowMetrics;
import io.github.bts4j.train.metrics.OpenTelemetryMetrics;
import io.github.bts4j.train.metrics.ProgressBar;
import io.github.bts4j.train.metrics.TensorBoardWriter;
import io.opentelemetry.api.GlobalOpenTelemetry;
import io.opentelemetry.api.OpenTelemetry;
import io.opentelemetry.api.metrics.MeterProvider;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.DoubleSupplier;
import java.util.function.UnaryOperator;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** Options for training runs. */
final class TrainingOptions {
    @Spec(Spec.Target.MIXEE)
    private CommandSpec command;

    @Option(names = "--weight", paramLabel = "DOMAIN=W", description = "Relative weight of a domain (default: 1).")
    private List<String> weights = List.of();

    @Mixin
    private StepOptions steps;

    @Option(names = "--run", paramLabel = "DIR", description = "Folder for run checkpoints and metrics; a run in it is resumed (default: OUT-run).")
    private Path run;

    @Option(names = "--hold-out", paramLabel = "K", description = "Hold out every K-th document for validation.")
    @Within(least = 2, most = Within.COUNT)
    private Integer holdOut;

    @Option(names = "--validate-every", paramLabel = "N", defaultValue = "100", description = "Steps between validations, with --hold-out (default: ${DEFAULT-VALUE}).")
    @Within(least = 1, most = Within.COUNT)
    private long validateEvery;

    @Option(names = "--patience", paramLabel = "N", description = "Stop after this many validations without a new best loss.")
    @Within(least = 1, most = Within.COUNT)
    private Integer patience;

    @Option(names = "--checkpointing", defaultValue = "off", description = "Activations to recompute: off, partial or full (default: ${DEFAULT-VALUE}).")
    private ActivationCheckpointing checkpointing;

    @Option(names = "--document-mask", description = "No attention across documents; they are separated by the tokenizer's begin token or by --eos.")
    private boolean documentMask;

    @Option(names = "--tensorboard", description = "Write TensorBoard event files into the run's folder as well.")
    private boolean tensorBoard;

    @Option(names = "--mlflow", paramLabel = "DIR", description = "Also write the run into an MLflow file store, as the experiment bts4j.")
    private Path mlflow;

    @Option(names = "--opentelemetry", description = "Also report to OpenTelemetry, whose agent must run: JAVA_TOOL_OPTIONS=-javaagent:opentelemetry-javaagent.jar.")
    private boolean openTelemetry;

    @Option(names = "--allow-change", split = ",", paramLabel = "WHAT", description = "Resume a run although its configuration or data have changed: configuration, data.")
    private List<ResumeChange> changes = List.of();

    @Mixin
    private ClusterOption cluster;

    ActivationCheckpointing checkpointing() {
        return checkpointing;
    }

    /** Seed of whatever is random. */
    long seed() {
        return steps.seed();
    }

    /** Tokens of a training sequence. */
    int sequence() {
        return steps.sequence();
    }

    /** The token that separates documents: the begin token that the tokenizer adds, or else the end token of {@code --eos}. */
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
        throw new IllegalArgumentException("--document-mask: the tokenizer " + (tokenizer.bosTokenId().isPresent() ? "does not add its begin token" : "has no begin token")
                + ", so nothing separates documents; add --eos, which ends each document with a token");
    }

    /** The folder for run checkpoints and metrics. */
    Path runFolder(Path out) {
        return run == null ? out.resolveSibling(out.getFileName() + "-run") : run;
    }

    /** Refuses folders with other contents before anything is loaded. */
    void checkFolders(Path out, OutputFolder output, List<Path> inputs) throws IOException {
        Path folder = runFolder(out);
        output.check("--out " + out, out, inputs, RunProduct.of(folder));
        RunFolder.check("--run " + folder, folder, out);
    }

    /** Refuses sequences beyond the model's context. */
    void checkContext(int contextLength) {
        steps.checkContext(contextLength);
    }

    /**
     * Trains to the end, or until the process is stopped; progress is kept in the run's folder. Returns what the run's last step and validation
     * measured, if this call ran them.
     */
    Optional<ObjectNode> train(Trainable model, List<TokenDataset> datasets, LlamaTokenizer tokenizer, DoubleSupplier usualRate, UnaryOperator<TrainerConfig> more, Path folder,
            boolean force) throws IOException {
        if (patience != null && holdOut == null) {
            throw new IllegalArgumentException("--patience " + patience + " needs --hold-out: there are no documents to validate on");
        }
        TrainerConfig config = more.apply(steps.config(usualRate));
        int length = steps.sequence();
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
        training.stream().filter(TokenDataset::isWholeDocuments).forEach(this::tellPacking);
        Datamix mix = Datamix.of(training, weights(training)).withSeed(steps.seed());
        Optional<Validation> validation = windows.isEmpty() ? Optional.empty() : Optional.of(Validation.of(validateEvery, windows, TokenBytes.of(tokenizer)))
                .map(often -> patience == null ? often : often.withEarlyStopping(patience, 0));
        try (Cluster there = cluster.open().orElse(null); RunLock lock = RunLock.acquire(folder)) {
            Run run = new Run(new TokenizerBound(there == null ? model : there.training(model), tokenizer), mix, config, validation);
            try {
                return run(run, lock);
            } catch (ResumeException e) {
                if (!force) {
                    throw e;
                }
                RunFolder.clear(folder);
                return run(run, lock);
            }
        }
    }

    /** The identity of a run. */
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

    private void tellPacking(TokenDataset dataset) {
        int length = steps.sequence();
        List<String> problems = dataset.problems(length);
        if (!problems.isEmpty()) {
            throw new IllegalArgumentException(String.join("; ", problems));
        }
        command.commandLine().getErr().println("Domain '" + dataset.name() + "': " + dataset.packingReport(length).text());
    }

    private Split split(TokenDataset dataset) {
        int documents = dataset.documentCount();
        if (documents < 2) {
            throw new IllegalArgumentException("--hold-out " + holdOut + ": the domain '" + dataset.name() + "' has only one document, which cannot be both trained on and held out; omit --hold-out, or split the document");
        }
        if (documents < holdOut) {
            throw new IllegalArgumentException("--hold-out " + holdOut + ": of the " + documents + " documents of '" + dataset.name() + "' none would be held out; use at most " + documents);
        }
        return dataset.split(HoldOut.everyKth(holdOut));
    }

    private MetricsListener listener(Path folder, LastMetrics last) throws IOException {
        Optional<Path> latest = RunCheckpoint.latestWhole(folder, damaged -> { }); // the trainer reports damaged checkpoints
        long from = latest.isPresent() ? RunCheckpoint.state(latest.get()).step() : 0;
        List<MetricsListener> all = new ArrayList<>(List.of(last, new OptionProgress(ProgressBar.onStandardError(), new OptionWords(command)), JsonLinesMetrics.resume(folder.resolve("metrics.jsonl"), from)));
        if (tensorBoard) {
            all.add(TensorBoardWriter.resume(folder.resolve("tensorboard"), from));
        }
        if (mlflow != null) {
            all.add(MlflowMetrics.resume(mlflow, "bts4j", folder.getFileName().toString(), from));
        }
        if (openTelemetry) {
            all.add(new OpenTelemetryMetrics(agent(), folder.getFileName().toString()));
        }
        return MetricsListener.all(all.toArray(MetricsListener[]::new));
    }

    private static OpenTelemetry agent() {
        OpenTelemetry telemetry = GlobalOpenTelemetry.get();
        if (telemetry.getMeterProvider() == MeterProvider.noop()) {
            throw new IllegalArgumentException("--opentelemetry: no OpenTelemetry runs in this process; set JAVA_TOOL_OPTIONS=-javaagent:opentelemetry-javaagent.jar, or omit the option");
        }
        return telemetry;
    }

    private Map<String, Double> weights(List<TokenDataset> domains) {
        Map<String, Double> byName = new LinkedHashMap<>();
        domains.forEach(domain -> byName.put(domain.name(), 1.0));
        for (String each : weights) {
            String[] pair = Models.pair("--weight", each);
            if (byName.replace(pair[0], Models.number("--weight", each, pair[1])) == null) {
                throw new IllegalArgumentException("--weight " + each + ": there is no domain '" + pair[0] + "', only " + byName.keySet());
            }
        }
        return byName;
    }
}
