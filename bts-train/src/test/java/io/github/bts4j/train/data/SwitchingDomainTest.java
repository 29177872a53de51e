package io.github.bts4j.train.data;

import static io.github.bts4j.train.data.TestData.assertRefused;
import static io.github.bts4j.train.data.TestData.counting;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class SwitchingDomainTest {

    private static final TokenDataset CODE = counting("code", 1_000_000, 1000);
    private static final TokenDataset MATH = counting("math", 2_000_000, 870);
    private static final TokenDataset TEXT = counting("text", 3_000_000, 1205);

    private static List<TokenDataset> members(int n) {
        return List.of(CODE, MATH, TEXT).subList(0, n);
    }

    @Test
    void sequencesSwitchAtEverySegmentAndFillTheLength() {
        for (int n = 2; n <= 3; n++) {
            SwitchingDomain domain = new SwitchingDomain("switch", members(n), 7);
            for (int length = 7; length < 40; length++) {
                for (int ordinal = 0; ordinal < 50; ordinal++) {
                    List<Segment> segments = domain.sequence(4, ordinal, length);
                    assertEquals(length + 1, segments.stream().mapToInt(Segment::length).sum());
                    for (int j = 1; j < segments.size(); j++) {
                        assertNotEquals(segments.get(j - 1).dataset(), segments.get(j).dataset());
                        assertEquals(7, segments.get(j - 1).length());
                    }
                }
            }
        }
    }

    @Test
    void segmentsAreDealtWithoutReplacementAndEvenly() {
        SwitchingDomain domain = new SwitchingDomain("switch", members(3), 10);
        for (int length : new int[] {19, 25, 39, 55}) {
            Map<String, Set<Integer>> offsets = new HashMap<>();
            // 87 segments of the shortest member make one epoch of it
            int perSequence = (length + 10) / 10;
            int sequences = 87 / perSequence * 3;
            for (int ordinal = 0; ordinal < sequences; ordinal++) {
                for (Segment segment : domain.sequence(8, ordinal, length)) {
                    assertTrue(offsets.computeIfAbsent(segment.dataset().name(), name -> new HashSet<>())
                            .add(segment.offset()), "length " + length + " segment " + segment);
                }
            }
            int each = 87 / perSequence * perSequence;
            assertEquals(Map.of("code", each, "math", each, "text", each),
                    Map.of("code", offsets.get("code").size(), "math", offsets.get("math").size(),
                            "text", offsets.get("text").size()), "length " + length);
        }
    }

    @Test
    void everyMemberBeginsAndOrdersVary() {
        SwitchingDomain domain = new SwitchingDomain("switch", members(3), 8);
        Set<List<String>> orders = new HashSet<>();
        for (int ordinal = 0; ordinal < 60; ordinal++) {
            orders.add(domain.sequence(1, ordinal, 23).stream().map(s -> s.dataset().name()).toList());
        }
        assertEquals(6, orders.size(), orders.toString());
    }

    @Test
    void windowsReadMembersInOrderAndAlternateTheirBeginnings() {
        SwitchingDomain domain = new SwitchingDomain("switch", members(2), 10);
        List<Window> windows = domain.windows(39);
        // four segments a window, two of each member; math has 87 segments
        assertEquals(43, windows.size());
        int[] next = new int[2];
        for (int w = 0; w < windows.size(); w++) {
            Window window = windows.get(w);
            assertEquals(40, window.tokens().length);
            assertEquals("switch", window.domain());
            for (int j = 0; j < 4; j++) {
                int member = (w + j) % 2;
                for (int i = 0; i < 10; i++) {
                    int expected = (member + 1) * 1_000_000 + next[member] * 10 + i;
                    assertEquals(expected, window.tokens()[j * 10 + i], "window " + w + " segment " + j);
                }
                assertEquals(members(2).get(member), window.segments().get(j).dataset());
                next[member]++;
            }
        }
    }

    @Test
    void aMixDealsSwitchingSequencesFromAnyPosition() {
        SwitchingDomain domain = new SwitchingDomain("switch", members(3), 9);
        List<Domain> domains = List.of(CODE, domain);
        Map<String, Double> weights = Map.of("code", 1.0, "switch", 1.0);
        Datamix mix = Datamix.of(domains, weights).withSeed(6).withBlockSize(16);
        Batch batch = mix.batch(1008, 16, 30);
        int[] expected = IntStream.range(0, 16).flatMap(row -> IntStream.of(
                Datamix.of(domains, weights).withSeed(6).withBlockSize(16).batch(1008 + row, 1, 30).tokens())).toArray();
        assertArrayEquals(expected, batch.tokens());
        assertEquals(8, IntStream.of(batch.domains()).filter(d -> d == 1).count());
        for (int row = 0; row < 16; row++) {
            int first = batch.tokens()[row * 31] / 1_000_000;
            int second = batch.tokens()[row * 31 + 9] / 1_000_000;
            assertEquals(batch.domains()[row] == 1, first != second, "row " + row);
        }
    }

    @Test
    void fingerprintDependsOnMembersAndLength() {
        Set<String> all = new HashSet<>();
        all.add(new SwitchingDomain("s", members(2), 8).fingerprint());
        all.add(new SwitchingDomain("s", members(3), 8).fingerprint());
        all.add(new SwitchingDomain("s", members(2), 9).fingerprint());
        assertEquals(3, all.size());
    }

    @Test
    void problemsAreListed() {
        assertRefused("SwitchingDomain ' ': name = ' ': a domain needs a name; members = 1 must be at least 2 to switch "
                + "between; member 'math' has 870 tokens, one segment needs 900",
                () -> new SwitchingDomain(" ", List.of(MATH), 900));
        assertRefused("member 'math' is named twice; segmentLength = 0 must be at least 1 token",
                () -> new SwitchingDomain("s", List.of(MATH, MATH), 0));
        SwitchingDomain domain = new SwitchingDomain("s", members(2), 500);
        assertRefused("domain 's' has segmentLength = 500, a sequence of sequenceLength + 1 = 500 tokens would never "
                + "switch: shorten the segment", () -> domain.sequence(0, 0, 499));
        assertRefused("domain 's' has too little text for one window of 4 segments of 500 tokens; its members have "
                + "code 1000, math 870", () -> domain.windows(1600));
        assertRefused("sequenceLength = 0 must be at least 1 token", () -> domain.windows(0));
        assertRefused("segmentLength = 500", () -> Datamix.of(List.of(domain), Map.of("s", 1.0)).batch(0, 1, 499));
    }
}
