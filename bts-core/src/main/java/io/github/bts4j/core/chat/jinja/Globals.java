package io.github.bts4j.core.chat.jinja;

import static io.github.bts4j.core.support.Problems.throwIf;

import java.math.BigInteger;
import java.time.LocalDateTime;
import java.util.Map;

/** The names that every template knows: jinja2's, and those of transformers. */
final class Globals {
    static final Map<String, Object> GLOBALS = Map.of(
            "range", new BoundMethod("range", Globals::range),
            "dict", new DictType(),
            "lipsum", new BoundMethod("lipsum", (run, arguments) -> {
                throw Fault.template("lipsum gives random text, which is not for prompts");
            }),
            "cycler", new BoundMethod("cycler", (run, arguments) -> {
                requireNoNames(arguments);
                return new Cycler(arguments.positional());
            }),
            "joiner", new BoundMethod("joiner", Globals::joiner),
            "namespace", new BoundMethod("namespace", Globals::namespace),
            "raise_exception", new BoundMethod("raise_exception", (run, arguments) -> {
                Object message = arguments.bind("raise_exception", 1, "message").get(0);
                throw new Fault(Fault.Kind.RAISED, Repr.str(run, message));
            }),
            "strftime_now", new BoundMethod("strftime_now", (run, arguments) -> {
                Arguments.Bound bound = arguments.bind("strftime_now", 1, "format");
                run.budget().steps(100 + 16L * bound.text(0).length()); // each directive has a formatter of its own
                run.budget().text(12L * bound.text(0).length());
                return Dates.format(bound.text(0), LocalDateTime.now(run.clock()));
            }));

    private Globals() {}

    /** {@code dict}: makes dicts, and has {@code fromkeys}. */
    static final class DictType implements Function {
        @Override
        public String typeName() {
            return "TemplateDict";
        }

        @Override
        public Object call(Run run, Arguments arguments) {
            return DictMethods.create(run, arguments);
        }
    }

    private static void requireNoNames(Arguments arguments) {
        throwIf(!arguments.named().isEmpty(),
                () -> Fault.type("got an unexpected keyword argument '" + arguments.named().keySet().iterator().next() + "'"));
    }

    private static Object range(Run run, Arguments arguments) {
        requireNoNames(arguments);
        int count = arguments.positional().size();
        throwIf(count < 1 || count > 3, () -> Fault.type("range expected 1 to 3 arguments, got " + count));
        BigInteger first = Numbers.index(arguments.positional().get(0));
        BigInteger stop = count == 1 ? first : Numbers.index(arguments.positional().get(1));
        BigInteger step = count < 3 ? BigInteger.ONE : Numbers.index(arguments.positional().get(2));
        return Range.of(count == 1 ? BigInteger.ZERO : first, stop, step);
    }

    private static Object joiner(Run run, Arguments arguments) {
        Object separator = arguments.bind("joiner", 0, "sep").get(0, ", ");
        boolean[] used = new boolean[1];
        return new BoundMethod("joiner", (caller, none) -> {
            none.positional("joiner", 0, 0);
            Object text = used[0] ? separator : "";
            used[0] = true;
            return text;
        });
    }

    private static Object namespace(Run run, Arguments arguments) {
        PyDict attributes = DictMethods.create(run, arguments);
        attributes.entries().forEach(entry -> Namespace.requireName(entry.key()));
        return new Namespace(attributes);
    }
}
