package io.github.bts4j.cli;

import io.github.bts4j.core.llama.LoadOptions;
import io.github.bts4j.stitch.StitchCheckpoint;
import io.github.bts4j.stitch.StitchedModel;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Parameters;

@Command(name = "add-expert", description = "Add an expert to a stitched model. Its stitches start untrained: train-stitches trains them.",
        footer = {"", "Example:", "  bts add-expert stitched law expert-law larger"})
final class AddExpertCommand extends OutputCommand {
    @Parameters(paramLabel = "STITCH", description = "A stitch checkpoint's folder.")
    private Path stitch;

    @Parameters(paramLabel = "NAME", description = "The expert's name.")
    private String name;

    @Parameters(paramLabel = "MODEL", description = "Its checkpoint folder.")
    private Path expert;

    @Parameters(paramLabel = "OUT", description = "Folder for the new stitch checkpoint.")
    private Path out;

    @Mixin
    private OutputFolder output;

    @Mixin
    private Outcome outcome;

    @Override
    public Integer call() throws IOException {
        output.check("OUT " + out, out, List.of(stitch, expert));
        try (StitchedModel model = StitchCheckpoint.open(stitch, LoadOptions.defaults())) {
            output.check("OUT " + out, out, Models.folders(model));
            Models.requireOneTokenizer("stitched", List.of(model.members().get(0).folder(), expert));
            model.addExpert(name, expert);
            output.write(out, model);
            outcome.print("Saved a stitched model of " + model.members().size() + " models to " + out, Outcome.made(out, model));
            return 0;
        }
    }
}
