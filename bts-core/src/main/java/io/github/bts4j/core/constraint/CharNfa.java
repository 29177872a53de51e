package io.github.bts4j.core.constraint;

import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;
import java.util.TreeSet;

/** A nondeterministic automaton over code points, built from parts (Thompson's construction). */
final class CharNfa {
    private static final int MOST_STATES = 5_000;

    /**
     * A part of it.
     *
     * @param begin its first state
     * @param end its last state
     */
    record Part(int begin, int end) {}

    private final List<List<Integer>> empty = new ArrayList<>(); // [state]: targets of edges without a character
    private final List<CharSet> sets = new ArrayList<>(); // [state]: the characters of its edge, null if there is none
    private final List<Integer> targets = new ArrayList<>(); // [state]: where its edge leads
    private Part whole;

    private int state() {
        if (sets.size() >= MOST_STATES) {
            throw new IllegalArgumentException("the pattern needs more than " + MOST_STATES + " states: make it simpler, for example its numbers of repetitions smaller");
        }
        empty.add(new ArrayList<>());
        sets.add(null);
        targets.add(-1);
        return sets.size() - 1;
    }

    Part nothing() {
        int state = state();
        return new Part(state, state);
    }

    Part set(CharSet set) {
        Part part = new Part(state(), state());
        sets.set(part.begin, set);
        targets.set(part.begin, part.end);
        return part;
    }

    Part sequence(Part one, Part two) {
        empty.get(one.end).add(two.begin);
        return new Part(one.begin, two.end);
    }

    Part either(List<Part> parts) {
        Part part = new Part(state(), state());
        for (Part each : parts) {
            empty.get(part.begin).add(each.begin);
            empty.get(each.end).add(part.end);
        }
        return part;
    }

    /** The part, any number of times or once more at most. */
    Part optional(Part inner, boolean again) {
        Part part = new Part(state(), state());
        empty.get(part.begin).add(inner.begin);
        empty.get(part.begin).add(part.end);
        empty.get(inner.end).add(part.end);
        if (again) {
            empty.get(inner.end).add(inner.begin);
        }
        return part;
    }

    void complete(Part part) {
        whole = part;
    }

    int begin() {
        return whole.begin;
    }

    int end() {
        return whole.end;
    }

    BitSet closure(int state) {
        BitSet set = new BitSet();
        close(state, set);
        return set;
    }

    private void close(int from, BitSet into) {
        List<Integer> todo = new ArrayList<>(List.of(from));
        while (!todo.isEmpty()) {
            int state = todo.remove(todo.size() - 1);
            if (!into.get(state)) {
                into.set(state);
                todo.addAll(empty.get(state));
            }
        }
    }

    /** Code points between which all characters lead to the same states. */
    int[] bounds(BitSet states) {
        TreeSet<Integer> bounds = new TreeSet<>();
        states.stream().filter(state -> sets.get(state) != null).forEach(state -> {
            int[] ranges = sets.get(state).ranges();
            for (int i = 0; i < ranges.length; i += 2) {
                bounds.add(ranges[i]);
                bounds.add(ranges[i + 1] + 1);
            }
        });
        return bounds.stream().mapToInt(Integer::intValue).toArray();
    }

    BitSet targets(BitSet states, int codePoint) {
        BitSet reached = new BitSet();
        states.stream().filter(state -> sets.get(state) != null && sets.get(state).contains(codePoint)).forEach(state -> close(targets.get(state), reached));
        return reached;
    }
}
