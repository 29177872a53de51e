package io.github.bts4j.server;

import io.github.bts4j.core.text.TextModel;
import java.util.Objects;

/**
 * A model and its name in the API. It does not close the model.
 *
 * @param name the model's name in requests
 * @param model the model; without a chat template there are no chat completions
 */
public record ServedModel(String name, TextModel model) {
    /**
     * Checks the components.
     *
     * @param name the model's name in requests
     * @param model the model
     * @throws IllegalArgumentException if the name is blank
     */
    public ServedModel {
        Objects.requireNonNull(model, "model");
        if (name.isBlank()) {
            throw new IllegalArgumentException("name = '" + name + "': give the name that clients use in requests");
        }
    }
}
