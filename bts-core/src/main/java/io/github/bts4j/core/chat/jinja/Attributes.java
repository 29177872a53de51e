package io.github.bts4j.core.chat.jinja;

import java.math.BigInteger;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** {@code "a.b.0"} as filters take attributes: item by item, integers as integers. */
record Attributes(List<List<Object>> paths, boolean ignoresCase, Object otherwise) {
    private static final int MAX_DIGITS = 18;

    /** One path, {@code otherwise} ({@link Arguments#MISSING} or none if there is no default) for what is undefined on the way. */
    static Attributes one(Object attribute, boolean ignoresCase, Object otherwise) {
        return new Attributes(List.of(path(attribute)), ignoresCase, otherwise == null ? Arguments.MISSING : otherwise);
    }

    /** Several paths with commas between. */
    static Attributes several(Object attribute, boolean ignoresCase) {
        if (!Types.isText(attribute)) {
            return one(attribute, ignoresCase, null);
        }
        List<List<Object>> paths = new ArrayList<>();
        StringSplits.split(Types.text(attribute), ",", -1).forEach(path -> paths.add(path(path)));
        return new Attributes(paths, ignoresCase, Arguments.MISSING);
    }

    private static List<Object> path(Object attribute) {
        if (attribute == null) {
            return List.of();
        }
        if (!Types.isText(attribute)) {
            return Arrays.asList(attribute);
        }
        List<Object> parts = new ArrayList<>();
        for (String part : StringSplits.split(Types.text(attribute), ".", -1)) {
            boolean index = !part.isEmpty() && part.length() <= MAX_DIGITS && part.chars().allMatch(c -> c >= '0' && c <= '9');
            parts.add(index ? new BigInteger(part) : part);
        }
        return parts;
    }

    /** What the first path leads to. */
    Object of(Run run, Object item) {
        return of(run, item, paths.get(0));
    }

    private Object of(Run run, Object item, List<Object> path) {
        run.budget().step();
        Object value = item;
        for (Object part : path) {
            value = Members.item(run, value, part);
            if (otherwise != Arguments.MISSING && value instanceof Undefined) {
                value = otherwise;
            }
        }
        if (ignoresCase && Types.isText(value)) {
            String text = Types.text(value);
            run.budget().text(text.length());
            return value instanceof Markup ? new Markup(StringCase.lower(text)) : StringCase.lower(text);
        }
        return value;
    }

    /** What all paths lead to, as a list. */
    Sequence.PyList all(Run run, Object item) {
        List<Object> values = new ArrayList<>(paths.size());
        paths.forEach(path -> values.add(of(run, item, path)));
        return new Sequence.PyList(values);
    }
}
