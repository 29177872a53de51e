package io.github.bts4j.core.chat.jinja;

import static io.github.bts4j.core.support.Problems.throwIf;

import java.util.List;

/** {@code cycler(..)}. */
final class Cycler {
    private final List<Object> items;
    private int position;

    Cycler(List<Object> items) {
        throwIf(items.isEmpty(), () -> Fault.template("at least one item has to be provided"));
        this.items = items;
    }

    Object attribute(String name) {
        return switch (name) {
            case "current" -> items.get(position);
            case "pos" -> java.math.BigInteger.valueOf(position);
            case "items" -> new Sequence.PyTuple(items);
            case "reset" -> new BoundMethod(name, (run, arguments) -> {
                arguments.positional(name, 0, 0);
                position = 0;
                return null;
            });
            case "next" -> new BoundMethod(name, (run, arguments) -> {
                arguments.positional(name, 0, 0);
                Object current = items.get(position);
                position = (position + 1) % items.size();
                return current;
            });
            default -> Arguments.MISSING;
        };
    }
}
