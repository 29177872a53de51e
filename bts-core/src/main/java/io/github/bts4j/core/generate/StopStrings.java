package io.github.bts4j.core.generate;

import java.util.Arrays;
import java.util.List;
import java.util.Optional;

/**
 * Finds stop strings in streamed text, also across pieces. Text that may be the beginning of a stop string is held back until it
 * is certain; text before it is released at once. The first complete stop string ends the text; of several that are complete at the same character, the
 * longest. So the result does not depend on how the text is split into pieces.
 *
 * <p>The cost of a character is constant on average for each stop string (Knuth, Morris and Pratt's automaton). Not thread-safe: use one matcher per text.
 */
final class StopStrings {

    private final List<String> stops;
    private final int[][] fallbacks; // [stop][matched]: length of the longest shorter beginning that is still matched
    private final int[] matched; // [stop]: length of the longest beginning of the stop string that the text ends with
    private final StringBuilder held = new StringBuilder();
    private Optional<String> found = Optional.empty();

    /** Starts a text; refuses stop strings that {@link #problem} objects to. */
    StopStrings(List<String> stopStrings) {
        stops = List.copyOf(stopStrings);
        for (String stop : stops) {
            problem(stop).ifPresent(problem -> {
                throw new IllegalArgumentException(problem);
            });
        }
        fallbacks = stops.stream().map(StopStrings::fallbacks).toArray(int[][]::new);
        matched = new int[stops.size()];
    }

    /** Takes the next piece of text and gives what is now certain. Text after a stop string is dropped. */
    String push(String piece) {
        if (found.isPresent()) {
            return "";
        }
        for (int i = 0; i < piece.length(); i++) {
            held.append(piece.charAt(i));
            int stop = longestComplete(piece.charAt(i));
            if (stop >= 0) {
                found = Optional.of(stops.get(stop));
                held.setLength(held.length() - stops.get(stop).length());
                return release(held.length());
            }
        }
        return release(held.length() - longestBeginning());
    }

    /** Ends the text and gives what was held back: nothing after a stop string. */
    String flush() {
        Arrays.fill(matched, 0);
        return release(held.length());
    }

    /** The stop string that ended the text; empty as long as none was found. */
    Optional<String> found() {
        return found;
    }

    /** A problem of a stop string, if there is one. */
    static Optional<String> problem(String stop) {
        if (stop.isEmpty()) {
            return Optional.of("stop string '' is empty: it would end every text immediately");
        }
        if (stop.codePoints().anyMatch(c -> c >= Character.MIN_SURROGATE && c <= Character.MAX_SURROGATE)) {
            return Optional.of("stop string '" + stop + "' holds half a surrogate pair: no text contains it");
        }
        return Optional.empty();
    }

    /** Advances all automata by one character. Returns the longest stop string that is now complete, or -1. */
    private int longestComplete(char next) {
        int longest = -1;
        for (int s = 0; s < matched.length; s++) {
            String stop = stops.get(s);
            int length = matched[s];
            while (length > 0 && stop.charAt(length) != next) {
                length = fallbacks[s][length];
            }
            matched[s] = stop.charAt(length) == next ? length + 1 : 0;
            if (matched[s] == stop.length() && (longest < 0 || stop.length() > stops.get(longest).length())) {
                longest = s;
            }
        }
        return longest;
    }

    private int longestBeginning() {
        int longest = 0;
        for (int length : matched) {
            longest = Math.max(longest, length);
        }
        return longest;
    }

    private String release(int length) {
        String text = held.substring(0, length);
        held.delete(0, length);
        return text;
    }

    private static int[] fallbacks(String stop) {
        int[] fallbacks = new int[stop.length() + 1];
        int length = 0;
        for (int i = 1; i < stop.length(); i++) {
            while (length > 0 && stop.charAt(length) != stop.charAt(i)) {
                length = fallbacks[length];
            }
            length += stop.charAt(length) == stop.charAt(i) ? 1 : 0;
            fallbacks[i + 1] = length;
        }
        return fallbacks;
    }
}
