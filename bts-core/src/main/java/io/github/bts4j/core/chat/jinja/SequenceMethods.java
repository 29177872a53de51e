package io.github.bts4j.core.chat.jinja;

import io.github.bts4j.core.chat.jinja.Sequence.PyList;
import io.github.bts4j.core.chat.jinja.Sequence.PyTuple;
import java.math.BigInteger;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;

/** The methods of lists, tuples and bytes that change nothing. */
final class SequenceMethods {
    private SequenceMethods() {}

    static Object of(Sequence sequence, String name) {
        if (sequence instanceof PyTuple tuple && tuple.isGroup() && Members.groupMember(tuple, name) != Arguments.MISSING) {
            return Members.groupMember(tuple, name);
        }
        return switch (name) {
            case "index" -> new BoundMethod(name, (run, arguments) -> index(run, sequence, arguments.positional(name, 1, 3)));
            case "count" -> new BoundMethod(name, (run, arguments) -> count(run, sequence, arguments.positional(name, 1, 1).get(0)));
            case "copy" -> sequence instanceof PyTuple ? Arguments.MISSING : new BoundMethod(name, (run, arguments) -> {
                arguments.positional(name, 0, 0);
                run.budget().elements(sequence.items().size());
                return new PyList(new ArrayList<>(sequence.items()));
            });
            default -> Arguments.MISSING;
        };
    }

    private static Object index(Run run, Sequence sequence, Arguments.Bound arguments) {
        List<Object> items = sequence.items();
        int start = within(arguments.clipped(1, 0), items.size());
        int stop = within(arguments.clipped(2, items.size()), items.size());
        for (int i = start; i < stop; i++) {
            if (items.get(i) == arguments.get(0) || Comparisons.equal(run, items.get(i), arguments.get(0))) {
                return BigInteger.valueOf(i);
            }
        }
        throw Fault.value(sequence instanceof PyList ? Repr.repr(run, arguments.get(0)) + " is not in list" : "tuple.index(x): x not in tuple");
    }

    private static int within(int index, int size) {
        return (int) Math.max(0, Math.min(size, index < 0 ? (long) index + size : index));
    }

    private static Object count(Run run, Sequence sequence, Object sought) {
        long count = sequence.items().stream().filter(item -> item == sought || Comparisons.equal(run, item, sought)).count();
        return BigInteger.valueOf(count);
    }

    static Object of(Bytes bytes, String name) {
        return switch (name) {
            case "decode" -> new BoundMethod(name, (run, arguments) -> {
                run.budget().text(bytes.value().length);
                return StringCodes.decode(bytes, arguments.bind(name, 0, "encoding", "errors"));
            });
            case "hex" -> new BoundMethod(name, (run, arguments) -> {
                arguments.positional(name, 0, 0);
                run.budget().text(2L * bytes.value().length);
                return HexFormat.of().formatHex(bytes.value());
            });
            default -> Arguments.MISSING;
        };
    }
}
