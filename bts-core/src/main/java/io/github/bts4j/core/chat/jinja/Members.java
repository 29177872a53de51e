package io.github.bts4j.core.chat.jinja;

import static io.github.bts4j.core.support.Problems.throwIf;

import io.github.bts4j.core.chat.jinja.Sequence.PyList;
import io.github.bts4j.core.chat.jinja.Sequence.PyTuple;
import java.math.BigInteger;
import java.util.List;
import java.util.Set;
import java.util.function.IntFunction;

/**
 * {@code a.b} and {@code a[b]} as jinja2's immutable sandbox looks them up: attributes first or items first, what begins with an underscore or changes a
 * value is out of reach.
 */
final class Members {
    private static final Set<String> LIST_MUTATORS = Set.of("append", "clear", "pop", "reverse", "insert", "sort", "extend", "remove");
    private static final Set<String> DICT_MUTATORS = Set.of("clear", "pop", "popitem", "setdefault", "update");
    private static final Set<String> INTERNALS = Set.of("__class__", "__doc__", "__init__", "__new__", "__str__", "__repr__", "__eq__", "__ne__", "__hash__",
            "__dir__", "__getattribute__", "__setattr__", "__delattr__", "__reduce__", "__reduce_ex__", "__sizeof__", "__format__", "__subclasshook__",
            "__init_subclass__");
    private static final Set<String> CONTAINER_INTERNALS = Set.of("__len__", "__iter__", "__getitem__", "__contains__", "__add__", "__mul__");

    private Members() {}

    /** {@code object.name}. */
    static Object attribute(Run run, Object object, String name) {
        Object value = safe(run, object, name);
        if (value != Arguments.MISSING) {
            return value;
        }
        PyDict.Entry entry = object instanceof PyDict dict ? dict.entry(name) : null;
        return entry == null ? Undefined.member(object, name) : entry.value();
    }

    /** {@code object|attr(name)}: attributes alone. */
    static Object onlyAttribute(Run run, Object object, String name) {
        Object value = safe(run, object, name);
        return value == Arguments.MISSING ? Undefined.member(object, name) : value;
    }

    /** {@code object[key]}. */
    static Object item(Run run, Object object, Object key) {
        Undefined.refuse(object);
        Object value = subscript(run, object, key);
        if (value == Arguments.MISSING && Types.isText(key)) {
            value = safe(run, object, Types.text(key));
        }
        return value == Arguments.MISSING ? Undefined.member(object, key) : value;
    }

    private static Object subscript(Run run, Object object, Object key) {
        if (object instanceof PyDict dict) {
            if (key instanceof PyList || key instanceof PyDict) {
                return Arguments.MISSING;
            }
            PyDict.Entry entry;
            try {
                entry = dict.entry(run.budget(), key);
            } catch (Fault e) {
                if (e.kind() == Fault.Kind.TYPE) {
                    return Arguments.MISSING;
                }
                throw e;
            }
            return entry == null ? Arguments.MISSING : entry.value();
        }
        if (!Numbers.isInteger(key)) {
            return Arguments.MISSING;
        }
        BigInteger index = Numbers.integer(key);
        if (Types.isText(object)) {
            return character(run, object, index);
        }
        if (object instanceof Sequence sequence) {
            return element(index, sequence.items().size(), sequence.items()::get);
        }
        if (object instanceof Range range) {
            return element(index, range.size(), range::get);
        }
        return object instanceof Bytes bytes ? element(index, bytes.value().length, bytes::get) : Arguments.MISSING;
    }

    private static Object element(BigInteger index, int size, IntFunction<Object> elements) {
        int at = index(index, size);
        return at < 0 ? Arguments.MISSING : elements.apply(at);
    }

    private static Object character(Run run, Object object, BigInteger index) {
        String text = Types.text(object);
        run.budget().read(text.length());
        int at = index(index, Text.length(text));
        if (at < 0) {
            return Arguments.MISSING;
        }
        String character = Text.of(text.codePointAt(Text.offset(text, at)));
        return object instanceof Markup ? new Markup(character) : character;
    }

    /** An index into so many elements, counted from the end if it is negative; -1 if there is none. */
    static int index(BigInteger index, int size) {
        if (index.bitLength() > 31) {
            return -1;
        }
        long at = index.signum() < 0 ? index.longValue() + size : index.longValue();
        return at >= 0 && at < size ? (int) at : -1;
    }

    /** An attribute, {@link Arguments#MISSING} if there is none, an undefined value if it is out of reach. */
    private static Object safe(Run run, Object object, String name) {
        if (object instanceof Undefined && INTERNALS.contains(name)) {
            return Undefined.unsafe(object, name);
        }
        Undefined.refuse(object);
        if (object instanceof Namespace namespace) {
            PyDict.Entry entry = namespace.attributes().entry(name);
            return entry == null ? name.equals("__class__") ? Undefined.unsafe(object, name) : Arguments.MISSING
                    : name.startsWith("_") ? Undefined.unsafe(object, name) : entry.value();
        }
        boolean internal = INTERNALS.contains(name) || CONTAINER_INTERNALS.contains(name) && Types.hasLength(object);
        boolean mutator = object instanceof PyList && LIST_MUTATORS.contains(name) || object instanceof PyDict && DICT_MUTATORS.contains(name);
        if (internal || mutator) {
            return Undefined.unsafe(object, name);
        }
        return own(run, object, name);
    }

    private static Object own(Run run, Object object, String name) {
        if (Types.isText(object)) {
            return textMethod(object, name);
        }
        if (object instanceof PyDict dict) {
            return DictMethods.of(dict, name);
        }
        if (object instanceof Sequence sequence) {
            return SequenceMethods.of(sequence, name);
        }
        if (Types.isNumber(object)) {
            return NumberMembers.of(object, name);
        }
        if (object instanceof Loop loop) {
            return loop.attribute(run, name);
        }
        if (object instanceof Cycler cycler) {
            return cycler.attribute(name);
        }
        if (object instanceof Macro macro) {
            return macro.attribute(name);
        }
        if (object instanceof TemplateSelf self) {
            return self.block(name);
        }
        if (object instanceof Range range) {
            return rangeMember(range, name);
        }
        if (object instanceof DictView view && name.equals("mapping")) {
            return view.dict();
        }
        if (object instanceof Bytes bytes) {
            return SequenceMethods.of(bytes, name);
        }
        return object instanceof Globals.DictType && name.equals("fromkeys") ? new BoundMethod("fromkeys", DictMethods::fromKeys) : Arguments.MISSING;
    }

    private static Object rangeMember(Range range, String name) {
        return switch (name) {
            case "start" -> range.start();
            case "stop" -> range.stop();
            case "step" -> range.step();
            case "index" -> new BoundMethod(name, (run, arguments) -> {
                Object sought = arguments.positional("index", 1, 1).get(0);
                int at = Numbers.isInteger(sought) ? range.indexOf(Numbers.integer(sought)) : -1;
                throwIf(at < 0, () -> Fault.value(Repr.repr(run, sought) + " is not in range"));
                return BigInteger.valueOf(at);
            });
            case "count" -> new BoundMethod(name, (run, arguments) -> {
                Object sought = arguments.positional("count", 1, 1).get(0);
                return Comparisons.contains(run, range, sought) ? BigInteger.ONE : BigInteger.ZERO;
            });
            default -> Arguments.MISSING;
        };
    }

    private static Object textMethod(Object object, String name) {
        if (object instanceof Markup markup) {
            return MarkupMethods.of(markup, name);
        }
        StringMethods.Method method = StringMethods.method(name);
        String text = (String) object;
        return method == null ? Arguments.MISSING : new BoundMethod(name, (run, arguments) -> {
            run.budget().step();
            run.budget().read(text, arguments);
            run.budget().text(text.length());
            return method.call(run, text, arguments);
        });
    }

    /** The items of a tuple that {@code groupby} made, by name. */
    static Object groupMember(PyTuple tuple, String name) {
        List<Object> items = tuple.items();
        return name.equals("grouper") ? items.get(0) : name.equals("list") ? items.get(1) : Arguments.MISSING;
    }
}
