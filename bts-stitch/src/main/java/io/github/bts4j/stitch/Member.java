package io.github.bts4j.stitch;

import java.nio.file.Path;

/**
 * A model that takes part in a stitched model.
 *
 * @param name its name in messages, gate traces and the stitch checkpoint
 * @param folder its checkpoint folder
 */
public record Member(String name, Path folder) {
    /**
     * Checks the name.
     *
     * @param name its name in messages
     * @param folder its checkpoint folder
     * @throws IllegalArgumentException if the name is blank
     */
    public Member {
        if (name.isBlank()) {
            throw new IllegalArgumentException("A model in " + folder + " has a blank name: names tell the models apart");
        }
    }
}
