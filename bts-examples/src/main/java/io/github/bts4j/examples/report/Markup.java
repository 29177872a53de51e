package io.github.bts4j.examples.report;

import java.util.List;
import java.util.Locale;

/** Escaping, numbers and the palette of the report. */
final class Markup {
    /** The colours of models in light and in dark, those of the server's page: the hub's is the first, then the experts' in their order. */
    static final List<String> LIGHT = List.of("#414b5b", "#2660c5", "#a74b13", "#289f7f", "#8a5b8a", "#ba7f28", "#872b21", "#9e7cd9");
    static final List<String> DARK = List.of("#acb8cb", "#4683ee", "#db5e33", "#7cee8e", "#b77096", "#d1aa36", "#e9848a", "#9598d5");

    private Markup() {}

    /** A model's colour; its number is 0 for the hub. */
    static String colour(int model) {
        return "var(--m" + model % LIGHT.size() + ")";
    }

    /** The colours as properties of a style sheet. */
    static String palette() {
        StringBuilder css = new StringBuilder(":root{");
        for (int i = 0; i < LIGHT.size(); i++) {
            css.append("--m").append(i).append(":light-dark(").append(LIGHT.get(i)).append(',').append(DARK.get(i)).append(");");
        }
        return css.append("}\n").toString();
    }

    /** How strong a weight's shade is, in per cent: from the least, where no model is preferred, to the strongest on which text is readable. */
    static double shade(double weight, int models) {
        double strength = models < 2 ? 1 : Math.min(1, Math.max(0, (weight * models - 1) / (models - 1)));
        return 8 + 32 * strength;
    }

    /** Text that is safe between tags and in attributes; control characters that XML forbids become U+FFFD. */
    static String escape(String text) {
        StringBuilder out = new StringBuilder();
        text.codePoints().forEach(c -> {
            switch (c) {
                case '<' -> out.append("&lt;");
                case '>' -> out.append("&gt;");
                case '&' -> out.append("&amp;");
                case '"' -> out.append("&quot;");
                default -> out.appendCodePoint(isAllowed(c) ? c : 0xFFFD);
            }
        });
        return out.toString();
    }

    private static boolean isAllowed(int c) {
        return c == '\t' || c == '\n' || c >= 0x20 && c <= 0xD7FF || c >= 0xE000 && c <= 0xFFFD || c >= 0x10000;
    }

    static String count(long value) {
        return String.format(Locale.ROOT, "%,d", value);
    }

    static String number(double value, int decimals) {
        return String.format(Locale.ROOT, "%." + decimals + "f", value);
    }
}
