package io.github.bts4j.core.chat.jinja;

import static io.github.bts4j.core.support.Problems.throwIf;

import io.github.bts4j.core.chat.jinja.Sequence.PyTuple;
import java.math.BigDecimal;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** A dict: in the order of insertion, with Python's equality of keys (1, 1.0 and true are one key). */
final class PyDict {
    /** A key as it was first written, and its value. */
    record Entry(Object key, Object value) {}

    /** A key that is compared by identity. */
    private record Identity(Object object) {
        @Override
        public boolean equals(Object other) {
            return other instanceof Identity identity && identity.object == object;
        }

        @Override
        public int hashCode() {
            return System.identityHashCode(object);
        }
    }

    private enum Singleton { NONE, UNDEFINED }

    private final Map<Object, Entry> entries = new LinkedHashMap<>();

    /** A key for Java maps: equal if the Python keys are equal. */
    static Object canonical(Budget budget, Object key) {
        if (Types.isText(key)) {
            budget.read(Types.text(key).length());
            return Types.text(key);
        }
        if (key instanceof Bytes bytes) {
            budget.read(bytes.value().length);
            return bytes;
        }
        if (key instanceof java.math.BigInteger || key instanceof Range) {
            return key;
        }
        if (key == null) {
            return Singleton.NONE;
        }
        if (key instanceof Boolean bool) {
            return bool ? java.math.BigInteger.ONE : java.math.BigInteger.ZERO;
        }
        if (key instanceof Double number) {
            boolean whole = !number.isInfinite() && !number.isNaN() && number == Math.rint(number);
            return whole ? new BigDecimal(number).toBigInteger() : number;
        }
        if (key instanceof PyTuple tuple) {
            budget.enter(4);
            try {
                budget.elements(tuple.items().size() + 4); // a tuple that is many times within another is here as often
                List<Object> items = new ArrayList<>(tuple.items().size());
                for (Object item : tuple.items()) {
                    budget.step();
                    items.add(canonical(budget, item));
                }
                return items;
            } finally {
                budget.leave(4);
            }
        }
        throwIf(key instanceof Sequence.PyList || key instanceof PyDict || key instanceof DictView,
                () -> Fault.type("unhashable type: '" + Types.name(key) + "'"));
        return key instanceof Undefined ? Singleton.UNDEFINED : new Identity(key);
    }

    void put(Budget budget, Object key, Object value) {
        budget.elements(8);
        Object canonical = canonical(budget, key);
        Entry old = entries.get(canonical);
        entries.put(canonical, new Entry(old == null ? key : old.key(), value));
    }

    /** The entry of a key, null if there is none. */
    Entry entry(Budget budget, Object key) {
        return entries.get(canonical(budget, key));
    }

    /** The entry of a text, null if there is none. */
    Entry entry(String key) {
        return entries.get(key);
    }

    int size() {
        return entries.size();
    }

    Collection<Entry> entries() {
        return entries.values();
    }

    List<Object> keys() {
        List<Object> keys = new ArrayList<>(size());
        entries().forEach(entry -> keys.add(entry.key()));
        return keys;
    }
}
