package io.github.bts4j.cli;

import io.github.bts4j.core.llama.LlamaConfig;
import io.github.bts4j.core.tokenizer.LlamaTokenizer;
import io.github.bts4j.stitch.Init;
import io.github.bts4j.stitch.StitchConfig;
import io.github.bts4j.stitch.StitchedModel;
import io.github.bts4j.stitch.StitchedModelBuilder;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

@Command(name = "stitch", description = "Join a seed and its experts with stitch layers and train those. Run the command again to resume an interrupted run.",
        footer = {"", "Examples:", "  bts stitch seed --expert code=expert-code --data code=code.jsonl --data text=general.jsonl --out stitched", "  bts stitch run.yaml steps=200"})
final class StitchCommand extends OutputCommand {
    @Parameters(paramLabel = "HUB", description = "The hub: the seed, or any other model.")
    private Path hub;

    @Option(names = "--expert", paramLabel = "NAME=DIR", required = true, description = "An expert's name and checkpoint; repeat for each expert.")
    private List<String> experts;

    @Option(names = "--stitches", defaultValue = "4", paramLabel = "K", description = "Stitch layers, spread evenly (default: ${DEFAULT-VALUE}).")
    @Within(least = 1, most = 10_000)
    private int stitches;

    @Option(names = "--dropout", paramLabel = "X", defaultValue = "0.1", description = "Dropout of the gates in training (default: ${DEFAULT-VALUE}).")
    @Within(least = 0, most = 1, below = true)
    private double dropout;

    @Option(names = "--init", defaultValue = "AVERAGE", description = "Start of the stitch layers: AVERAGE of all streams, only the HUB, or EXPERTS' streams unchanged (default: ${DEFAULT-VALUE}).")
    private Init init;

    @Option(names = "--hub-only", description = "Only Experts-into-Hub layers, instead of alternating kinds.")
    private boolean hubOnly;

    @Mixin
    private StitchOptions options;

    @Override
    public Integer call() throws IOException {
        List<Path> inputs = new ArrayList<>(List.of(hub));
        for (String expert : experts) {
            inputs.add(Path.of(Models.pair("--expert", expert)[1]));
        }
        options.checkFolders(inputs);
        Models.requireOneTokenizer("stitched", inputs);
        StitchConfig config = StitchConfig.evenly(LlamaConfig.read(hub).numLayers(), stitches).withDropout(dropout).withAlternating(!hubOnly).withInit(init);
        StitchedModelBuilder builder = StitchedModel.builder().hub(hub).config(config).options(options.models().options());
        for (String expert : experts) {
            String[] pair = Models.pair("--expert", expert);
            builder.expert(pair[0], Path.of(pair[1]));
            warn(ChatAgreement.warnings(hub, pair[0], Path.of(pair[1])));
        }
        try (LlamaTokenizer tokenizer = LlamaTokenizer.open(hub); StitchedModel model = builder.open()) {
            options.train(model, all -> all, tokenizer);
            return 0;
        }
    }
}
