package io.github.bts4j.spark;

import io.github.bts4j.core.UnsupportedException;
import io.github.bts4j.stitch.StitchCheckpoint;
import io.github.bts4j.train.TrainingSource;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/** Base models of stitched models that are copies from a store: whoever opens the stitched model needs them in the place that its checkpoint names. */
final class StitchedFiles {
    private StitchedFiles() {}

    /** Lets {@link SharedFiles#origins} know where a model's base models came from. */
    static void remember(Path model) {
        try {
            for (Path base : bases(model)) {
                SharedFiles.remember(base);
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Copies a model's base models that are not on this machine. */
    static void prepare(Path model, TrainingSource.Files files) throws IOException {
        for (Path base : bases(model)) {
            Path here = files.find(base.toString());
            if (!here.equals(base)) {
                throw new UnsupportedException("The stitched model in " + model + " names " + base + ", and this machine's copy is " + here + ": set -Dbts4j.files to the same folder on all machines");
            }
        }
    }

    private static List<Path> bases(Path model) throws IOException {
        if (!Files.exists(model.resolve(StitchCheckpoint.DESCRIPTION))) {
            return List.of();
        }
        Path folder = model.toRealPath();
        return StitchCheckpoint.describe(model).models().stream().map(base -> folder.resolve(base.path()).normalize()).toList();
    }
}
