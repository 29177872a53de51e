package io.github.bts4j.core.chat.jinja;

import io.github.bts4j.core.chat.jinja.Sequence.PyList;
import io.github.bts4j.core.chat.jinja.Sequence.PyTuple;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;

/** The methods of {@code Markup}: those of {@code str}, whose arguments are escaped and whose results are markup again. */
final class MarkupMethods {
    private static final Set<String> WRAPPED = Set.of("capitalize", "title", "lower", "upper", "replace", "ljust", "rjust", "lstrip", "rstrip", "center",
            "strip", "translate", "expandtabs", "swapcase", "zfill", "casefold", "removeprefix", "removesuffix", "split", "rsplit", "splitlines",
            "partition", "rpartition", "join", "format", "format_map");
    private static final Set<String> ESCAPING = Set.of("replace", "lstrip", "rstrip", "strip", "center", "ljust", "rjust", "translate", "expandtabs", "zfill",
            "removeprefix", "removesuffix", "partition", "rpartition");
    private static final Map<String, String> ENTITIES = new TreeMap<>(Map.of("lt", "<", "gt", ">", "amp", "&", "quot", "\"", "apos", "'", "nbsp", "\u00a0",
            "copy", "\u00a9", "raquo", "\u00bb", "laquo", "\u00ab", "hellip", "\u2026"));

    private static final int MAX_ENTITY = 13;

    private MarkupMethods() {}

    static Object of(Markup markup, String name) {
        if (name.equals("unescape")) {
            return new BoundMethod(name, (run, arguments) -> unescape(run, markup.text()));
        }
        if (name.equals("striptags")) {
            return new BoundMethod(name, (run, arguments) -> stripTags(run, markup.text()));
        }
        StringMethods.Method method = StringMethods.method(name);
        if (method == null) {
            return Arguments.MISSING;
        }
        return new BoundMethod(name, (run, arguments) -> {
            run.budget().read(4L * markup.text().length());
            Arguments escaped = ESCAPING.contains(name) ? escaped(arguments) : name.equals("join") ? joined(run, arguments) : arguments;
            Object result = method.call(run, markup.text(), escaped);
            return WRAPPED.contains(name) ? wrap(result) : result;
        });
    }

    private static Arguments escaped(Arguments arguments) {
        List<Object> positional = new ArrayList<>();
        arguments.positional().forEach(value -> positional.add(value instanceof String text ? Markup.escaped(text) : value));
        return new Arguments(positional, arguments.named());
    }

    private static Arguments joined(Run run, Arguments arguments) {
        List<Object> parts = new ArrayList<>();
        Types.list(run, arguments.positional("join", 1, 1).get(0)).forEach(part -> parts.add(escape(run, part).text()));
        return Arguments.of(new PyList(parts));
    }

    private static Object wrap(Object result) {
        if (result instanceof String text) {
            return new Markup(text);
        }
        if (result instanceof Sequence sequence) {
            List<Object> items = new ArrayList<>();
            sequence.items().forEach(item -> items.add(wrap(item)));
            return sequence instanceof PyList ? new PyList(items) : new PyTuple(items);
        }
        return result;
    }

    /** {@code escape(value)}. */
    static Markup escape(Run run, Object value) {
        if (value instanceof Markup markup) {
            return markup;
        }
        String escaped = Markup.escaped(Repr.str(run, value));
        run.budget().text(escaped.length());
        return new Markup(escaped);
    }

    /** {@code striptags}: tags and comments go, whitespace becomes single spaces, entities become characters. */
    static String stripTags(Run run, String markup) {
        StringBuilder kept = new StringBuilder();
        int position = 0;
        for (int start = markup.indexOf('<'); start >= 0; start = markup.indexOf('<', position)) {
            boolean comment = markup.startsWith("<!--", start);
            int end = comment ? markup.indexOf("-->", start + 4) : markup.indexOf('>', start);
            if (end < 0) {
                break;
            }
            kept.append(markup, position, start);
            position = end + (comment ? 3 : 1);
        }
        kept.append(markup.substring(position));
        run.budget().text(3L * markup.length());
        return unescape(run, String.join(" ", StringSplits.words(kept.toString(), -1)));
    }

    private static String unescape(Run run, String text) {
        StringBuilder out = new StringBuilder(text.length());
        run.budget().text(text.length());
        int from = 0;
        for (int at = text.indexOf('&'); at >= 0; at = text.indexOf('&', from)) {
            out.append(text, from, at);
            int end = text.substring(at, Math.min(text.length(), at + MAX_ENTITY)).indexOf(';') + at;
            String character = end < at ? null : entity(text.substring(at + 1, end));
            out.append(character == null ? "&" : character);
            from = character == null ? at + 1 : end + 1;
        }
        return out.append(text.substring(from)).toString();
    }

    private static String entity(String name) {
        if (!name.startsWith("#")) {
            return ENTITIES.get(name);
        }
        boolean hex = name.startsWith("#x") || name.startsWith("#X");
        try {
            int code = Integer.parseInt(name.substring(hex ? 2 : 1), hex ? 16 : 10);
            return Character.isValidCodePoint(code) && code > 0 ? Text.of(code) : "\ufffd";
        } catch (NumberFormatException e) {
            return null;
        }
    }
}
