package io.github.bts4j.examples.cli;

import io.github.bts4j.stitch.StitchCheckpoint;
import io.github.bts4j.stitch.StitchedModel;
import java.io.IOException;
import java.nio.file.Path;
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
    private Models models;

    @Mixin
    private Outcome outcome;

    @Override
    public Integer call() throws IOException {
        try (StitchedModel model = StitchCheckpoint.open(stitch, models.options())) {
            model.addExpert(name, expert);
            StitchCheckpoint.save(model, out);
            outcome.print("Saved a stitched model of " + model.members().size() + " models to " + out, Outcome.made(out, model));
            return 0;
        }
    }
}
