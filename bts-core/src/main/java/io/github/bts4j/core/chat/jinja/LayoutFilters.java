package io.github.bts4j.core.chat.jinja;

import static io.github.bts4j.core.support.Problems.throwIf;

import io.github.bts4j.core.chat.jinja.Arguments.Bound;
import java.math.BigInteger;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** Filters for layout: {@code indent}, {@code truncate}, {@code center}, {@code wordwrap}. */
final class LayoutFilters {
    static final Map<String, Filters.Filter> FILTERS = Map.of(
            "indent", LayoutFilters::indent,
            "truncate", LayoutFilters::truncate,
            "center", LayoutFilters::center,
            "wordwrap", LayoutFilters::wordWrap);

    private LayoutFilters() {}

    private static String text(Object value) {
        Undefined.refuse(value);
        throwIf(!Types.isText(value), () -> Fault.type("'" + Types.name(value) + "' object is not a str"));
        return Types.text(value);
    }

    private static Object indent(Run run, Object value, Arguments arguments) {
        Bound bound = arguments.with(value).bind("do_indent", 1, "s", "width", "first", "blank");
        String text = text(bound.get(0));
        Object width = bound.get(1, BigInteger.valueOf(4));
        String indention = Types.isText(width) ? Types.text(width) : StringPadding.pad(run, Numbers.clipped(Numbers.index(width)), " ");
        boolean markup = bound.get(0) instanceof Markup;
        if (markup && width instanceof String) {
            indention = Markup.escaped(indention);
        }
        List<String> lines = StringSplits.lines(text + "\n", false);
        run.budget().text(text.length() + (long) indention.length() * lines.size());
        StringBuilder out = new StringBuilder(bound.truth(2, false) ? indention : "");
        boolean blank = bound.truth(3, false);
        for (int i = 0; i < lines.size(); i++) {
            out.append(i == 0 ? "" : "\n").append(i > 0 && (blank || !lines.get(i).isEmpty()) ? indention : "").append(lines.get(i));
        }
        return markup ? new Markup(out.toString()) : out.toString();
    }

    private static Object truncate(Run run, Object value, Arguments arguments) {
        Bound bound = arguments.with(value).bind("do_truncate", 1, "s", "length", "killwords", "end", "leeway");
        BigInteger length = Numbers.index(bound.get(1, BigInteger.valueOf(255)));
        Object end = bound.get(3, "...");
        BigInteger leeway = bound.isSet(4) ? Numbers.index(bound.get(4)) : BigInteger.valueOf(5);
        int ending = Types.length(end);
        throwIf(length.compareTo(BigInteger.valueOf(ending)) < 0 || leeway.signum() < 0,
                () -> Fault.value("expected length >= " + ending + " and leeway >= 0, got " + length + " and " + leeway));
        if (BigInteger.valueOf(Types.length(bound.get(0))).compareTo(length.add(leeway)) <= 0) {
            return bound.get(0);
        }
        String text = text(bound.get(0));
        String cut = Text.slice(text, 0, length.intValue() - ending);
        if (!bound.truth(2, false)) {
            cut = StringSplits.rsplit(cut, " ", 1).get(0);
        }
        return Operators.binary(run, "+", bound.get(0) instanceof Markup ? new Markup(cut) : cut, end);
    }

    private static Object center(Run run, Object value, Arguments arguments) {
        Bound bound = arguments.with(value).bind("do_center", 1, "value", "width");
        Object text = TextFilters.soft(run, bound.get(0));
        String centered = StringPadding.center(run, Types.text(text), bound.size(1, 80), " ");
        return text instanceof Markup ? new Markup(centered) : centered;
    }

    static Object wordCount(Run run, Object value) {
        String text = Types.text(TextFilters.soft(run, value));
        run.budget().read(4L * text.length());
        int count = 0;
        boolean inside = false;
        for (int c : text.codePoints().toArray()) {
            boolean word = c == '_' || StringTests.isAlnum(Text.of(c));
            count += word && !inside ? 1 : 0;
            inside = word;
        }
        return BigInteger.valueOf(count);
    }

    private static Object wordWrap(Run run, Object value, Arguments arguments) {
        Bound bound = arguments.with(value).bind("do_wordwrap", 1, "s", "width", "break_long_words", "wrapstring", "break_on_hyphens");
        String text = text(bound.get(0));
        int width = bound.clipped(1, 79);
        String between = bound.isSet(3) ? bound.text(3) : "\n";
        long dashes = text.chars().filter(c -> c == '-').count();
        run.budget().read(64L * text.length() + dashes * dashes);
        List<String> lines = new ArrayList<>();
        for (String line : StringSplits.lines(text, false)) {
            lines.add(String.join(between, WordWrap.wrap(line, width, bound.truth(2, true), bound.truth(4, true))));
        }
        run.budget().text(2L * text.length() + (long) between.length() * text.length());
        return String.join(between, lines);
    }
}
