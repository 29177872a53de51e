package io.github.bts4j.server;

import io.github.bts4j.core.generate.Generator;
import io.github.bts4j.core.text.TextModel;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Set;

/**
 * One generator per set of switched-off experts. A generator uses the experts and weights that the model had when it was created, and holds
 * their memory: it is closed when no running sequence needs it, and replaced for new sequences once the model has changed. For the scheduler's thread.
 */
final class Generators implements AutoCloseable {
    private final TextModel model;
    private final List<View> views = new ArrayList<>();

    private record View(Set<String> off, TextModel model) {
        boolean isPresent() {
            return model.model().gated().orElseThrow().isPresent();
        }
    }

    Generators(TextModel model) {
        this.model = model;
    }

    /** The generator for a sequence that starts now. */
    Generator of(Set<String> expertsOff) {
        if (expertsOff.isEmpty()) {
            return model.generator();
        }
        return views.stream().filter(view -> view.off.equals(expertsOff) && view.isPresent()).findFirst().orElseGet(() -> open(expertsOff)).model.generator();
    }

    private View open(Set<String> off) {
        View view = new View(off, without(model, off));
        views.add(view);
        return view;
    }

    /** A model with experts switched off, which the caller closes. An expert that was there when the request came may be gone when its turn comes. */
    static TextModel without(TextModel model, Set<String> off) {
        try {
            return model.without(off);
        } catch (IllegalArgumentException e) {
            throw ApiException.field("experts_off", "experts_off: " + e.getMessage());
        }
    }

    /** Closes those that no running sequence needs. */
    void keep(Collection<Generator> needed) {
        views.removeIf(view -> {
            boolean unused = !needed.contains(view.model.generator());
            if (unused) {
                view.model.close();
            }
            return unused;
        });
    }

    @Override
    public void close() {
        keep(List.of());
    }
}
