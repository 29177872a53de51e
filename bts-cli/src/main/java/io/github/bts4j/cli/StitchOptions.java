package io.github.bts4j.cli;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.github.bts4j.core.tokenizer.LlamaTokenizer;
import io.github.bts4j.stitch.FrozenStateCache;
import io.github.bts4j.stitch.PassOptions;
import io.github.bts4j.stitch.StitchedModel;
import io.github.bts4j.train.StitchTraining;
import io.github.bts4j.train.Trainable;
import io.github.bts4j.train.data.TokenDataset;
import io.github.bts4j.train.data.Window;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.function.Function;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Options for training stitch layers. */
final class StitchOptions {
    /** Tokens of each domain that are used to measure the gates' inputs. */
    private static final int MEASURED_WINDOWS = 4;

    @Option(names = "--out", paramLabel = "DIR", required = true, description = "Folder for the stitch checkpoint.")
    private Path out;

    @Option(names = "--frozen-state-cache", paramLabel = "DIR", description = "Cache the hidden states below the first stitch in this folder; pays off from the second epoch.")
    private Path frozenStateCache;

    @Option(names = "--projection-rate", paramLabel = "X", defaultValue = "0.1", description = "The projections' learning rate as a share of the gates' (default: ${DEFAULT-VALUE}).")
    @Within(least = 0, most = 1000)
    private double projectionRate;

    @Mixin
    private DataOptions data;

    @Mixin
    private TrainingOptions training;

    @Mixin
    private FrozenOptions models;

    @Mixin
    private StitchOutput output;

    FrozenOptions models() {
        return models;
    }

    /** Refuses folders with other contents before anything is loaded. */
    void checkFolders(List<Path> inputs) throws IOException {
        training.checkFolders(out, output.folder(), inputs);
    }

    /** Trains and saves the selected stitch weights. */
    void train(StitchedModel model, Function<StitchTraining, Trainable> what, LlamaTokenizer tokenizer) throws IOException {
        checkFolders(Models.folders(model));
        training.checkContext(model.contextLength());
        PassOptions plain = PassOptions.DEFAULT.withCheckpointing(training.checkpointing());
        PassOptions options = training.documentMask(tokenizer, data).map(plain::withDocumentMask).orElse(plain);
        List<TokenDataset> datasets = data.read(tokenizer);
        if (frozenStateCache == null) {
            train(model, what.apply(new StitchTraining(model).withOptions(options)), datasets, tokenizer);
            return;
        }
        try (FrozenStateCache cache = FrozenStateCache.open(frozenStateCache)) {
            train(model, what.apply(new StitchTraining(model).withOptions(options.withFrozenStateCache(cache))),
                    datasets.stream().map(TokenDataset::withFixedWindows).toList(), tokenizer);
        }
    }

    private void train(StitchedModel model, Trainable what, List<TokenDataset> datasets, LlamaTokenizer tokenizer) throws IOException {
        Optional<ObjectNode> trained = training.train(what, datasets, tokenizer, () -> peakRate(model, datasets),
                config -> config.withParameterGroups(StitchTraining.projections(config.optimization().optimizer(), projectionRate)),
                training.runFolder(out), output.folder().isForced());
        if (trained.isPresent()) {
            output.folder().write(out, model);
            RunProduct.record(training.runFolder(out), out);
            output.print("Saved the stitch layers to " + out, out, model, trained.get());
        }
    }

    /** Measured on the beginning of each domain's text, so that a resumed training gets the same rate. */
    private double peakRate(StitchedModel model, List<TokenDataset> datasets) {
        int length = training.sequence();
        List<int[]> windows = datasets.stream().flatMap(dataset -> dataset.windows(length).stream().limit(MEASURED_WINDOWS)).map(Window::unpadded).toList();
        double rate = StitchTraining.peakRate(model, windows);
        System.err.printf(Locale.ROOT, "Peak learning rate %.1e, for the size of the hub's states; --lr sets another%n", rate);
        return rate;
    }
}
