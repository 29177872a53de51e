package io.github.bts4j.cli;

import io.github.bts4j.core.tokenizer.LlamaTokenizer;
import io.github.bts4j.stitch.StitchCheckpoint;
import io.github.bts4j.stitch.StitchedModel;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

@Command(name = "train-stitches", description = "Continue to train the stitch layers of a stitched model, for example after adding an expert. Run the command again to resume an interrupted run.",
        footer = {"", "Example:", "  bts train-stitches larger --only-expert law --data law=law.jsonl --data text=general.jsonl --out larger-trained"})
final class TrainStitchesCommand extends OutputCommand {
    @Parameters(paramLabel = "STITCH", description = "A stitch checkpoint's folder.")
    private Path stitch;

    @Option(names = "--only-expert", paramLabel = "NAME", description = "Train only this expert's stitch weights, for example those of a new expert; the others do not change.")
    private String onlyExpert;

    @Mixin
    private StitchOptions options;

    @Override
    public Integer call() throws IOException {
        options.checkFolders(List.of(stitch));
        try (StitchedModel model = StitchCheckpoint.open(stitch, options.models().options()); LlamaTokenizer tokenizer = LlamaTokenizer.open(model.members().get(0).folder())) {
            options.train(model, all -> onlyExpert == null ? all : all.onlyExpert(onlyExpert), tokenizer);
            return 0;
        }
    }
}
