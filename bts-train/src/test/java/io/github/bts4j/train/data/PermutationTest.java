package io.github.bts4j.train.data;

import static io.github.bts4j.train.data.TestData.assertRefused;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.bts4j.core.support.SplitMix64;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;

class PermutationTest {

    @Test
    void everyNumberOnceForEverySizeAndKey() {
        for (int size : new int[] {1, 2, 3, 4, 5, 15, 16, 17, 63, 64, 65, 255, 256, 257, 1000, 65_536, 65_537}) {
            for (long key = 0; key < 5; key++) {
                Permutation permutation = new Permutation(size, key);
                long[] values = LongStream.range(0, size).map(permutation::at).sorted().toArray();
                assertArrayEquals(LongStream.range(0, size).toArray(), values, permutation.toString());
            }
        }
    }

    @Test
    void everyPlaceIsEquallyLikely() {
        int size = 10;
        int keys = 20_000;
        int[][] counts = new int[size][size];
        for (int key = 0; key < keys; key++) {
            for (int i = 0; i < size; i++) {
                counts[i][(int) new Permutation(size, key).at(i)]++;
            }
        }
        // rows and columns are fixed: 10/9 times chi-square with 81 degrees of freedom, whose 99.9 % quantile is 126
        double chiSquare = 0;
        for (int[] row : counts) {
            for (int count : row) {
                chiSquare += Math.pow(count - keys / 10.0, 2) / (keys / 10.0);
            }
        }
        assertTrue(chiSquare < 140, "chi-square " + chiSquare);
    }

    @Test
    void hugeSizesStayInRange() {
        Permutation permutation = new Permutation((1L << 40) + 1, 7);
        assertTrue(LongStream.range(0, 1000).map(permutation::at).allMatch(v -> v >= 0 && v <= 1L << 40));
        assertEquals(1000, LongStream.range(0, 1000).map(permutation::at).distinct().count());
        assertRefused("size = 0 must be at least 1", () -> new Permutation(0, 1));
    }

    @Test
    void generatorIsSplitMix64() {
        // the reference output of splitmix64.c (Vigna) for seed 1234567
        SplitMix64 random = new SplitMix64(1234567);
        assertEquals(6457827717110365317L, random.next());
        assertEquals(3203168211198807973L, random.next());
        assertEquals(Long.parseUnsignedLong("9817491932198370423"), random.next());
    }

    @Test
    void boundedNumbersAreEven() {
        SplitMix64 random = new SplitMix64(5);
        int[] counts = new int[7];
        for (int i = 0; i < 70_000; i++) {
            counts[random.nextInt(7)]++;
        }
        for (int count : counts) {
            assertEquals(10_000, count, 400);
        }
    }
}
