package io.github.bts4j.core.chat.jinja;

import java.util.Iterator;

/**
 * A Python iterator: what a generator or {@code reversed} gives, element by element and once.
 *
 * @param typeName Python's name of its type
 * @param elements what is left of it
 */
record Lazy(String typeName, Iterator<Object> elements) {
    /** An iterator of a generator function's. */
    static Lazy generator(Iterator<Object> elements) {
        return new Lazy("generator", elements);
    }
}
