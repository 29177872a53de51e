package io.github.bts4j.core.constraint;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.TreeMap;

/** One of several byte strings, as a tree. A place is the number of a node. */
final class Literals extends Terminal {
    private final List<TreeMap<Integer, Integer>> children = new ArrayList<>();
    private final List<Boolean> ends = new ArrayList<>();

    Literals(Collection<String> texts) {
        add();
        for (String text : texts) {
            int node = 0;
            for (byte value : text.getBytes(StandardCharsets.UTF_8)) {
                Integer child = children.get(node).get(value & 0xFF);
                if (child == null) {
                    child = add();
                    children.get(node).put(value & 0xFF, child);
                }
                node = child;
            }
            ends.set(node, true);
        }
    }

    static Literals of(String... texts) {
        return new Literals(List.of(texts));
    }

    private int add() {
        children.add(new TreeMap<>());
        ends.add(false);
        return ends.size() - 1;
    }

    @Override
    Object begin() {
        return 0;
    }

    @Override
    Object next(Object place, int value) {
        return children.get((Integer) place).get(value);
    }

    @Override
    boolean accepts(Object place) {
        return ends.get((Integer) place);
    }

    @Override
    boolean goesOn(Object place) {
        return !children.get((Integer) place).isEmpty();
    }
}
