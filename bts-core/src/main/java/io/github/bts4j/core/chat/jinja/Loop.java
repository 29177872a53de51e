package io.github.bts4j.core.chat.jinja;

import static io.github.bts4j.core.support.Problems.throwIf;

import java.math.BigInteger;
import java.util.Iterator;
import java.util.List;

/** The {@code loop} of a for statement. */
final class Loop implements Function {
    /** Renders the body of a recursive loop over other elements. */
    interface Recursion {
        Object render(Run run, Object iterable, int depth);
    }

    private final Run run;
    private final Object iterable;
    private final Recursion recursion;
    private final int depth;
    private Iterator<Object> elements;
    private int index = -1;
    private int length = -1;
    private Object after = Arguments.MISSING;
    private Object current = Arguments.MISSING;
    private Object before = Arguments.MISSING;
    private List<Object> changed;

    Loop(Run run, Object iterable, Recursion recursion, int depth) {
        this.run = run;
        this.iterable = iterable;
        this.recursion = recursion;
        this.depth = depth;
        this.elements = Types.iterate(run, iterable);
    }

    boolean hasNext() {
        return after != Arguments.MISSING || elements.hasNext();
    }

    Object next() {
        Object next = after == Arguments.MISSING ? elements.next() : after;
        after = Arguments.MISSING;
        index++;
        before = current;
        current = next;
        return next;
    }

    int index() {
        return index + 1;
    }

    int length() {
        if (length < 0) {
            if (Types.hasLength(iterable)) {
                length = Types.length(iterable);
            } else {
                List<Object> rest = Types.list(run, Lazy.generator(elements));
                elements = rest.iterator();
                length = rest.size() + index() + (after == Arguments.MISSING ? 0 : 1);
            }
        }
        return length;
    }

    /** What iterating over the loop itself gives. */
    Iterator<Object> pairs() {
        return new Iterator<>() {
            @Override
            public boolean hasNext() {
                return Loop.this.hasNext();
            }

            @Override
            public Object next() {
                return Types.tuple(Loop.this.next(), Loop.this);
            }
        };
    }

    private Object peek() {
        if (after == Arguments.MISSING && elements.hasNext()) {
            after = elements.next();
        }
        return after;
    }

    Object attribute(Run caller, String name) {
        return switch (name) {
            case "index" -> BigInteger.valueOf(index());
            case "index0" -> BigInteger.valueOf(index);
            case "length" -> BigInteger.valueOf(length());
            case "revindex" -> BigInteger.valueOf(length() - index);
            case "revindex0" -> BigInteger.valueOf(length() - index());
            case "first" -> index == 0;
            case "last" -> peek() == Arguments.MISSING;
            case "depth" -> BigInteger.valueOf(depth + 1L);
            case "depth0" -> BigInteger.valueOf(depth);
            case "previtem" -> index == 0 ? Undefined.because("there is no previous item") : before == Arguments.MISSING ? null : before;
            case "nextitem" -> peek() == Arguments.MISSING ? Undefined.because("there is no next item") : after;
            case "cycle" -> new BoundMethod(name, (callers, arguments) -> cycle(arguments.positional()));
            case "changed" -> new BoundMethod(name, (callers, arguments) -> changed(callers, arguments.positional()));
            default -> Arguments.MISSING;
        };
    }

    private Object cycle(List<Object> items) {
        throwIf(items.isEmpty(), () -> Fault.type("no items for cycling given"));
        return items.get(Math.floorMod(index, items.size()));
    }

    private boolean changed(Run caller, List<Object> values) {
        Sequence.PyTuple now = new Sequence.PyTuple(values);
        if (changed != null && Comparisons.equal(caller, new Sequence.PyTuple(changed), now)) {
            return false;
        }
        changed = values;
        return true;
    }

    @Override
    public String typeName() {
        return "LoopContext";
    }

    @Override
    public String repr() {
        return "<LoopContext " + index() + "/" + length() + ">";
    }

    @Override
    public Object call(Run caller, Arguments arguments) {
        Object other = arguments.bind("loop", 1, "iterable").get(0);
        throwIf(recursion == null, () -> Fault.type("The loop must have the 'recursive' marker to be called recursively."));
        return recursion.render(caller, other, depth + 1);
    }
}
