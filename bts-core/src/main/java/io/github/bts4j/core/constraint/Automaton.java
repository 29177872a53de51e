package io.github.bts4j.core.constraint;

import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.Map;
import java.util.Set;

/**
 * The pushdown automaton of a grammar over bytes, made deterministic as far as texts lead. Its states with their transitions and masks are kept within a bound of
 * memory. Thread-safe.
 */
@SuppressWarnings("ReferenceEquality") // states are interned, and there is one dead state
final class Automaton {
    private static final int MOST_TOPS = 1024;
    private static final long MOST_WORK = 1_000_000;
    private static final long STATE_BYTES = 320;
    private static final long TOP_BYTES = 96;
    private static final long EDGES_BYTES = 1040;

    private final Node root;
    private final long mostBytes;
    private final Map<State, State> states = new HashMap<>();
    private final State dead = new State(Set.of(), false, 0);
    private long bytes;
    private int generation = 1;
    private long work; // places that the current mask has tried

    /** Tries bytes for masks. Above a bound of work only tokens of one byte are allowed: a text of such tokens can still end well. */
    private final ByteTree.Step trial = new ByteTree.Step() {
        @Override
        public State next(State state, int value) {
            State next = Automaton.this.next(state, value);
            return next == dead ? null : next;
        }

        @Override
        public boolean isExhausted() {
            return work > MOST_WORK;
        }
    };

    Automaton(Node root, long mostBytes) {
        this.root = root;
        this.mostBytes = mostBytes;
    }

    /** All places that the text may be at without another byte. */
    private final class Closure {
        private final Set<Stack> tops = new LinkedHashSet<>();
        private final Set<Stack> seen = new HashSet<>();
        private boolean accepting;

        /** Places above the bound are left out: then fewer texts are allowed, and each still ends well. */
        void add(Stack stack) {
            if (stack == null) {
                accepting = true;
            } else if (tops.size() < MOST_TOPS && seen.add(stack)) {
                if (stack.node instanceof Terminal terminal) {
                    if (terminal.goesOn(stack.place)) {
                        tops.add(stack);
                    }
                    if (terminal.accepts(stack.place)) {
                        ended(stack.below, terminal.result(stack.place));
                    }
                } else {
                    call((Composite) stack.node, stack);
                }
            }
        }

        private void ended(Stack below, Object result) {
            if (below == null) {
                accepting = true;
            } else {
                add(new Stack(below.node, ((Composite) below.node).resume(below.place, result), below.below));
            }
        }

        private void call(Composite node, Stack stack) {
            node.choices(stack.place, new Composite.Choices() {
                @Override
                public void call(Node child, Object from, Object then) {
                    add(new Stack(child, from, new Stack(node, then, stack.below)));
                }

                @Override
                public void last(Node child) {
                    add(new Stack(child, child.begin(), stack.below));
                }

                @Override
                public void end() {
                    ended(stack.below, "");
                }
            });
        }

        State state() {
            return tops.isEmpty() && !accepting ? dead : intern(tops, accepting);
        }
    }

    private State intern(Set<Stack> tops, boolean accepting) {
        State state = new State(tops, accepting, generation);
        State known = states.putIfAbsent(state, state);
        if (known == null) {
            use(STATE_BYTES + TOP_BYTES * tops.size());
        }
        return known == null ? state : known;
    }

    /** Forgets all states when they take too much memory; those in use are taken up again. */
    private void use(long more) {
        bytes += more;
        if (bytes > mostBytes) {
            states.clear();
            generation++;
            bytes = 0;
        }
    }

    synchronized State begin() {
        Closure closure = new Closure();
        closure.add(new Stack(root, root.begin(), null));
        return closure.state();
    }

    synchronized boolean isDead(State state) {
        return state == dead;
    }

    /** The state after a byte that is tried. */
    private State next(State before, int value) {
        State state = before.generation == generation || before == dead ? before : intern(before.tops, before.accepting);
        if (state.next == null) {
            state.next = new State[256];
            use(EDGES_BYTES);
        }
        State known = state.next[value];
        if (known != null && (known.generation == generation || known == dead)) {
            return known;
        }
        State after = after(state, value, false);
        state.next[value] = after;
        return after;
    }

    private State after(State state, int value, boolean commit) {
        Closure closure = new Closure();
        work += state.tops.size();
        for (Stack top : state.tops) {
            Terminal terminal = (Terminal) top.node;
            Object place = commit ? terminal.commit(top.place, value) : terminal.next(top.place, value);
            if (place != null) {
                closure.add(new Stack(terminal, place, top.below));
            }
        }
        return closure.state();
    }

    /** The state after a token of the text. */
    synchronized State commit(State before, byte[] token) {
        State state = before;
        for (byte value : token) {
            state = state.tops.stream().anyMatch(top -> ((Terminal) top.node).remembers()) ? after(state, value & 0xFF, true) : next(state, value & 0xFF);
        }
        return state;
    }

    /** The state after a special token. */
    synchronized State commitSpecial(State before, int token) {
        Closure closure = new Closure();
        for (Stack top : before.tops) {
            if (top.node instanceof SpecialToken special && special.id() == token) {
                closure.ended(top.below, "");
            }
        }
        return closure.state();
    }

    /** The tokens that may follow, one bit each; not to be changed. */
    synchronized long[] mask(State state, TokenTrie trie) {
        if (state.mask == null || state.masked != trie) {
            work = 0;
            long[] mask = trie.mask(state, trial);
            for (Stack top : state.tops) {
                if (top.node instanceof SpecialToken special && special.id() < trie.size()) {
                    mask[special.id() >> 6] |= 1L << special.id();
                }
            }
            state.mask = mask;
            state.masked = trie;
            use(8L * mask.length);
        }
        return state.mask;
    }

}
