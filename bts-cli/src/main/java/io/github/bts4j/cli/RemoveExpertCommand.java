package io.github.bts4j.cli;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Parameters;

@Command(name = "remove-expert", description = "Remove an expert from a stitched model, without training.",
        footer = {"", "Example:", "  bts remove-expert stitched math smaller"})
final class RemoveExpertCommand extends OutputCommand {
    @Parameters(paramLabel = "STITCH", description = "A stitch checkpoint's folder.")
    private Path stitch;

    @Parameters(paramLabel = "NAME", description = "The expert's name.")
    private String name;

    @Parameters(paramLabel = "OUT", description = "Folder for the new stitch checkpoint.")
    private Path out;

    @Mixin
    private StitchOutput output;

    @Override
    public Integer call() throws IOException {
        return output.change(stitch, List.of(), out, model -> model.removeExpert(name));
    }
}
