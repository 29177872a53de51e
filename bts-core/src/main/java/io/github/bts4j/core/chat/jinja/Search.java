package io.github.bts4j.core.chat.jinja;

/** Finds a text in another in linear time: {@link String#indexOf(String)} takes the product of the lengths for texts that repeat themselves. */
final class Search {
    private static final int SHORT = 16;

    private Search() {}

    /** Where {@code sought} begins at or behind {@code from}, -1 if nowhere. */
    static int indexOf(String text, String sought, int from) {
        if (sought.length() <= SHORT) {
            return text.indexOf(sought, from);
        }
        if (text.length() - from < sought.length()) {
            return -1;
        }
        int[] borders = borders(sought, false);
        int matched = 0;
        for (int i = from; i < text.length(); i++) {
            matched = extended(sought, borders, matched, text.charAt(i), false);
            if (matched == sought.length()) {
                return i + 1 - matched;
            }
        }
        return -1;
    }

    /** Where {@code sought} begins last before {@code end}, all of it, -1 if nowhere. */
    static int lastIndexOf(String text, String sought, int end) {
        if (sought.length() <= SHORT) {
            return end < sought.length() ? -1 : text.lastIndexOf(sought, end - sought.length());
        }
        if (end < sought.length()) {
            return -1;
        }
        int[] borders = borders(sought, true);
        int matched = 0;
        for (int i = end - 1; i >= 0; i--) {
            matched = extended(sought, borders, matched, text.charAt(i), true);
            if (matched == sought.length()) {
                return i;
            }
        }
        return -1;
    }

    private static char at(String text, int index, boolean reversed) {
        return text.charAt(reversed ? text.length() - 1 - index : index);
    }

    /** How much of {@code sought} is matched after one more character, if {@code matched} was (Knuth, Morris, Pratt). */
    private static int extended(String sought, int[] borders, int matched, char c, boolean reversed) {
        int length = matched;
        while (length > 0 && (length == sought.length() || at(sought, length, reversed) != c)) {
            length = borders[length - 1];
        }
        return at(sought, length, reversed) == c ? length + 1 : length;
    }

    private static int[] borders(String sought, boolean reversed) {
        int[] borders = new int[sought.length()];
        for (int i = 1; i < borders.length; i++) {
            borders[i] = extended(sought, borders, borders[i - 1], at(sought, i, reversed), reversed);
        }
        return borders;
    }
}
