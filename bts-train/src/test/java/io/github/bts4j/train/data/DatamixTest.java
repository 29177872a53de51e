package io.github.bts4j.train.data;

import static io.github.bts4j.train.data.TestData.assertRefused;
import static io.github.bts4j.train.data.TestData.counting;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Arrays;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.stream.IntStream;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;

class DatamixTest {

    private static final List<TokenDataset> DOMAINS = List.of(counting("code", 1_000_000, 5003),
            counting("math", 2_000_000, 3001), counting("multilingual", 3_000_000, 4097),
            counting("general", 4_000_000, 10_007));
    private static final Map<String, Double> PAPER =
            Map.of("code", 15.0, "math", 15.0, "multilingual", 15.0, "general", 55.0);

    /** Some thousand times, the next batch is drawn by a mix that has drawn none before: the run has been resumed there. */
    @Test
    void countsAreExactInEveryBlockOfAHundredThousandBatchesWhereverTheyAreResumed() {
        Datamix mix = Datamix.of(DOMAINS, PAPER).withSeed(11);
        double[] weights = {0.15, 0.15, 0.15, 0.55};
        Random random = new Random(4);
        int resumed = 0;
        int[] inBlock = new int[4];
        long[] total = new long[4];
        long position = 0;
        for (int number = 0; number < 100_000; number++) {
            if (random.nextInt(50) == 0) {
                mix = Datamix.of(DOMAINS, PAPER).withSeed(11);
                resumed++;
            }
            Batch batch = mix.batch(position, 31, 4);
            for (int domain : batch.domains()) {
                Draw draw = mix.sequenceAt(position++);
                assertEquals(domain, draw.domain());
                assertEquals(total[domain], draw.ordinal());
                inBlock[domain]++;
                total[domain]++;
                if (position % mix.blockSize() == 0) {
                    assertArrayEquals(mix.blockCounts(position / mix.blockSize() - 1), inBlock);
                    for (int d = 0; d < 4; d++) {
                        // less than one sequence from the exact share at either end of a block, so less than two within it
                        assertTrue(Math.abs(inBlock[d] - weights[d] * 2048) < 2, "position " + position + " domain " + d + ": " + inBlock[d]);
                        assertEquals(weights[d] * position, total[d], 1 - 1e-9, "position " + position + " domain " + d);
                    }
                    Arrays.fill(inBlock, 0);
                }
            }
            assertEquals(position, batch.nextPosition());
        }
        assertEquals(3_100_000, LongStream.of(total).sum());
        assertTrue(resumed > 1000, resumed + " times");
    }

    @Test
    void anyPositionIsFoundWithoutReadingWhatComesBefore() {
        Datamix mix = Datamix.of(DOMAINS, PAPER).withSeed(5);
        Random random = new Random(1);
        for (int i = 0; i < 50; i++) {
            long position = i < 40 ? random.nextInt(3_200_000) : random.nextLong(1L << 50);
            Batch whole = mix.batch(position, 24, 64);
            Datamix fresh = Datamix.of(DOMAINS, PAPER).withSeed(5);
            Batch first = fresh.batch(position, 7, 64);
            Batch rest = fresh.batch(first.nextPosition(), 17, 64);
            String where = "position " + position;
            assertEquals(whole.nextPosition(), rest.nextPosition(), where);
            assertArrayEquals(whole.tokens(), joined(first.tokens(), rest.tokens()), where);
            assertArrayEquals(whole.domains(), joined(first.domains(), rest.domains()), where);
        }
    }

    private static int[] joined(int[] a, int[] b) {
        return IntStream.concat(Arrays.stream(a), Arrays.stream(b)).toArray();
    }

    @Test
    void rowsHoldTheirDomainsTokensInSequence() {
        Datamix mix = Datamix.of(DOMAINS, PAPER).withSeed(2);
        Batch batch = mix.batch(100, 40, 50);
        assertEquals(40, batch.batchSize());
        assertEquals(51 * 40, batch.tokens().length);
        for (int row = 0; row < 40; row++) {
            int domain = batch.domains()[row];
            int first = (domain + 1) * 1_000_000;
            int size = DOMAINS.get(domain).size();
            int start = batch.tokens()[row * 51] - first;
            for (int i = 0; i <= 50; i++) {
                assertEquals(first + (start + i) % size, batch.tokens()[row * 51 + i], "row " + row + " token " + i);
            }
            for (int i = 0; i < 50; i++) {
                assertEquals(batch.tokens()[row * 51 + i], batch.inputs()[row * 50 + i]);
                assertEquals(batch.tokens()[row * 51 + i + 1], batch.targets()[row * 50 + i]);
            }
            Segment segment = mix.segmentsAt(100 + row, 50).get(0);
            assertEquals(start, segment.offset());
            assertEquals(51, segment.length());
        }
    }

    @Test
    void anEpochPredictsNoTokenTwiceAndLaterEpochsMove() {
        Datamix mix = Datamix.of(List.of(counting("d", 0, 103)), Map.of("d", 1.0)).withSeed(9);
        int perEpoch = 103 / 10;
        Set<List<Integer>> orders = new HashSet<>();
        Set<Integer> everPredicted = new HashSet<>();
        for (int epoch = 0; epoch < 20; epoch++) {
            Batch batch = mix.batch((long) epoch * perEpoch, perEpoch, 10);
            Set<Integer> predicted = new HashSet<>();
            Arrays.stream(batch.targets()).forEach(token -> assertTrue(predicted.add(token), "token " + token));
            assertEquals(100, predicted.size());
            everPredicted.addAll(predicted);
            orders.add(Arrays.stream(batch.targets()).boxed().toList());
            if (epoch == 0) {
                assertTrue(IntStream.range(0, perEpoch).allMatch(row -> batch.tokens()[row * 11] % 10 == 0));
            }
        }
        assertEquals(20, orders.size());
        assertEquals(103, everPredicted.size());
    }

    @Test
    void seedsOrderDifferently() {
        Datamix mix = Datamix.of(DOMAINS, PAPER);
        assertArrayEquals(mix.batch(0, 64, 16).tokens(), mix.withSeed(0).batch(0, 64, 16).tokens());
        assertFalse(Arrays.equals(mix.batch(0, 64, 16).tokens(), mix.withSeed(1).batch(0, 64, 16).tokens()));
        assertFalse(Arrays.equals(mix.batch(0, 64, 16).domains(), mix.batch(2048, 64, 16).domains()));
    }

    @Test
    void anotherDomainLeavesTheOrderWithinDomainsAlone() {
        TokenDataset code = DOMAINS.get(0);
        for (int ordinal = 0; ordinal < 200; ordinal++) {
            assertEquals(code.sequence(3, ordinal, 16), code.sequence(3, ordinal, 16));
        }
        Datamix alone = Datamix.of(List.of(code), Map.of("code", 1.0)).withSeed(3);
        assertEquals(code.sequence(3, alone.sequenceAt(17).ordinal(), 16), alone.segmentsAt(17, 16));
    }

    @Test
    void weightsAreNormalisedAndZeroLeavesOut() {
        Map<String, Double> weights = new LinkedHashMap<>(PAPER);
        weights.put("general", 0.0);
        Datamix mix = Datamix.of(DOMAINS, weights).withBlockSize(10);
        assertEquals(List.of("code", "math", "multilingual", "general"), mix.domains());
        assertEquals(List.of(1 / 3.0, 1 / 3.0, 1 / 3.0, 0.0), List.copyOf(mix.weights().values()));
        assertEquals(10, mix.blockSize());
        assertEquals(0, mix.seed());
        for (int block = 0; block < 30; block++) {
            assertEquals(0, mix.blockCounts(block)[3]);
            assertEquals(10, Arrays.stream(mix.blockCounts(block)).sum());
        }
        assertEquals(List.of(0.5, 0.5), List.copyOf(Datamix.of(DOMAINS.subList(0, 2),
                Map.of("code", Double.MAX_VALUE, "math", Double.MAX_VALUE)).weights().values()));
    }

    @Test
    void fingerprintTellsMixesApart() {
        Datamix mix = Datamix.of(DOMAINS, PAPER);
        Map<String, Double> doubled = Map.of("code", 30.0, "math", 30.0, "multilingual", 30.0, "general", 110.0);
        assertEquals(mix.fingerprint(), Datamix.of(DOMAINS, doubled).fingerprint());
        Set<String> all = new HashSet<>(List.of(mix.fingerprint(), mix.withSeed(1).fingerprint(),
                mix.withBlockSize(1024).fingerprint(),
                Datamix.of(DOMAINS, Map.of("code", 1.0, "math", 1.0, "multilingual", 1.0, "general", 1.0)).fingerprint(),
                Datamix.of(List.of(counting("code", 0, 50)), Map.of("code", 1.0)).fingerprint()));
        assertEquals(5, all.size());
        assertNotEquals("", mix.fingerprint());
    }

    @Test
    void everyProblemWithTheWeightsIsListedAtOnce() {
        TokenDataset empty = TokenDataset.builder("empty").build();
        Map<String, Double> weights = Map.of("code", -1.0, "math", Double.NaN, "empty", 2.0, "cod", 1.0);
        assertRefused("Datamix: domain 'math' is given twice; "
                + "weight of domain 'code' = -1.0 must be zero or more and finite; "
                + "weight of domain 'math' = NaN must be zero or more and finite; "
                + "weight for unknown domain 'cod' (domains: code, empty, general, math); "
                + "domain 'empty' has a weight but no data; "
                + "domain 'general' has no weight: use 0 to omit it",
                () -> Datamix.of(List.of(DOMAINS.get(0), DOMAINS.get(1), DOMAINS.get(1), empty, DOMAINS.get(3)), weights));
    }

    @Test
    void otherImpossibleMixesAreRefused() {
        TokenDataset code = DOMAINS.get(0);
        assertRefused("weights {code=0.0} sum to zero: at least one must be positive",
                () -> Datamix.of(List.of(code), Map.of("code", 0.0)));
        assertRefused("there is no domain; weights {} sum to zero", () -> Datamix.of(List.of(), Map.of()));
        assertRefused("weight of domain 'code' = Infinity must be zero or more and finite",
                () -> Datamix.of(List.of(code), Map.of("code", Double.POSITIVE_INFINITY)));
        assertRefused("less than one sequence in 1048576: it would never be drawn; raise it or set it to 0",
                () -> Datamix.of(DOMAINS.subList(0, 2), Map.of("code", 1.0, "math", 1e-8)));
    }

    @Test
    void badArgumentsAreRefused() {
        Datamix mix = Datamix.of(DOMAINS, PAPER);
        assertRefused("blockSize = 0 must be between 1 and 1048576", () -> mix.withBlockSize(0));
        assertRefused("index = -1 must not be negative", () -> mix.sequenceAt(-1));
        assertRefused("block = -1 must not be negative", () -> mix.blockCounts(-1));
        assertRefused("position = -1 must not be negative", () -> mix.batch(-1, 1, 1));
        assertRefused("sequenceLength = 0 must be at least 1 token", () -> mix.batch(0, 1, 0));
        assertRefused("batchSize = 0 must be at least 1", () -> mix.batch(0, 0, 8));
        assertRefused("at most 2147483647 tokens", () -> mix.batch(0, 1 << 20, 4096));
        assertRefused("domain 'code' has 5003 tokens, one sequence needs sequenceLength + 1 = 5004: give it more text or "
                + "shorten the sequence; domain 'math' has 3001 tokens, one sequence needs sequenceLength + 1 = 5004",
                () -> mix.batch(0, 1, 5003));
        assertRefused("tokens.length = 5 is not batch 1 x (sequenceLength + 1 = 4)",
                () -> new Batch(new int[5], new int[1], 3, 0));
    }

    @Test
    void stagesChangeTheWeightsAndNothingElse() {
        long first = 5_000;
        long second = 12_345;
        Map<String, Double> codeOnly = Map.of("code", 1.0, "math", 0.0, "multilingual", 0.0, "general", 0.0);
        Map<String, Double> even = Map.of("code", 1.0, "math", 1.0, "multilingual", 1.0, "general", 1.0);
        Datamix plain = Datamix.of(DOMAINS, PAPER).withSeed(3);
        Datamix mix = plain.withStage(first, codeOnly).withStage(second, even);
        long[] drawn = new long[4];
        long[] atStart = new long[4];
        for (long index = 0; index < 30_000; index++) {
            if (index == first || index == second) {
                atStart = drawn.clone();
            }
            Draw draw = mix.sequenceAt(index);
            assertEquals(drawn[draw.domain()]++, draw.ordinal(), "a domain continues where it was, index " + index);
            if (index < first) {
                assertEquals(plain.sequenceAt(index), draw);
            } else if (index < second) {
                assertEquals(0, draw.domain());
            } else if ((index + 1 - second) % 4 == 0 && (index + 1 - second) % 2048 == 0) {
                for (int d = 0; d < 4; d++) {
                    assertEquals((index + 1 - second) / 4, drawn[d] - atStart[d]);
                }
            }
        }
        assertEquals(0.15, mix.weightsAt(first - 1).get("code"), 1e-15);
        assertEquals(1, mix.weightsAt(first).get("code"));
        assertEquals(0.25, mix.weightsAt(Long.MAX_VALUE).get("general"));
        int[] inBlock = new int[4];
        for (int i = 0; i < 2048; i++) {
            inBlock[mix.sequenceAt(2 * 2048 + i).domain()]++;
        }
        assertArrayEquals(inBlock, mix.blockCounts(2), "a block that two stages share");
        Set<String> fingerprints = new HashSet<>(List.of(plain.fingerprint(), mix.fingerprint(), plain.withStage(first, codeOnly).fingerprint(),
                plain.withStage(first + 1, codeOnly).fingerprint(), plain.withStage(first, even).fingerprint()));
        assertEquals(5, fingerprints.size());
        assertEquals(mix.fingerprint(), mix.withSeed(3).fingerprint(), "stages stay");
        assertRefused("must come after the one from sequence 12345", () -> mix.withStage(second, even));
        assertRefused("weight for unknown domain 'x'", () -> mix.withStage(second + 1, Map.of("x", 1.0)));
    }

    @Test
    void useCountsSequencesAndEpochs() {
        int length = 50;
        Datamix mix = Datamix.of(DOMAINS, PAPER).withStage(700, Map.of("code", 1.0, "math", 1.0, "multilingual", 0.0, "general", 0.0));
        for (long position : new long[] {0, 1, 699, 700, 701, 2900}) {
            long[] drawn = new long[4];
            for (long index = 0; index < position; index++) {
                drawn[mix.sequenceAt(index).domain()]++;
            }
            List<DomainUse> use = mix.use(position, length);
            for (int d = 0; d < 4; d++) {
                long perEpoch = DOMAINS.get(d).size() / length;
                assertEquals(new DomainUse(DOMAINS.get(d).name(), drawn[d], drawn[d] * length, drawn[d] / (double) perEpoch), use.get(d));
            }
        }
        assertEquals("math 3 sequences (1.50 epochs)", new DomainUse("math", 3, 150, 1.5).text());
    }

    @Test
    void upsamplingIsRelativeToTheText() {
        Datamix mix = Datamix.upsampled(DOMAINS, Map.of("code", 1.0, "math", 3.0, "multilingual", 0.0, "general", 1.0), 50);
        List<DomainUse> use = mix.use(100_000_000, 50);
        assertEquals(3, use.get(1).epochs() / use.get(0).epochs(), 1e-3);
        assertEquals(1, use.get(3).epochs() / use.get(0).epochs(), 1e-3);
        assertEquals(0, use.get(2).sequences());
    }
}
