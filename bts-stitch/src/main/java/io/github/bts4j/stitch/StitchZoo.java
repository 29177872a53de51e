package io.github.bts4j.stitch;

import io.github.bts4j.core.djl.LocalModelZoo;
import io.github.bts4j.core.llama.LoadOptions;
import java.nio.file.Path;

/** Stitched models for users of DJL's {@code Criteria}. */
public final class StitchZoo {
    private StitchZoo() {}

    /**
     * The zoo of one stitch checkpoint, whose base models lie where they lay when it was written.
     *
     * @param folder the stitch checkpoint's folder
     * @param hub the hub's checkpoint folder, whose tokenizer and end-of-text tokens count
     * @param options device and precision of the base models
     * @return the zoo; nothing is read before it is asked to load
     */
    public static LocalModelZoo of(Path folder, Path hub, LoadOptions options) {
        return new LocalModelZoo("stitched", hub, options, wanted -> StitchCheckpoint.open(folder, wanted));
    }
}
