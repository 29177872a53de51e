package io.github.bts4j.server;

import io.github.bts4j.core.FrozenLm;
import io.github.bts4j.core.generate.Generator;
import io.github.bts4j.stitch.StitchedModel;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** A generator for every set of experts that was asked to be switched off. For the scheduler's thread. */
final class Generators implements AutoCloseable {
    private final ServedModel served;
    private final Map<Set<String>, Generator> bySet = new HashMap<>();
    private final List<FrozenLm> views = new ArrayList<>();

    Generators(ServedModel served) {
        this.served = served;
        bySet.put(Set.of(), new Generator(served.model(), served.tokenizer()));
    }

    Generator of(Set<String> expertsOff) {
        return bySet.computeIfAbsent(expertsOff, off -> {
            FrozenLm view = ((StitchedModel) served.model()).without(off);
            views.add(view);
            return new Generator(view, served.tokenizer());
        });
    }

    @Override
    public void close() {
        views.forEach(FrozenLm::close);
    }
}
