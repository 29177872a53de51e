package io.github.bts4j.core.chat.jinja;

import static io.github.bts4j.core.support.Problems.throwIf;

import java.math.BigInteger;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * The arguments of a call.
 *
 * @param positional those without names
 * @param named those with names, in order
 */
record Arguments(List<Object> positional, Map<String, Object> named) {
    static final Arguments NONE = new Arguments(List.of(), Map.of());

    /** Marks an argument that was not given. */
    static final Object MISSING = new Object() {
        @Override
        public String toString() {
            return "missing";
        }
    };

    static Arguments of(Object... positional) {
        return new Arguments(Arrays.asList(positional), Map.of());
    }

    /** The same with one in front. */
    Arguments with(Object first) {
        List<Object> all = new ArrayList<>(positional.size() + 1);
        all.add(first);
        all.addAll(positional);
        return new Arguments(all, named);
    }

    /** Values by parameters' names: the first {@code required} must be there, {@link #MISSING} marks missing ones. */
    Bound bind(String function, int required, String... parameters) {
        throwIf(positional.size() > parameters.length,
                () -> Fault.type(function + "() takes " + parameters.length + " positional arguments but " + positional.size() + " were given"));
        Object[] values = padded(parameters.length);
        Map<String, Object> rest = new LinkedHashMap<>(named);
        for (int i = 0; i < parameters.length; i++) {
            if (rest.containsKey(parameters[i])) {
                if (values[i] != MISSING) {
                    throw Fault.type(function + "() got multiple values for argument '" + parameters[i] + "'");
                }
                values[i] = rest.remove(parameters[i]);
            }
            if (i < required && values[i] == MISSING) {
                throw Fault.type(function + "() missing required argument: '" + parameters[i] + "'");
            }
        }
        throwIf(!rest.isEmpty(), () -> Fault.type(function + "() got an unexpected keyword argument '" + rest.keySet().iterator().next() + "'"));
        return new Bound(function, values);
    }

    /** At least {@code required} and at most {@code most} values, none by name. */
    Bound positional(String function, int required, int most) {
        throwIf(!named.isEmpty(), () -> Fault.type(function + "() takes no keyword arguments"));
        throwIf(positional.size() < required || positional.size() > most,
                () -> Fault.type(function + "() takes " + (required == most ? "" : "from " + required + " to ") + most + " arguments (" + positional.size() + " given)"));
        return new Bound(function, padded(most));
    }

    private Object[] padded(int length) {
        Object[] values = positional.toArray(new Object[length]);
        Arrays.fill(values, positional.size(), length, MISSING);
        return values;
    }

    /** Arguments that belong to parameters. */
    record Bound(String function, Object[] values) {
        boolean has(int index) {
            return values[index] != MISSING;
        }

        Object get(int index, Object otherwise) {
            return has(index) ? values[index] : otherwise;
        }

        Object get(int index) {
            return values[index];
        }

        /** The value, none taken as not given. */
        boolean isSet(int index) {
            return has(index) && values[index] != null;
        }

        String text(int index) {
            throwIf(!Types.isText(values[index]),
                    () -> Fault.type(function + "(): argument " + (index + 1) + " must be str, not " + Types.name(values[index])));
            return Types.text(values[index]);
        }

        String text(int index, String otherwise) {
            return has(index) ? text(index) : otherwise;
        }

        /** An integer that fits, by clipping. */
        int clipped(int index, int otherwise) {
            return has(index) ? Numbers.clipped(Numbers.index(values[index])) : otherwise;
        }

        /** An integer; one beyond 64 bits overflows, as in C. */
        int size(int index, int otherwise) {
            if (!has(index)) {
                return otherwise;
            }
            BigInteger value = Numbers.index(values[index]);
            throwIf(value.bitLength() > 63, () -> Fault.overflow("Python int too large to convert to C ssize_t"));
            return Numbers.clipped(value);
        }

        boolean truth(int index, boolean otherwise) {
            return has(index) ? Types.truth(values[index]) : otherwise;
        }
    }
}
