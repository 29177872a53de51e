package io.github.bts4j.cli;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.github.bts4j.core.torch.llama.LoadOptions;
import io.github.bts4j.stitch.StitchCheckpoint;
import io.github.bts4j.stitch.StitchedModel;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Supplier;
import picocli.CommandLine.Mixin;

/** Where a stitched model is saved; options of the commands that change one: an expert is added or removed, or its stitches are trained. */
final class StitchOutput {
    @Mixin
    private OutputFolder folder;

    @Mixin
    private Outcome outcome;

    /** Changes a model that is open. */
    interface Change {
        void apply(StitchedModel model) throws IOException;
    }

    /** Opens a model. */
    interface Opening {
        StitchedModel open() throws IOException;
    }

    OutputFolder folder() {
        return folder;
    }

    /**
     * Opens a stitched model, changes it and saves the result.
     *
     * @param stitch folder of the stitch checkpoint
     * @param experts folders of new experts
     * @param out folder of the new stitch checkpoint
     * @param change what happens to the model
     * @return the exit status
     */
    int change(Path stitch, List<Path> experts, Path out, Change change) throws IOException {
        return change(stitch, experts, out, change, () -> "", Outcome.object());
    }

    /** The same; what was found on the way is printed before the sentence, or with the result. */
    int change(Path stitch, List<Path> experts, Path out, Change change, Supplier<CharSequence> lines, ObjectNode more) throws IOException {
        List<Path> inputs = new ArrayList<>(experts);
        inputs.add(stitch);
        return change(() -> StitchCheckpoint.open(stitch, LoadOptions.defaults()), inputs, out, change, lines, more);
    }

    /** The same for a model that is opened in another way, from folders. */
    int change(Opening opening, List<Path> inputs, Path out, Change change, Supplier<CharSequence> lines, ObjectNode more) throws IOException {
        folder.check("OUT " + out, out, inputs);
        try (StitchedModel model = opening.open()) {
            folder.check("OUT " + out, out, Models.folders(model));
            change.apply(model);
            folder.write(out, model);
            print(lines.get() + "Saved a stitched model of " + model.members().size() + " models to " + out, out, model, more);
            return 0;
        }
    }

    /** Prints the sentence, or what was saved and more about it. */
    void print(String sentence, Path out, StitchedModel model, ObjectNode more) throws IOException {
        outcome.print(sentence, Outcome.made(out, model).setAll(more));
    }
}
