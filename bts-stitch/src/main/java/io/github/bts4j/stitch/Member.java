package io.github.bts4j.stitch;

import static io.github.bts4j.core.support.Problems.throwIf;

import io.github.bts4j.core.adapter.Adapter;
import java.nio.file.Path;

/**
 * A base model of a stitched model.
 *
 * @param name its name in messages, gate traces and the stitch checkpoint
 * @param folder its checkpoint folder; of an expert also the folder of a PEFT adapter, whose base is the hub
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
        throwIf(name.isBlank(), () -> new IllegalArgumentException("A model in " + folder + " has a blank name: give each model its own name"));
    }

    /** {@return whether the member is an adapter of the hub, that is, whether its folder holds an adapter and no full model} */
    public boolean isAdapter() {
        return Adapter.isAdapter(folder);
    }
}
