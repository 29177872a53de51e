package io.github.bts4j.examples;

import java.util.Arrays;
import java.util.Collection;
import java.util.Comparator;

/** Suggestions for misspelt names. */
public final class Suggestion {
    private static final int FURTHEST = 2;

    private Suggestion() {}

    /**
     * The end of a message about an unknown name.
     *
     * @param name the name as written
     * @param known the known names
     * @return a question with the nearest name; empty if none is near
     */
    public static String of(String name, Collection<String> known) {
        String nearest = nearest(name, known);
        return nearest.isEmpty() ? "" : ", did you mean '" + nearest + "'?";
    }

    /**
     * The name that differs in the fewest letters.
     *
     * @param name the name as written
     * @param known the known names
     * @return a name that differs in two letters at most; empty if there is none
     */
    public static String nearest(String name, Collection<String> known) {
        return known.stream().filter(each -> distance(name, each) <= FURTHEST).min(Comparator.comparingInt(each -> distance(name, each))).orElse("");
    }

    /** The Levenshtein distance. */
    private static int distance(String a, String b) {
        int[] row = new int[b.length() + 1];
        Arrays.setAll(row, j -> j);
        for (int i = 1; i <= a.length(); i++) {
            int diagonal = row[0];
            row[0] = i;
            for (int j = 1; j <= b.length(); j++) {
                int above = row[j];
                row[j] = Math.min(Math.min(row[j], row[j - 1]) + 1, diagonal + (a.charAt(i - 1) == b.charAt(j - 1) ? 0 : 1));
                diagonal = above;
            }
        }
        return row[b.length()];
    }
}
