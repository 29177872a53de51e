package io.github.bts4j.core.chat.jinja;

import java.util.List;

/** A list or a tuple; templates cannot change either. Compared by identity in Java, by {@link Comparisons} in a template. */
abstract sealed class Sequence {
    private final List<Object> items;

    Sequence(List<Object> items) {
        this.items = items;
    }

    List<Object> items() {
        return items;
    }

    /** A list. */
    static final class PyList extends Sequence {
        PyList(List<Object> items) {
            super(items);
        }
    }

    /** A tuple; those of {@code groupby} have names for their two items. */
    static final class PyTuple extends Sequence {
        private final boolean group;

        PyTuple(List<Object> items) {
            this(items, false);
        }

        PyTuple(List<Object> items, boolean group) {
            super(items);
            this.group = group;
        }

        boolean isGroup() {
            return group;
        }
    }
}
