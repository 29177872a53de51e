package io.github.bts4j.core.chat.jinja;

import static io.github.bts4j.core.support.Problems.throwIf;

import io.github.bts4j.core.chat.jinja.Arguments.Bound;
import io.github.bts4j.core.chat.jinja.Sequence.PyList;
import io.github.bts4j.core.chat.jinja.Sequence.PyTuple;
import java.math.BigInteger;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ThreadLocalRandom;

/** Filters of sequences that keep their order. */
final class SequenceFilters {
    static final Map<String, Filters.Filter> FILTERS = Map.ofEntries(
            Map.entry("default", SequenceFilters::otherwise),
            Map.entry("d", SequenceFilters::otherwise),
            Map.entry("length", SequenceFilters::length),
            Map.entry("count", SequenceFilters::length),
            Map.entry("list", (run, value, arguments) -> new PyList(Types.list(run, arguments.with(value).bind("do_list", 1, "value").get(0)))),
            Map.entry("first", SequenceFilters::first),
            Map.entry("last", SequenceFilters::last),
            Map.entry("reverse", SequenceFilters::reverse),
            Map.entry("items", SequenceFilters::items),
            Map.entry("attr", SequenceFilters::attribute),
            Map.entry("batch", SequenceFilters::batch),
            Map.entry("slice", SequenceFilters::slice),
            Map.entry("sum", SequenceFilters::sum),
            Map.entry("random", SequenceFilters::random));

    private SequenceFilters() {}

    private static Object otherwise(Run run, Object value, Arguments arguments) {
        Bound bound = arguments.with(value).bind("do_default", 1, "value", "default_value", "boolean");
        boolean replaced = bound.get(0) instanceof Undefined || bound.truth(2, false) && !Types.truth(bound.get(0));
        return replaced ? bound.get(1, "") : bound.get(0);
    }

    private static Object length(Run run, Object value, Arguments arguments) {
        return BigInteger.valueOf(Types.length(arguments.with(value).positional("len", 1, 1).get(0)));
    }

    private static Object first(Run run, Object value, Arguments arguments) {
        Iterator<Object> elements = Types.iterate(run, arguments.with(value).bind("do_first", 1, "seq").get(0));
        return elements.hasNext() ? elements.next() : Undefined.because("No first item, sequence was empty.");
    }

    private static Object last(Run run, Object value, Arguments arguments) {
        Iterator<Object> elements = reversed(run, arguments.with(value).bind("do_last", 1, "seq").get(0)).elements();
        return elements.hasNext() ? elements.next() : Undefined.because("No last item, sequence was empty.");
    }

    /** {@code reversed(value)}. */
    private static Lazy reversed(Run run, Object value) {
        String type = value instanceof PyList ? "list_reverseiterator" : value instanceof PyDict ? "dict_reversekeyiterator"
                : value instanceof Range ? "range_iterator" : "reversed";
        boolean reversible = Types.isText(value) || value instanceof Sequence || value instanceof PyDict || value instanceof Range || value instanceof DictView
                || value instanceof Bytes || value instanceof Undefined;
        throwIf(!reversible, () -> Fault.type("'" + Types.name(value) + "' object is not reversible"));
        List<Object> items = Types.list(run, value);
        Collections.reverse(items);
        return new Lazy(type, items.iterator());
    }

    private static Object reverse(Run run, Object value, Arguments arguments) {
        Object source = arguments.with(value).bind("do_reverse", 1, "value").get(0);
        if (Types.isText(source)) {
            return Operators.slice(run, source, null, null, BigInteger.ONE.negate());
        }
        try {
            return reversed(run, source);
        } catch (Fault e) {
            if (e.kind() != Fault.Kind.TYPE) {
                throw e;
            }
        }
        throwIf(!Types.isIterable(source), () -> Fault.template("argument must be iterable"));
        List<Object> items = Types.list(run, source);
        Collections.reverse(items);
        return new PyList(items);
    }

    private static Object items(Run run, Object value, Arguments arguments) {
        Object source = arguments.with(value).bind("do_items", 1, "value").get(0);
        return Lazy.generator(new Generator() {
            private Iterator<Object> pairs;

            @Override
            Object find() {
                if (pairs == null) {
                    throwIf(!(source instanceof PyDict) && !(source instanceof Undefined),
                            () -> Fault.type("Can only get item pairs from a mapping."));
                    pairs = source instanceof PyDict dict ? new DictView(DictView.Kind.ITEMS, dict).items(run.budget()).iterator() : Collections.emptyIterator();
                }
                return pairs.hasNext() ? pairs.next() : Arguments.MISSING;
            }
        });
    }

    private static Object attribute(Run run, Object value, Arguments arguments) {
        Bound bound = arguments.with(value).bind("do_attr", 2, "obj", "name");
        return Members.onlyAttribute(run, bound.get(0), bound.text(1));
    }

    private static Object batch(Run run, Object value, Arguments arguments) {
        Bound bound = arguments.with(value).bind("do_batch", 2, "value", "linecount", "fill_with");
        return Lazy.generator(new Generator() {
            private Iterator<Object> elements;
            private List<Object> row = new ArrayList<>();
            private boolean ended;

            @Override
            Object find() {
                elements = elements == null ? Types.iterate(run, bound.get(0)) : elements;
                Object size = bound.get(1);
                while (elements.hasNext()) {
                    Object item = elements.next();
                    boolean full = Comparisons.equal(run, BigInteger.valueOf(row.size()), size);
                    List<Object> done = row;
                    run.budget().elements(1);
                    row = full ? new ArrayList<>() : row;
                    row.add(item);
                    if (full) {
                        return new PyList(done);
                    }
                }
                if (ended || row.isEmpty()) {
                    return Arguments.MISSING;
                }
                ended = true;
                if (bound.isSet(2) && Comparisons.ordered(run, "<", BigInteger.valueOf(row.size()), size)) {
                    int missing = Numbers.clipped(Numbers.index(size)) - row.size();
                    run.budget().elements(missing);
                    row.addAll(Collections.nCopies(missing, bound.get(2)));
                }
                return new PyList(row);
            }
        });
    }

    private static Object slice(Run run, Object value, Arguments arguments) {
        Bound bound = arguments.with(value).bind("do_slice", 2, "value", "slices", "fill_with");
        return Lazy.generator(new Generator() {
            private List<Object> items;
            private int slices;
            private int number;
            private int offset;

            @Override
            Object find() {
                if (items == null) {
                    items = Types.list(run, bound.get(0));
                    Operators.binary(run, "//", BigInteger.valueOf(items.size()), bound.get(1));
                    slices = Numbers.clipped(Numbers.index(bound.get(1)));
                }
                if (number >= slices) {
                    return Arguments.MISSING;
                }
                run.budget().step();
                int each = items.size() / slices;
                int start = offset + number * each;
                boolean extra = number < items.size() % slices;
                offset += extra ? 1 : 0;
                List<Object> part = new ArrayList<>(items.subList(start, offset + (number + 1) * each));
                if (bound.isSet(2) && !extra) {
                    part.add(bound.get(2));
                }
                number++;
                run.budget().elements(part.size());
                return new PyList(part);
            }
        });
    }

    private static Object sum(Run run, Object value, Arguments arguments) {
        Bound bound = arguments.with(value).bind("do_sum", 1, "iterable", "attribute", "start");
        Attributes attribute = bound.isSet(1) ? Attributes.one(bound.get(1), false, null) : null;
        Object sum = bound.get(2, BigInteger.ZERO);
        throwIf(Types.isText(sum), () -> Fault.type("sum() can't sum strings [use ''.join(seq) instead]"));
        for (Iterator<Object> elements = Types.iterate(run, bound.get(0)); elements.hasNext();) {
            run.budget().step();
            Object item = elements.next();
            sum = Operators.binary(run, "+", sum, attribute == null ? item : attribute.of(run, item));
        }
        return sum;
    }

    private static Object random(Run run, Object value, Arguments arguments) {
        Object source = arguments.with(value).bind("do_random", 1, "seq").get(0);
        int size = Types.length(source);
        if (size == 0) {
            return Undefined.because("No random item, sequence was empty.");
        }
        boolean indexed = Types.isText(source) || source instanceof Sequence || source instanceof Range;
        BigInteger index = BigInteger.valueOf(ThreadLocalRandom.current().nextInt(size));
        PyDict.Entry entry = source instanceof PyDict dict ? dict.entry(run.budget(), index) : null;
        throwIf(!indexed && entry == null, () -> Fault.lookup(index.toString()));
        return indexed ? Members.item(run, source, index) : entry.value();
    }

    /** A tuple of a group: what it is grouped by, and its items. */
    static PyTuple group(Object by, List<Object> items) {
        List<Object> pair = new ArrayList<>(2);
        pair.add(by);
        pair.add(new PyList(items));
        return new PyTuple(pair, true);
    }
}
