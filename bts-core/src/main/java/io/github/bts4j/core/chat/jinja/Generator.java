package io.github.bts4j.core.chat.jinja;

import static io.github.bts4j.core.support.Problems.throwIf;

import java.util.Iterator;
import java.util.NoSuchElementException;

/** An iterator that looks for its next element when it is asked for it, as Python's generators do. */
abstract class Generator implements Iterator<Object> {
    private Object next = Arguments.MISSING;
    private boolean ended;

    /** The next element, or {@link Arguments#MISSING} if there is none. */
    abstract Object find();

    @Override
    public boolean hasNext() {
        if (next == Arguments.MISSING && !ended) {
            next = find();
            ended = next == Arguments.MISSING;
        }
        return !ended;
    }

    @Override
    public Object next() {
        throwIf(!hasNext(), () -> new NoSuchElementException());
        Object found = next;
        next = Arguments.MISSING;
        return found;
    }
}
