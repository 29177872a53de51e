package io.github.bts4j.server;

import io.github.bts4j.core.generate.Generator;
import io.github.bts4j.core.text.TextModel;
import java.util.HashMap;
import java.util.Map;
import java.util.Set;

/** The model, and views of it with every set of experts that was asked to be switched off. For the scheduler's thread. */
final class Generators implements AutoCloseable {
    private final TextModel model;
    private final Map<Set<String>, TextModel> views = new HashMap<>();

    Generators(TextModel model) {
        this.model = model;
    }

    Generator of(Set<String> expertsOff) {
        return expertsOff.isEmpty() ? model.generator() : views.computeIfAbsent(expertsOff, model::without).generator();
    }

    @Override
    public void close() {
        views.values().forEach(TextModel::close);
    }
}
