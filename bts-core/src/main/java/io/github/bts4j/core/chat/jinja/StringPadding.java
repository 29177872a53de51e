package io.github.bts4j.core.chat.jinja;

import static io.github.bts4j.core.support.Problems.throwIf;

import io.github.bts4j.core.chat.jinja.Arguments.Bound;
import java.util.Map;

/** {@code center}, {@code ljust}, {@code rjust}, {@code zfill} and {@code expandtabs}. */
final class StringPadding {
    static final Map<String, StringMethods.Method> METHODS = Map.of(
            "center", (run, text, arguments) -> {
                Bound bound = arguments.positional("center", 1, 2);
                return center(run, text, bound.size(0, 0), fill(bound));
            },
            "ljust", (run, text, arguments) -> {
                Bound bound = arguments.positional("ljust", 1, 2);
                return text + pad(run, bound.size(0, 0) - (long) Text.length(text), fill(bound));
            },
            "rjust", (run, text, arguments) -> {
                Bound bound = arguments.positional("rjust", 1, 2);
                return pad(run, bound.size(0, 0) - (long) Text.length(text), fill(bound)) + text;
            },
            "zfill", (run, text, arguments) -> zfill(run, text, arguments.positional("zfill", 1, 1).size(0, 0)),
            "expandtabs", (run, text, arguments) -> expandTabs(run, text, arguments.bind("expandtabs", 0, "tabsize").size(0, 8)));

    private StringPadding() {}

    private static String fill(Bound arguments) {
        if (!arguments.has(1)) {
            return " ";
        }
        throwIf(!Types.isText(arguments.get(1)),
                () -> Fault.type("The fill character must be a unicode character, not " + Types.name(arguments.get(1))));
        String fill = arguments.text(1);
        throwIf(Text.length(fill) != 1, () -> Fault.type("The fill character must be exactly one character long"));
        return fill;
    }

    static String pad(Run run, long count, String fill) {
        long times = Math.max(count, 0);
        run.budget().text(times * fill.length());
        return fill.repeat((int) times);
    }

    static String center(Run run, String text, int width, String fill) {
        long missing = width - (long) Text.length(text);
        if (missing <= 0) {
            return text;
        }
        long left = missing / 2 + (missing & width & 1);
        return pad(run, left, fill) + text + pad(run, missing - left, fill);
    }

    private static String zfill(Run run, String text, int width) {
        String zeros = pad(run, width - (long) Text.length(text), "0");
        boolean signed = text.startsWith("-") || text.startsWith("+");
        return signed ? text.charAt(0) + zeros + text.substring(1) : zeros + text;
    }

    private static String expandTabs(Run run, String text, int size) {
        StringBuilder out = new StringBuilder();
        int column = 0;
        for (int c : text.codePoints().toArray()) {
            if (c == '\t') {
                int spaces = size > 0 ? size - column % size : 0;
                out.append(pad(run, spaces, " "));
                column += spaces;
            } else {
                out.appendCodePoint(c);
                column = c == '\n' || c == '\r' ? 0 : column + 1;
            }
        }
        return out.toString();
    }
}
