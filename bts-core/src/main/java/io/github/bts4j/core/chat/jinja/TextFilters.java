package io.github.bts4j.core.chat.jinja;

import static io.github.bts4j.core.support.Problems.throwIf;

import io.github.bts4j.core.chat.jinja.Arguments.Bound;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.function.UnaryOperator;

/** Filters of texts. */
final class TextFilters {
    static final Map<String, Filters.Filter> FILTERS = Map.ofEntries(
            Map.entry("upper", cased("upper", StringCase::upper)),
            Map.entry("lower", cased("lower", StringCase::lower)),
            Map.entry("capitalize", cased("capitalize", StringCase::capitalize)),
            Map.entry("title", cased("title", TextFilters::title)),
            Map.entry("trim", TextFilters::trim),
            Map.entry("replace", TextFilters::replace),
            Map.entry("join", TextFilters::join),
            Map.entry("format", TextFilters::format),
            Map.entry("string", (run, value, arguments) -> soft(run, arguments.with(value).positional("soft_str", 1, 1).get(0))),
            Map.entry("safe", (run, value, arguments) -> safe(run, arguments.with(value).bind("do_mark_safe", 1, "value").get(0))),
            Map.entry("escape", TextFilters::escape),
            Map.entry("e", TextFilters::escape),
            Map.entry("forceescape", (run, value, arguments) -> {
                String text = Repr.str(run, arguments.with(value).bind("do_forceescape", 1, "value").get(0));
                return MarkupMethods.escape(run, text);
            }),
            Map.entry("striptags", (run, value, arguments) ->
                    MarkupMethods.stripTags(run, Repr.str(run, arguments.with(value).bind("do_striptags", 1, "value").get(0)))),
            Map.entry("urlencode", TextFilters::urlEncode),
            Map.entry("xmlattr", TextFilters::xmlAttributes),
            Map.entry("tojson", Json::dumps),
            Map.entry("pprint", (run, value, arguments) -> PrettyPrint.format(run, arguments.with(value).bind("do_pprint", 1, "value").get(0))),
            Map.entry("wordcount", (run, value, arguments) -> LayoutFilters.wordCount(run, arguments.with(value).bind("do_wordcount", 1, "s").get(0))));

    private TextFilters() {}

    /** A text as it is, anything else as {@code str} has it. */
    static Object soft(Run run, Object value) {
        return Types.isText(value) ? value : Repr.str(run, value);
    }

    private static Object like(Object original, String text) {
        return original instanceof Markup ? new Markup(text) : text;
    }

    private static Filters.Filter cased(String name, UnaryOperator<String> operator) {
        return (run, value, arguments) -> {
            Object text = soft(run, arguments.with(value).bind("do_" + name, 1, "s").get(0));
            run.budget().text((name.equals("title") ? 24L : 2L) * Types.text(text).length());
            run.budget().read(4L * Types.text(text).length());
            String changed = operator.apply(Types.text(text));
            return name.equals("title") ? changed : like(text, changed);
        };
    }

    /** Words begin behind whitespace, hyphens and opening brackets of any kind. */
    private static String title(String text) {
        StringBuilder out = new StringBuilder(text.length());
        int word = 0;
        for (int i = 0; i <= text.length(); i++) {
            boolean border = i == text.length() || Text.isSpace(text.charAt(i)) || "-({[<".indexOf(text.charAt(i)) >= 0;
            if (border) {
                out.append(titled(text.substring(word, i)));
                word = i + 1;
                out.append(i < text.length() ? text.substring(i, i + 1) : "");
            }
        }
        return out.toString();
    }

    private static String titled(String word) {
        if (word.isEmpty()) {
            return word;
        }
        int first = Character.charCount(word.codePointAt(0));
        return StringCase.upper(word.substring(0, first)) + StringCase.lower(word.substring(first));
    }

    private static Object trim(Run run, Object value, Arguments arguments) {
        Bound bound = arguments.with(value).bind("do_trim", 1, "value", "chars");
        Object text = soft(run, bound.get(0));
        Arguments chars = bound.isSet(1) ? Arguments.of(text instanceof Markup && bound.get(1) instanceof String raw ? Markup.escaped(raw) : bound.get(1))
                : Arguments.NONE;
        run.budget().read(Types.text(text).length());
        return like(text, (String) StringMethods.strip(Types.text(text), chars.positional("strip", 0, 1), true, true));
    }

    private static Object replace(Run run, Object value, Arguments arguments) {
        Bound bound = arguments.with(value).bind("do_replace", 3, "s", "old", "new", "count");
        int count = bound.isSet(3) ? bound.size(3, -1) : -1;
        if (!run.autoescape()) {
            return StringMethods.replace(run, Repr.str(run, bound.get(0)), Repr.str(run, bound.get(1)), Repr.str(run, bound.get(2)), count);
        }
        boolean markup = bound.get(1) instanceof Markup || bound.get(2) instanceof Markup && !(bound.get(0) instanceof Markup);
        Object text = markup ? MarkupMethods.escape(run, bound.get(0)) : soft(run, bound.get(0));
        String old = Repr.str(run, bound.get(1));
        String by = Repr.str(run, bound.get(2));
        if (text instanceof Markup) {
            old = bound.get(1) instanceof Markup ? old : Markup.escaped(old);
            by = bound.get(2) instanceof Markup ? by : Markup.escaped(by);
        }
        return like(text, StringMethods.replace(run, Types.text(text), old, by, count));
    }

    private static Object join(Run run, Object value, Arguments arguments) {
        Bound bound = arguments.with(value).bind("do_join", 1, "value", "d", "attribute");
        Attributes attribute = bound.isSet(2) ? Attributes.one(bound.get(2), false, null) : null;
        Object separator = bound.get(1, "");
        List<Object> items = new ArrayList<>();
        for (Iterator<Object> elements = Types.iterate(run, bound.get(0)); elements.hasNext();) {
            run.budget().step();
            Object item = elements.next();
            items.add(attribute == null ? item : attribute.of(run, item));
        }
        boolean markup = run.autoescape() && (separator instanceof Markup || items.stream().anyMatch(Markup.class::isInstance));
        String between = markup ? MarkupMethods.escape(run, separator).text() : Repr.str(run, separator);
        StringBuilder out = new StringBuilder();
        for (int i = 0; i < items.size(); i++) {
            String text = markup ? MarkupMethods.escape(run, items.get(i)).text() : Repr.str(run, items.get(i));
            run.budget().text(text.length() + (long) between.length());
            out.append(i == 0 ? "" : between).append(text);
        }
        return markup ? new Markup(out.toString()) : out.toString();
    }

    private static Object format(Run run, Object value, Arguments arguments) {
        throwIf(!arguments.positional().isEmpty() && !arguments.named().isEmpty(),
                () -> Fault.template("can't handle positional and keyword arguments at the same time"));
        PyDict named = new PyDict();
        arguments.named().forEach((key, item) -> named.put(run.budget(), key, item));
        Object values = named.size() > 0 ? named : new Sequence.PyTuple(arguments.positional());
        return PercentFormat.format(run, soft(run, value), values);
    }

    private static Object safe(Run run, Object value) {
        return new Markup(Repr.str(run, value));
    }

    private static Object escape(Run run, Object value, Arguments arguments) {
        return MarkupMethods.escape(run, arguments.with(value).positional("escape", 1, 1).get(0));
    }

    private static Object urlEncode(Run run, Object value, Arguments arguments) {
        Object source = arguments.with(value).bind("do_urlencode", 1, "value").get(0);
        if (Types.isText(source) || !Types.isIterable(source)) {
            return quote(run, source, false);
        }
        List<Object> pairs = source instanceof PyDict dict ? new DictView(DictView.Kind.ITEMS, dict).items(run.budget()) : Types.list(run, source);
        List<String> parts = new ArrayList<>();
        for (Object pair : pairs) {
            List<Object> items = Types.list(run, pair);
            throwIf(items.size() != 2, () -> Fault.value("not enough or too many values to unpack (expected 2)"));
            parts.add(quote(run, items.get(0), true) + "=" + quote(run, items.get(1), true));
        }
        return String.join("&", parts);
    }

    private static String quote(Run run, Object value, boolean query) {
        byte[] bytes = value instanceof Bytes raw ? raw.value() : Repr.str(run, value).getBytes(StandardCharsets.UTF_8);
        run.budget().text(3L * bytes.length);
        StringBuilder out = new StringBuilder(bytes.length);
        for (byte b : bytes) {
            char c = (char) (b & 0xff);
            boolean plain = c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || "_.-~".indexOf(c) >= 0 || c == '/' && !query;
            out.append(plain ? String.valueOf(c) : query && c == ' ' ? "+" : "%" + HexFormat.of().withUpperCase().toHexDigits(b));
        }
        return out.toString();
    }

    private static Object xmlAttributes(Run run, Object value, Arguments arguments) {
        Bound bound = arguments.with(value).bind("do_xmlattr", 1, "d", "autospace");
        if (!(bound.get(0) instanceof PyDict dict)) {
            throw new Fault(Fault.Kind.ATTRIBUTE, "'" + Types.name(bound.get(0)) + "' object has no attribute 'items'");
        }
        List<String> parts = new ArrayList<>();
        for (PyDict.Entry entry : dict.entries()) {
            if (entry.value() == null || entry.value() instanceof Undefined) {
                continue;
            }
            throwIf(!Types.isText(entry.key()), () -> Fault.type("expected string or bytes-like object, got '" + Types.name(entry.key()) + "'"));
            String key = Types.text(entry.key());
            throwIf(key.chars().anyMatch(c -> c >= 9 && c <= 13 || " />=".indexOf(c) >= 0),
                    () -> Fault.value("Invalid character in attribute name: " + Repr.text(key)));
            parts.add(MarkupMethods.escape(run, entry.key()).text() + "=\"" + MarkupMethods.escape(run, entry.value()).text() + "\"");
        }
        String text = String.join(" ", parts);
        String spaced = bound.truth(1, true) && !text.isEmpty() ? " " + text : text;
        return run.autoescape() ? new Markup(spaced) : spaced;
    }
}
