package io.github.bts4j.examples.cli;

import io.github.bts4j.core.llama.LlamaConfig;
import io.github.bts4j.core.tokenizer.LlamaTokenizer;
import io.github.bts4j.stitch.PassOptions;
import io.github.bts4j.stitch.PrefixCache;
import io.github.bts4j.stitch.StitchCheckpoint;
import io.github.bts4j.stitch.StitchConfig;
import io.github.bts4j.stitch.StitchedModel;
import io.github.bts4j.stitch.StitchedModelBuilder;
import io.github.bts4j.train.StitchTraining;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

@Command(name = "stitch", description = "Join a seed and its experts by stitch layers and train those. An interrupted run goes on when it is called again.")
final class StitchCommand extends OutputCommand {
    @Parameters(paramLabel = "HUB", description = "The seed, or whichever model is to be the hub.")
    private Path hub;

    @Option(names = "--expert", paramLabel = "NAME=DIR", required = true, description = "An expert's name and checkpoint; repeat for every expert.")
    private List<String> experts;

    @Option(names = "--out", paramLabel = "DIR", required = true, description = "Folder for the stitch checkpoint.")
    private Path out;

    @Option(names = "--stitches", defaultValue = "4", paramLabel = "K", description = "Stitch layers, spread evenly (default: ${DEFAULT-VALUE}).")
    private int stitches;

    @Option(names = "--dropout", defaultValue = "0.1", description = "Dropout of the gates in training (default: ${DEFAULT-VALUE}).")
    private double dropout;

    @Option(names = "--hub-only", description = "Experts-into-Hub layers only, instead of both kinds in turn.")
    private boolean hubOnly;

    @Option(names = "--prefix-cache", paramLabel = "DIR", description = "Keep what lies below the first stitch in this folder; pays off from the second epoch on.")
    private Path prefixCache;

    @Mixin
    private DataOptions data;

    @Mixin
    private TrainingOptions training;

    @Mixin
    private Models models;

    @Override
    public Integer call() throws IOException {
        StitchConfig config = StitchConfig.evenly(LlamaConfig.read(hub).numLayers(), stitches).withDropout(dropout).withAlternating(!hubOnly);
        StitchedModelBuilder builder = StitchedModel.builder().hub(hub).config(config).options(models.options());
        for (String expert : experts) {
            String[] pair = Models.pair("--expert", expert);
            builder.expert(pair[0], Path.of(pair[1]));
        }
        try (LlamaTokenizer tokenizer = LlamaTokenizer.open(hub); StitchedModel model = builder.open()) {
            PassOptions options = PassOptions.DEFAULT.withCheckpointing(training.checkpointing());
            options = training.documentMask(tokenizer).map(options::withDocumentMask).orElse(options);
            if (prefixCache == null) {
                return train(model, options, tokenizer);
            }
            try (PrefixCache cache = PrefixCache.open(prefixCache)) {
                return train(model, options.withPrefixCache(cache), tokenizer);
            }
        }
    }

    private int train(StitchedModel model, PassOptions options, LlamaTokenizer tokenizer) throws IOException {
        var datasets = data.read(tokenizer);
        if (options.prefixCache().isPresent()) {
            datasets = datasets.stream().map(io.github.bts4j.train.data.TokenDataset::withFixedWindows).toList();
        }
        if (training.train(new StitchTraining(model).withOptions(options), datasets, tokenizer, 1e-3, out)) {
            StitchCheckpoint.save(model, out);
            output().println("Saved the stitch layers to " + out);
        }
        return 0;
    }
}
