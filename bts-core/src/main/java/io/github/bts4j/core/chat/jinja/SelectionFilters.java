package io.github.bts4j.core.chat.jinja;

import static io.github.bts4j.core.support.Problems.throwIf;

import java.util.ArrayList;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;
import java.util.function.UnaryOperator;

/** {@code map}, {@code select} and their like: generators, which compute an element when it is asked for. */
final class SelectionFilters {
    static final Map<String, Filters.Filter> FILTERS = Map.of(
            "map", SelectionFilters::map,
            "select", (run, value, arguments) -> select(run, value, arguments, true, false),
            "reject", (run, value, arguments) -> select(run, value, arguments, false, false),
            "selectattr", (run, value, arguments) -> select(run, value, arguments, true, true),
            "rejectattr", (run, value, arguments) -> select(run, value, arguments, false, true));

    private SelectionFilters() {}

    /** Elements one by one; the function is made when the first is asked for, and only if there is something. */
    private static Lazy lazily(Run run, Object value, Supplier<UnaryOperator<Object>> function) {
        return Lazy.generator(new Generator() {
            private Iterator<Object> elements;
            private UnaryOperator<Object> operator;

            @Override
            Object find() {
                if (elements == null) {
                    if (!Types.truth(value)) {
                        return Arguments.MISSING;
                    }
                    operator = function.get();
                    elements = Types.iterate(run, value);
                }
                while (elements.hasNext()) {
                    run.budget().step();
                    Object found = operator.apply(elements.next());
                    if (found != Arguments.MISSING) {
                        return found;
                    }
                }
                return Arguments.MISSING;
            }
        });
    }

    private static Object map(Run run, Object value, Arguments arguments) {
        return lazily(run, value, () -> mapper(run, arguments));
    }

    private static UnaryOperator<Object> mapper(Run run, Arguments arguments) {
        if (arguments.positional().isEmpty() && arguments.named().containsKey("attribute")) {
            Map<String, Object> named = new LinkedHashMap<>(arguments.named());
            Object attribute = named.remove("attribute");
            Object otherwise = named.remove("default");
            throwIf(!named.isEmpty(), () -> Fault.template("Unexpected keyword argument " + Repr.text(named.keySet().iterator().next())));
            Attributes path = Attributes.one(attribute, false, otherwise);
            return item -> path.of(run, item);
        }
        throwIf(arguments.positional().isEmpty(), () -> Fault.template("map requires a filter argument"));
        Object name = arguments.positional().get(0);
        Arguments rest = new Arguments(arguments.positional().subList(1, arguments.positional().size()), arguments.named());
        return item -> filter(run, name).apply(run, item, rest);
    }

    private static Filters.Filter filter(Run run, Object name) {
        Filters.Filter filter = Types.isText(name) ? Filters.named(Types.text(name)) : null;
        throwIf(filter == null, () -> Fault.template("No filter named " + Repr.repr(run, name) + "."));
        return filter;
    }

    private static Object select(Run run, Object value, Arguments arguments, boolean keeps, boolean byAttribute) {
        return lazily(run, value, () -> {
            List<Object> left = new ArrayList<>(arguments.positional());
            throwIf(byAttribute && left.isEmpty(), () -> Fault.template("Missing parameter for attribute name"));
            Attributes attribute = byAttribute ? Attributes.one(left.remove(0), false, null) : null;
            Object name = left.isEmpty() ? Arguments.MISSING : left.remove(0);
            Arguments rest = new Arguments(left, arguments.named());
            return item -> {
                Object tested = attribute == null ? item : attribute.of(run, item);
                boolean holds = name == Arguments.MISSING ? Types.truth(tested) : Types.truth(test(run, name).apply(run, tested, rest));
                return holds == keeps ? item : Arguments.MISSING;
            };
        });
    }

    private static Tests.Test test(Run run, Object name) {
        Tests.Test test = Types.isText(name) ? Tests.named(Types.text(name)) : null;
        throwIf(test == null, () -> Fault.template("No test named " + Repr.repr(run, name) + "."));
        return test;
    }
}
