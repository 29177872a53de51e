package io.github.bts4j.core.chat.jinja;

import java.util.HashMap;
import java.util.Map;

/** The filters by name: jinja2's, with transformers' {@code tojson}. */
final class Filters {
    /** A filter: the value before the bar, and what is in its parentheses. What it reads of texts is paid before it is called. */
    interface Filter {
        Object apply(Run run, Object value, Arguments arguments);
    }

    private static final Map<String, Filter> FILTERS = new HashMap<>();

    static {
        FILTERS.putAll(TextFilters.FILTERS);
        FILTERS.putAll(LayoutFilters.FILTERS);
        FILTERS.putAll(NumberFilters.FILTERS);
        FILTERS.putAll(SequenceFilters.FILTERS);
        FILTERS.putAll(SelectionFilters.FILTERS);
        FILTERS.putAll(OrderFilters.FILTERS);
        FILTERS.replaceAll((name, filter) -> (run, value, arguments) -> {
            run.budget().read(value, arguments);
            return filter.apply(run, value, arguments);
        });
    }

    private Filters() {}

    /** The filter of a name, null if there is none. */
    static Filter named(String name) {
        return FILTERS.get(name);
    }
}
