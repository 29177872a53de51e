package io.github.bts4j.core.constraint;

import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.TreeSet;

/** Sorted names, each as its UTF-8 bytes in Latin-1 characters. */
final class Names {
    static final Names NONE = new Names(List.of());

    private final List<String> sorted;
    private final int hash;

    private Names(Collection<String> names) {
        sorted = List.copyOf(new TreeSet<>(names));
        hash = sorted.hashCode();
    }

    static Names of(Collection<String> names) {
        return new Names(names);
    }

    Names and(String name) {
        List<String> more = new ArrayList<>(sorted);
        more.add(name);
        return new Names(more);
    }

    Names and(Names others) {
        List<String> more = new ArrayList<>(sorted);
        more.addAll(others.sorted);
        return new Names(more);
    }

    int size() {
        return sorted.size();
    }

    String get(int index) {
        return sorted.get(index);
    }

    @Override
    public int hashCode() {
        return hash;
    }

    @Override
    public boolean equals(Object other) {
        return this == other || other instanceof Names names && hash == names.hash && sorted.equals(names.sorted);
    }
}
