package io.github.bts4j.stitch;

import java.util.Collections;
import java.util.Map;
import java.util.TreeMap;

/**
 * What once happened to an expert's place in a stitched model. A stitch checkpoint keeps these steps, oldest first.
 *
 * @param change what happened
 * @param expert the expert's name
 * @param files SHA-256 by file: of the model that was replaced, or of the stitch weights that were combined
 */
public record LineageStep(Change change, String expert, Map<String, String> files) {
    /** What can happen. */
    public enum Change {
        /** Another model took the expert's place, its gate slices and its projections. */
        REPLACED,
        /** The expert's gate slices and projections came from a model that was trained apart. */
        COMBINED
    }

    /**
     * Copies the files.
     *
     * @param change what happened
     * @param expert the expert's name
     * @param files SHA-256 by file
     */
    public LineageStep {
        files = Collections.unmodifiableMap(new TreeMap<>(files));
    }
}
