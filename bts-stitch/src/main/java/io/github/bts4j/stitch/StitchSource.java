package io.github.bts4j.stitch;

import io.github.bts4j.core.text.ModelSource;
import io.github.bts4j.core.torch.llama.LoadOptions;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** Stitch checkpoints for {@link io.github.bts4j.core.text.TextModel#open}; tokenizer and chat template are the hub's. */
public final class StitchSource implements ModelSource {
    /** Creates a source, for {@link java.util.ServiceLoader}. */
    public StitchSource() {
        // no state
    }

    @Override
    public boolean recognises(Path path) {
        return Files.exists(path.resolve(StitchCheckpoint.DESCRIPTION));
    }

    @Override
    public Loaded open(Path path, LoadOptions options) throws IOException {
        StitchedModel model = StitchCheckpoint.open(path, options);
        return new Loaded(model, model.members().get(0).folder());
    }
}
