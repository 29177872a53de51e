package io.github.bts4j.core.chat.jinja;

import static io.github.bts4j.core.support.Problems.throwIf;

import io.github.bts4j.core.chat.jinja.Arguments.Bound;
import io.github.bts4j.core.chat.jinja.Sequence.PyList;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.function.UnaryOperator;

/** Filters that compare elements. */
final class OrderFilters {
    static final Map<String, Filters.Filter> FILTERS = Map.of(
            "sort", OrderFilters::sort,
            "unique", OrderFilters::unique,
            "min", (run, value, arguments) -> extreme(run, arguments.with(value).bind("do_min", 1, "value", "case_sensitive", "attribute"), "<"),
            "max", (run, value, arguments) -> extreme(run, arguments.with(value).bind("do_max", 1, "value", "case_sensitive", "attribute"), ">"),
            "groupby", OrderFilters::groupBy,
            "dictsort", OrderFilters::dictSort);

    private OrderFilters() {}

    private record Keyed(Object key, Object item) {}

    /** {@code sorted(items, key=key, reverse=reverse)}: stable, reversed too. */
    private static List<Object> sorted(Run run, List<Object> items, UnaryOperator<Object> key, boolean reverse) {
        List<Keyed> keyed = new ArrayList<>(items.size());
        items.forEach(item -> keyed.add(new Keyed(key.apply(item), item)));
        if (reverse) {
            Collections.reverse(keyed);
        }
        run.budget().elements(4L * items.size());
        try {
            keyed.sort(Comparator.comparing(Keyed::key, Comparisons.order(run)));
        } catch (IllegalArgumentException e) {
            throw Fault.value("the elements have no order");
        }
        if (reverse) {
            Collections.reverse(keyed);
        }
        List<Object> sorted = new ArrayList<>(keyed.size());
        keyed.forEach(each -> sorted.add(each.item()));
        return sorted;
    }

    private static Object sort(Run run, Object value, Arguments arguments) {
        Bound bound = arguments.with(value).bind("do_sort", 1, "value", "reverse", "case_sensitive", "attribute");
        Attributes attributes = Attributes.several(bound.get(3, null), !bound.truth(2, false));
        return new PyList(sorted(run, Types.list(run, bound.get(0)), item -> attributes.all(run, item), bound.truth(1, false)));
    }

    private static Object unique(Run run, Object value, Arguments arguments) {
        Bound bound = arguments.with(value).bind("do_unique", 1, "value", "case_sensitive", "attribute");
        Attributes attribute = Attributes.one(bound.get(2, null), !bound.truth(1, false), null);
        PyDict seen = new PyDict();
        return Lazy.generator(new Generator() {
            private Iterator<Object> elements;

            @Override
            Object find() {
                elements = elements == null ? Types.iterate(run, bound.get(0)) : elements;
                while (elements.hasNext()) {
                    Object item = elements.next();
                    Object key = attribute.of(run, item);
                    if (seen.entry(run.budget(), key) == null) {
                        seen.put(run.budget(), key, null);
                        return item;
                    }
                }
                return Arguments.MISSING;
            }
        });
    }

    private static Object extreme(Run run, Bound bound, String operator) {
        Attributes attribute = Attributes.one(bound.get(2, null), !bound.truth(1, false), null);
        Iterator<Object> elements = Types.iterate(run, bound.get(0));
        if (!elements.hasNext()) {
            return Undefined.because("No aggregated item, sequence was empty.");
        }
        Object best = elements.next();
        Object bestKey = attribute.of(run, best);
        while (elements.hasNext()) {
            Object item = elements.next();
            Object key = attribute.of(run, item);
            if (Comparisons.ordered(run, operator, key, bestKey)) {
                best = item;
                bestKey = key;
            }
        }
        return best;
    }

    private static Object groupBy(Run run, Object value, Arguments arguments) {
        Bound bound = arguments.with(value).bind("do_groupby", 2, "value", "attribute", "default", "case_sensitive");
        boolean caseSensitive = bound.truth(3, false);
        Attributes attribute = Attributes.one(bound.get(1), !caseSensitive, bound.get(2, null));
        Attributes written = Attributes.one(bound.get(1), false, bound.get(2, null));
        List<Object> groups = new ArrayList<>();
        List<Object> group = null;
        Object current = Arguments.MISSING;
        for (Object item : sorted(run, Types.list(run, bound.get(0)), each -> attribute.of(run, each), false)) {
            Object key = attribute.of(run, item);
            if (group == null || key != current && !Comparisons.equal(run, current, key)) {
                group = new ArrayList<>();
                current = key;
                groups.add(SequenceFilters.group(written.of(run, item), group));
            }
            group.add(item);
        }
        return new PyList(groups);
    }

    private static Object dictSort(Run run, Object value, Arguments arguments) {
        Bound bound = arguments.with(value).bind("do_dictsort", 1, "value", "case_sensitive", "by", "reverse");
        Object by = bound.get(2, "key");
        throwIf(!"key".equals(by) && !"value".equals(by), () -> Fault.template("You can only sort by either \"key\" or \"value\""));
        Undefined.refuse(bound.get(0));
        if (!(bound.get(0) instanceof PyDict dict)) {
            throw new Fault(Fault.Kind.ATTRIBUTE, "'" + Types.name(bound.get(0)) + "' object has no attribute 'items'");
        }
        int index = by.equals("key") ? 0 : 1;
        boolean caseSensitive = bound.truth(1, false);
        return new PyList(sorted(run, new DictView(DictView.Kind.ITEMS, dict).items(run.budget()), pair -> {
            Object key = ((Sequence) pair).items().get(index);
            return !caseSensitive && Types.isText(key) ? StringCase.lower(Types.text(key)) : key;
        }, bound.truth(3, false)));
    }
}
