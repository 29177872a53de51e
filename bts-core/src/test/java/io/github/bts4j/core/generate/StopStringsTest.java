package io.github.bts4j.core.generate;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class StopStringsTest {

    @Test
    void holdsBackWhatMayBecomeAStopString() {
        StopStrings stops = new StopStrings(List.of("END"));
        assertEquals("one ", stops.push("one E"));
        assertEquals("", stops.push("N"));
        assertEquals("ENE", stops.push("EE")); // the second E may begin END again
        assertEquals("", stops.push("ND and more"));
        assertEquals(Optional.of("END"), stops.found());
        assertEquals("", stops.push("END"));
        assertEquals("", stops.flush());
    }

    @Test
    void flushGivesWhatNeverBecameOne() {
        StopStrings stops = new StopStrings(List.of("<|end|>"));
        assertEquals("a", stops.push("a<|en"));
        assertEquals("<|en", stops.flush());
        assertEquals(Optional.empty(), stops.found());
        assertEquals("d|>", stops.push("d|>"));
    }

    @Test
    void overlappingBeginningsAreFound() {
        assertStops("a", "aab", "aaab");
        assertStops("aaa", "aab", "aaaaab!");
        assertStops("ab", "abac", "ababac");
        assertStops("aab", "aabaaa", "aabaabaaa");
        assertStops("aabaab", "aabaaa", "aabaabaabaaaa");
    }

    @Test
    void ofSeveralTheFirstToBeCompleteEndsTheText() {
        assertEquals("xa|bcd", run(List.of("bcd", "abcde"), "xabcd"));
        assertEquals("xa|bcd", run(List.of("abcde", "bcd"), "xabcde"));
        assertEquals("x|abcd", run(List.of("cd", "abcd", "bcd"), "xabcd!"));
        assertEquals("x|\n\n", run(List.of("\n\nUser:", "\n\n"), "x\n\nUser:"));
        assertEquals("abc|-", run(List.of(), "abc"));
    }

    @Test
    void charactersOutsideTheBasicPlaneStayWhole() {
        StopStrings stops = new StopStrings(List.of("🙂数"));
        assertEquals("🙃", stops.push("🙃")); // shares its first half with 🙂
        assertEquals("", stops.push("🙂"));
        assertEquals("🙂", stops.push("🙂"));
        assertEquals("", stops.push("数"));
        assertEquals(Optional.of("🙂数"), stops.found());
    }

    @Test
    void piecesMakeNoDifference() {
        for (int seed = 0; seed < 3000; seed++) {
            Random random = new Random(seed);
            List<String> stopStrings = IntStream.range(0, 1 + random.nextInt(3)).mapToObj(i -> letters(random, 1 + random.nextInt(5))).toList();
            String text = letters(random, random.nextInt(40));
            StopStrings stops = new StopStrings(stopStrings);
            StringBuilder released = new StringBuilder();
            for (int from = 0; from < text.length();) {
                int to = Math.min(text.length(), from + random.nextInt(4));
                released.append(stops.push(text.substring(from, to)));
                assertTrue(stops.found().isPresent() || holdsOnlyABeginning(text.substring(released.length(), to), stopStrings), "seed " + seed);
                from = to;
            }
            released.append(stops.flush());
            assertEquals(expected(stopStrings, text), released + "|" + stops.found().orElse("-"), "seed " + seed + " " + stopStrings + " " + text);
        }
    }

    @Test
    void impossibleStopStringsAreRefused() {
        assertTrue(assertThrows(IllegalArgumentException.class, () -> new StopStrings(List.of("a", ""))).getMessage().contains("is empty"));
        assertTrue(assertThrows(IllegalArgumentException.class, () -> new StopStrings(List.of("\uD83D"))).getMessage().contains("half a surrogate pair"));
    }

    private static void assertStops(String before, String stop, String text) {
        List<String> pieces = new ArrayList<>();
        text.codePoints().forEach(c -> pieces.add(Character.toString(c)));
        StopStrings stops = new StopStrings(List.of(stop));
        StringBuilder released = new StringBuilder();
        pieces.forEach(piece -> released.append(stops.push(piece)));
        assertEquals(Optional.of(stop), stops.found());
        assertEquals(before, released.toString());
    }

    private static String run(List<String> stopStrings, String text) {
        StopStrings stops = new StopStrings(stopStrings);
        return stops.push(text) + stops.flush() + "|" + stops.found().orElse("-");
    }

    /** By definition: the shortest beginning of the text that ends with a stop string, less the longest such stop string. */
    private static String expected(List<String> stopStrings, String text) {
        for (int end = 1; end <= text.length(); end++) {
            String beginning = text.substring(0, end);
            Optional<String> found = stopStrings.stream().filter(beginning::endsWith).max(java.util.Comparator.comparingInt(String::length));
            if (found.isPresent()) {
                return beginning.substring(0, end - found.get().length()) + "|" + found.get();
            }
        }
        return text + "|-";
    }

    private static boolean holdsOnlyABeginning(String held, List<String> stopStrings) {
        return held.isEmpty() || stopStrings.stream().anyMatch(stop -> stop.startsWith(held));
    }

    private static String letters(Random random, int length) {
        return random.ints(length, 'a', 'c').collect(StringBuilder::new, StringBuilder::appendCodePoint, StringBuilder::append).toString();
    }
}
