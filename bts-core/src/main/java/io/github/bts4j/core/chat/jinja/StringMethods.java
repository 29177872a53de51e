package io.github.bts4j.core.chat.jinja;

import static io.github.bts4j.core.support.Problems.throwIf;

import io.github.bts4j.core.chat.jinja.Arguments.Bound;
import io.github.bts4j.core.chat.jinja.Sequence.PyList;
import io.github.bts4j.core.chat.jinja.Sequence.PyTuple;
import java.math.BigInteger;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.function.Predicate;
import java.util.function.UnaryOperator;

/** The methods of {@code str}. Positions are code points. */
final class StringMethods {
    /** A method: the text that it is called on, what it is called with. */
    interface Method {
        Object call(Run run, String text, Arguments arguments);
    }

    private static final Map<String, Method> METHODS = new java.util.HashMap<>();

    static {
        mapped("upper", StringCase::upper);
        mapped("lower", StringCase::lower);
        mapped("capitalize", StringCase::capitalize);
        mapped("title", StringCase::title);
        mapped("swapcase", StringCase::swapcase);
        mapped("casefold", StringCase::casefold);
        StringTests.TESTS.forEach(StringMethods::tested);
        METHODS.put("strip", (run, text, arguments) -> strip(text, arguments.positional("strip", 0, 1), true, true));
        METHODS.put("lstrip", (run, text, arguments) -> strip(text, arguments.positional("lstrip", 0, 1), true, false));
        METHODS.put("rstrip", (run, text, arguments) -> strip(text, arguments.positional("rstrip", 0, 1), false, true));
        METHODS.put("startswith", (run, text, arguments) -> affix(text, arguments.positional("startswith", 1, 3), true));
        METHODS.put("endswith", (run, text, arguments) -> affix(text, arguments.positional("endswith", 1, 3), false));
        METHODS.put("find", (run, text, arguments) -> find(text, arguments.positional("find", 1, 3), false, false));
        METHODS.put("rfind", (run, text, arguments) -> find(text, arguments.positional("rfind", 1, 3), true, false));
        METHODS.put("index", (run, text, arguments) -> find(text, arguments.positional("index", 1, 3), false, true));
        METHODS.put("rindex", (run, text, arguments) -> find(text, arguments.positional("rindex", 1, 3), true, true));
        METHODS.put("count", (run, text, arguments) -> count(text, arguments.positional("count", 1, 3)));
        METHODS.put("replace", (run, text, arguments) -> replace(run, text, arguments.positional("replace", 2, 3)));
        METHODS.put("split", (run, text, arguments) -> split(run, text, arguments.bind("split", 0, "sep", "maxsplit"), false));
        METHODS.put("rsplit", (run, text, arguments) -> split(run, text, arguments.bind("rsplit", 0, "sep", "maxsplit"), true));
        METHODS.put("splitlines", (run, text, arguments) ->
                list(run, StringSplits.lines(text, arguments.bind("splitlines", 0, "keepends").truth(0, false))));
        METHODS.put("partition", (run, text, arguments) -> partition(text, arguments.positional("partition", 1, 1), false));
        METHODS.put("rpartition", (run, text, arguments) -> partition(text, arguments.positional("rpartition", 1, 1), true));
        METHODS.put("join", (run, text, arguments) -> join(run, text, arguments.positional("join", 1, 1).get(0)));
        METHODS.put("removeprefix", (run, text, arguments) -> {
            String prefix = arguments.positional("removeprefix", 1, 1).text(0);
            return text.startsWith(prefix) ? text.substring(prefix.length()) : text;
        });
        METHODS.put("removesuffix", (run, text, arguments) -> {
            String suffix = arguments.positional("removesuffix", 1, 1).text(0);
            return text.endsWith(suffix) ? text.substring(0, text.length() - suffix.length()) : text;
        });
        METHODS.putAll(StringPadding.METHODS);
        METHODS.putAll(StringCodes.METHODS);
        METHODS.put("format", (run, text, arguments) -> StringFormat.format(run, text, arguments.positional(), arguments.named()));
        METHODS.put("format_map", StringFormat::formatMap);
    }

    private StringMethods() {}

    private static void mapped(String name, UnaryOperator<String> operator) {
        METHODS.put(name, (run, text, arguments) -> {
            arguments.positional(name, 0, 0);
            run.budget().text(text.length());
            return operator.apply(text);
        });
    }

    private static void tested(String name, Predicate<String> test) {
        METHODS.put(name, (run, text, arguments) -> {
            arguments.positional(name, 0, 0);
            return test.test(text);
        });
    }

    static Method method(String name) {
        return METHODS.get(name);
    }

    static Object strip(String text, Bound arguments, boolean start, boolean end) {
        if (!arguments.isSet(0)) {
            return start ? end ? Text.stripEnd(Text.stripStart(text)) : Text.stripStart(text) : Text.stripEnd(text);
        }
        throwIf(!Types.isText(arguments.get(0)), () -> Fault.type("strip arg must be None or str"));
        String characters = arguments.text(0);
        int from = 0;
        int to = text.length();
        while (start && from < to && characters.indexOf(text.codePointAt(from)) >= 0) {
            from += Character.charCount(text.codePointAt(from));
        }
        while (end && to > from && characters.indexOf(text.codePointBefore(to)) >= 0) {
            to -= Character.charCount(text.codePointBefore(to));
        }
        return text.substring(from, to);
    }

    /** The part of a text between two optional positions; null if the first is behind the end. */
    private static String part(String text, Bound arguments, int[] begin) {
        int length = Text.length(text);
        int start = position(arguments, 1, 0, length);
        int stop = position(arguments, 2, length, length);
        begin[0] = start;
        return start > length || start > Math.min(stop, length) ? null : Text.slice(text, start, Math.min(stop, length));
    }

    private static int position(Bound arguments, int index, int otherwise, int length) {
        if (!arguments.isSet(index)) {
            return otherwise;
        }
        throwIf(!Numbers.isInteger(arguments.get(index)), () -> Fault.type("slice indices must be integers or None or have an __index__ method"));
        int at = arguments.clipped(index, 0);
        return at < 0 ? (int) Math.max(0L, (long) at + length) : at;
    }

    private static Object affix(String text, Bound arguments, boolean prefix) {
        String part = part(text, arguments, new int[1]);
        if (arguments.get(0) instanceof PyTuple tuple) {
            boolean found = false;
            for (Object affix : tuple.items()) {
                found |= hasAffix(part, affix, prefix, "tuple for " + arguments.function() + " must only contain str, not ");
            }
            return found;
        }
        return hasAffix(part, arguments.get(0), prefix, arguments.function() + " first arg must be str or a tuple of str, not ");
    }

    private static boolean hasAffix(String part, Object affix, boolean prefix, String message) {
        throwIf(!Types.isText(affix), () -> Fault.type(message + Types.name(affix)));
        return part != null && (prefix ? part.startsWith(Types.text(affix)) : part.endsWith(Types.text(affix)));
    }

    private static Object find(String text, Bound arguments, boolean last, boolean required) {
        String sought = arguments.text(0);
        int[] begin = new int[1];
        String part = part(text, arguments, begin);
        int at = part == null ? -1 : last ? Search.lastIndexOf(part, sought, part.length()) : Search.indexOf(part, sought, 0);
        throwIf(at < 0 && required, () -> Fault.value("substring not found"));
        return BigInteger.valueOf(at < 0 ? -1 : begin[0] + part.codePointCount(0, at));
    }

    private static Object count(String text, Bound arguments) {
        String sought = arguments.text(0);
        String part = part(text, arguments, new int[1]);
        if (part == null) {
            return BigInteger.ZERO;
        }
        if (sought.isEmpty()) {
            return BigInteger.valueOf(Text.length(part) + 1L);
        }
        int count = 0;
        for (int at = Search.indexOf(part, sought, 0); at >= 0; at = Search.indexOf(part, sought, at + sought.length())) {
            count++;
        }
        return BigInteger.valueOf(count);
    }

    private static Object replace(Run run, String text, Bound arguments) {
        return replace(run, text, arguments.text(0), arguments.text(1), arguments.size(2, -1));
    }

    /** {@code text.replace(old, by, limit)}; a limit below 0 is none. */
    static String replace(Run run, String text, String old, String by, int limit) {
        StringBuilder out = new StringBuilder();
        int from = 0;
        int count = 0;
        while (limit < 0 || count < limit) {
            int at = old.isEmpty() ? from : Search.indexOf(text, old, from);
            if (at < 0 || at > text.length()) {
                break;
            }
            if ((count++ & 15) == 0) {
                run.budget().steps(16);
                run.budget().text(16L * by.length());
            }
            out.append(text, from, at).append(by);
            from = at + old.length();
            if (old.isEmpty()) {
                if (at == text.length()) {
                    return out.toString();
                }
                int c = text.codePointAt(at);
                out.appendCodePoint(c);
                from = at + Character.charCount(c);
            }
        }
        run.budget().text(text.length());
        return out.append(text.substring(Math.min(from, text.length()))).toString();
    }

    private static Object split(Run run, String text, Bound arguments, boolean right) {
        int limit = arguments.size(1, -1);
        if (!arguments.isSet(0)) {
            return list(run, right ? StringSplits.rwords(text, limit) : StringSplits.words(text, limit));
        }
        String separator = separator(arguments);
        return list(run, right ? StringSplits.rsplit(text, separator, limit) : StringSplits.split(text, separator, limit));
    }

    private static String separator(Bound arguments) {
        String separator = arguments.text(0);
        throwIf(separator.isEmpty(), () -> Fault.value("empty separator"));
        return separator;
    }

    static PyList list(Run run, List<String> parts) {
        run.budget().elements(5L * parts.size());
        return new PyList(new ArrayList<>(parts));
    }

    private static Object partition(String text, Bound arguments, boolean last) {
        String separator = separator(arguments);
        int at = last ? Search.lastIndexOf(text, separator, text.length()) : Search.indexOf(text, separator, 0);
        if (at < 0) {
            return last ? Types.tuple("", "", text) : Types.tuple(text, "", "");
        }
        return Types.tuple(text.substring(0, at), separator, text.substring(at + separator.length()));
    }

    private static Object join(Run run, String separator, Object parts) {
        throwIf(!Types.isIterable(parts), () -> Fault.type("can only join an iterable"));
        StringBuilder out = new StringBuilder();
        int index = 0;
        for (Iterator<Object> elements = Types.iterate(run, parts); elements.hasNext(); index++) {
            Object element = elements.next();
            if (!Types.isText(element)) {
                throw Fault.type("sequence item " + index + ": expected str instance, " + Types.name(element) + " found");
            }
            run.budget().step();
            run.budget().text(Types.text(element).length() + (long) separator.length());
            out.append(index == 0 ? "" : separator).append(Types.text(element));
        }
        return out.toString();
    }
}
