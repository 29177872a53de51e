package io.github.bts4j.cli;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Parameters;

@Command(name = "add-expert", description = "Add an expert to a stitched model. Its stitches start untrained; train them with train-stitches.",
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
    private StitchOutput output;

    @Override
    public Integer call() throws IOException {
        return output.change(stitch, List.of(expert), out, model -> {
            Models.requireOneTokenizer("stitched", List.of(model.members().get(0).folder(), expert));
            warn(ChatAgreement.warnings(model.members().get(0).folder(), name, expert));
            model.addExpert(name, expert);
            Models.requireFinite(model, name);
        });
    }
}
