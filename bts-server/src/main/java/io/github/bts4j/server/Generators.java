package io.github.bts4j.server;

import io.github.bts4j.core.generate.Generator;
import io.github.bts4j.core.text.TextModel;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Set;
import java.util.function.UnaryOperator;

/**
 * One generator per set of switched-off experts. A generator uses the experts and weights that the model had when it was created, and holds
 * their memory: once the model has changed, it is replaced for new sequences, and closed when no running sequence needs it. A few that no sequence
 * needs stay, with what the prefix cache holds for them. For the scheduler's thread.
 */
final class Generators implements AutoCloseable {
    private static final int MOST_UNUSED = 8;

    private final TextModel model;
    private final UnaryOperator<Generator> prepared;
    private final Generator whole;
    private final List<View> views = new ArrayList<>(); // the last one was used last

    private record View(Set<String> off, TextModel model, Generator generator) {
        boolean isPresent() {
            return model.model().gated().orElseThrow().isPresent();
        }
    }

    /** Generators of a model, each of which is prepared once, such as with a prefix cache. */
    Generators(TextModel model, UnaryOperator<Generator> prepared) {
        this.model = model;
        this.prepared = prepared;
        this.whole = prepared.apply(model.generator());
    }

    /** The generator for a sequence that starts now. */
    Generator of(Set<String> expertsOff) {
        if (expertsOff.isEmpty()) {
            return whole;
        }
        View view = views.stream().filter(one -> one.off.equals(expertsOff) && one.isPresent()).findFirst().orElseGet(() -> open(expertsOff));
        views.remove(view);
        views.add(view);
        return view.generator;
    }

    private View open(Set<String> off) {
        TextModel without = without(model, off);
        return new View(off, without, prepared.apply(without.generator()));
    }

    /** A model with experts switched off, which the caller closes. An expert that was there when the request came may be gone when its turn comes. */
    static TextModel without(TextModel model, Set<String> off) {
        try {
            return model.without(off);
        } catch (IllegalArgumentException e) {
            throw ApiException.field("experts_off", "experts_off: " + e.getMessage());
        }
    }

    /** Closes those that no running sequence needs, apart from a few that later sequences may need. */
    void keep(Collection<Generator> needed) {
        keep(needed, MOST_UNUSED);
    }

    private void keep(Collection<Generator> needed, int mostUnused) {
        int unused = 0;
        for (int i = views.size() - 1; i >= 0; i--) {
            View view = views.get(i);
            if (!needed.contains(view.generator) && (!view.isPresent() || ++unused > mostUnused)) {
                view.model.close();
                views.remove(i);
            }
        }
    }

    @Override
    public void close() {
        keep(List.of(), 0);
    }
}
