package io.github.bts4j.cli;

import io.github.bts4j.stitch.StitchCheckpoint;
import io.github.bts4j.stitch.StitchCombination;
import io.github.bts4j.stitch.StitchConfig;
import io.github.bts4j.stitch.StitchedModel;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

@Command(name = "combine", description = "Put stitched models that were trained apart, each with the same hub and experts of its own, into one, without any text. train-stitches then calibrates it.",
        footer = {"", "Examples:", "  bts combine stitched-law stitched-math --out combined", "  bts combine from-law from-math --at hub=seed --at law=expert-law --at math=expert-math --out combined"})
final class CombineCommand extends OutputCommand {
    @Parameters(paramLabel = "STITCH", arity = "2..*", description = "The folders of two or more stitch checkpoints.")
    private List<Path> stitches;

    @Option(names = "--at", paramLabel = "NAME=DIR", description = "Where a base model is, if not at the path that its stitch checkpoint records; repeat for each.")
    private List<String> moved = List.of();

    @Option(names = "--out", paramLabel = "DIR", required = true, description = "Folder for the new stitch checkpoint.")
    private Path out;

    @Mixin
    private FrozenOptions models;

    @Mixin
    private StitchOutput output;

    @Override
    public Integer call() throws IOException {
        Map<String, Path> at = new LinkedHashMap<>();
        for (String each : moved) {
            String[] pair = Models.pair("--at", each);
            Path before = at.put(pair[0], Path.of(pair[1]));
            if (before != null) {
                throw new IllegalArgumentException("--at " + pair[0] + " is given twice, as " + before + " and " + pair[1] + ": give one folder for each model");
            }
        }
        List<Path> inputs = new ArrayList<>(stitches);
        inputs.addAll(at.values());
        output.folder().check("--out " + out, out, inputs);
        warn(differences());
        try (StitchedModel model = StitchCombination.open(stitches, at, models.options())) {
            output.folder().check("--out " + out, out, Models.folders(model));
            output.folder().write(out, model);
            output.print("Combined " + stitches.size() + " stitched models into one of " + model.members().size() + " models in " + out, out, model, Outcome.object());
        }
        return 0;
    }

    /** What the combined model takes from the first part, where the parts differ and may. */
    private List<String> differences() throws IOException {
        StitchConfig first = StitchCheckpoint.describe(stitches.get(0)).config();
        List<String> warnings = new ArrayList<>();
        for (Path stitch : stitches.subList(1, stitches.size())) {
            double dropout = StitchCheckpoint.describe(stitch).config().dropout();
            if (dropout != first.dropout()) {
                warnings.add(stitch + " was trained with gate dropout " + dropout + ", " + stitches.get(0) + " with " + first.dropout() + ", which the combined model has; give "
                        + stitch + " first to keep the other");
            }
        }
        return warnings;
    }
}
