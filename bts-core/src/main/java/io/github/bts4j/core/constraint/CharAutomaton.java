package io.github.bts4j.core.constraint;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.Deque;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** A deterministic automaton over code points. State 0 is its beginning; every state that it reaches can reach an end. */
final class CharAutomaton {
    /** Any text. */
    static final CharAutomaton ANY = repeated(CharSet.ANY);

    private final int[][] edges; // [state]: first code point, last code point and target of each edge, in order
    private final boolean[] ends;

    CharAutomaton(int[][] edges, boolean[] ends) {
        this.edges = edges;
        this.ends = ends;
    }

    /** Texts of characters of a set. */
    static CharAutomaton repeated(CharSet set) {
        int[] ranges = set.ranges();
        int[] edges = new int[ranges.length / 2 * 3];
        for (int i = 0; i < ranges.length; i += 2) {
            edges[i / 2 * 3] = ranges[i];
            edges[i / 2 * 3 + 1] = ranges[i + 1];
        }
        return new CharAutomaton(new int[][] {edges}, new boolean[] {true});
    }

    /** The state after a code point, -1 if it is not allowed. */
    int next(int state, int codePoint) {
        int[] out = edges[state];
        for (int i = 0; i < out.length; i += 3) {
            if (codePoint >= out[i] && codePoint <= out[i + 1]) {
                return out[i + 2];
            }
        }
        return -1;
    }

    /** Whether one of these code points is allowed. */
    boolean overlaps(int state, int low, int high) {
        int[] out = edges[state];
        for (int i = 0; i < out.length; i += 3) {
            if (out[i] <= high && out[i + 1] >= low) {
                return true;
            }
        }
        return false;
    }

    boolean ends(int state) {
        return ends[state];
    }

    /** Whether a character may follow. */
    boolean goesOn(int state) {
        return edges[state].length > 0;
    }

    /** Whether it accepts no text. */
    boolean isEmpty() {
        return !ends[0] && edges[0].length == 0;
    }

    boolean matches(String text) {
        int state = 0;
        for (int codePoint : text.codePoints().toArray()) {
            state = next(state, codePoint);
            if (state < 0) {
                return false;
            }
        }
        return ends[state];
    }

    /** Texts that two automata accept. */
    CharAutomaton and(CharAutomaton other, Budget budget) {
        Builder<List<Integer>> builder = new Builder<>(budget);
        builder.state(List.of(0, 0));
        for (int at = 0; at < builder.size(); at++) {
            List<Integer> pair = builder.get(at);
            int[] one = edges[pair.get(0)];
            int[] two = other.edges[pair.get(1)];
            budget.use((long) one.length * two.length);
            for (int i = 0; i < one.length; i += 3) {
                for (int j = 0; j < two.length; j += 3) {
                    builder.edge(at, Math.max(one[i], two[j]), Math.min(one[i + 1], two[j + 1]), List.of(one[i + 2], two[j + 2]));
                }
            }
        }
        return builder.build(pair -> ends[pair.get(0)] && other.ends[pair.get(1)]);
    }

    /** Those of the texts with so many characters. */
    CharAutomaton ofLength(long least, long most, Budget budget) {
        Builder<List<Integer>> builder = new Builder<>(budget);
        builder.state(List.of(0, 0));
        for (int at = 0; at < builder.size(); at++) {
            int state = builder.get(at).get(0);
            int length = builder.get(at).get(1);
            int longer = most == Long.MAX_VALUE ? (int) Math.min(length + 1, least) : length + 1;
            for (int i = 0; i < edges[state].length && length < most; i += 3) {
                builder.edge(at, edges[state][i], edges[state][i + 1], List.of(edges[state][i + 2], longer));
            }
        }
        return builder.build(pair -> ends[pair.get(0)] && pair.get(1) >= least);
    }

    /** Collects states by what they stand for. */
    static final class Builder<T> {
        private final Map<T, Integer> numbers = new HashMap<>();
        private final List<T> states = new ArrayList<>();
        private final List<List<int[]>> out = new ArrayList<>();
        private final Budget budget;

        Builder(Budget budget) {
            this.budget = budget;
        }

        int state(T state) {
            return numbers.computeIfAbsent(state, added -> {
                states.add(added);
                out.add(new ArrayList<>());
                budget.use(Budget.EDGE);
                return states.size() - 1;
            });
        }

        int size() {
            return states.size();
        }

        T get(int number) {
            return states.get(number);
        }

        /** Adds an edge, unless it has no code points. */
        void edge(int from, int low, int high, T to) {
            if (low <= high) {
                budget.use(Budget.EDGE);
                out.get(from).add(new int[] {low, high, state(to)});
            }
        }

        /** The automaton, without states that reach no end. */
        CharAutomaton build(java.util.function.Predicate<T> isEnd) {
            boolean[] ends = new boolean[size()];
            List<List<Integer>> into = new ArrayList<>();
            states.forEach(state -> into.add(new ArrayList<>()));
            BitSet alive = new BitSet();
            Deque<Integer> todo = new ArrayDeque<>();
            for (int i = 0; i < ends.length; i++) {
                ends[i] = isEnd.test(states.get(i));
                if (ends[i]) {
                    alive.set(i);
                    todo.add(i);
                }
                for (int[] edge : out.get(i)) {
                    into.get(edge[2]).add(i);
                }
            }
            while (!todo.isEmpty()) {
                for (int from : into.get(todo.remove())) {
                    if (!alive.get(from)) {
                        alive.set(from);
                        todo.add(from);
                    }
                }
            }
            int[][] edges = new int[ends.length][];
            for (int i = 0; i < ends.length; i++) {
                edges[i] = out.get(i).stream().filter(edge -> alive.get(edge[2])).sorted((a, b) -> Integer.compare(a[0], b[0])).flatMapToInt(Arrays::stream).toArray();
            }
            return new CharAutomaton(edges, ends);
        }
    }

    /** The deterministic form of a nondeterministic automaton: sets of its states. */
    static CharAutomaton of(CharNfa nfa, Budget budget) {
        Builder<BitSet> builder = new Builder<>(budget);
        builder.state(nfa.closure(nfa.begin()));
        for (int at = 0; at < builder.size(); at++) {
            Map<Integer, BitSet> byBound = new LinkedHashMap<>();
            BitSet states = builder.get(at);
            int[] bounds = nfa.bounds(states);
            budget.use(states.size() / 8 + (long) bounds.length * states.cardinality() * 4);
            for (int i = 0; i + 1 < bounds.length; i++) {
                BitSet targets = nfa.targets(states, bounds[i]);
                if (!targets.isEmpty()) {
                    byBound.put(i, targets);
                }
            }
            for (Map.Entry<Integer, BitSet> each : byBound.entrySet()) {
                builder.edge(at, bounds[each.getKey()], bounds[each.getKey() + 1] - 1, each.getValue());
            }
        }
        return builder.build(states -> states.get(nfa.end()));
    }
}
