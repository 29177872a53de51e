package io.github.bts4j.core.constraint;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** A set of code points, without surrogates. Immutable. */
final class CharSet {
    private static final int LAST = Character.MAX_CODE_POINT;

    /** All code points. */
    static final CharSet ANY = new CharSet(new int[] {0, 0xD7FF, 0xE000, LAST});

    private final int[] ranges; // first and last of each range, in order, apart from each other

    private CharSet(int[] ranges) {
        this.ranges = ranges;
    }

    /** The set of some ranges: first and last of each, in any order. */
    static CharSet of(List<Integer> bounds) {
        List<int[]> sorted = new ArrayList<>();
        for (int i = 0; i < bounds.size(); i += 2) {
            sorted.add(new int[] {bounds.get(i), bounds.get(i + 1)});
        }
        sorted.sort((a, b) -> Integer.compare(a[0], b[0]));
        List<Integer> merged = new ArrayList<>();
        for (int[] range : sorted) {
            int last = merged.size() - 1;
            if (last > 0 && range[0] <= merged.get(last) + 1) {
                merged.set(last, Math.max(merged.get(last), range[1]));
            } else {
                merged.add(range[0]);
                merged.add(range[1]);
            }
        }
        return new CharSet(merged.stream().mapToInt(Integer::intValue).toArray()).withoutSurrogates();
    }

    static CharSet of(int codePoint) {
        return of(List.of(codePoint, codePoint));
    }

    private CharSet withoutSurrogates() {
        return overlaps(Character.MIN_SURROGATE, Character.MAX_SURROGATE) ? without(new CharSet(new int[] {Character.MIN_SURROGATE, Character.MAX_SURROGATE})) : this;
    }

    int[] ranges() {
        return ranges.clone();
    }

    CharSet and(CharSet other) {
        List<Integer> bounds = new ArrayList<>();
        Arrays.stream(ranges).forEach(bounds::add);
        Arrays.stream(other.ranges).forEach(bounds::add);
        return of(bounds);
    }

    CharSet without(CharSet other) {
        List<Integer> left = new ArrayList<>();
        for (int i = 0; i < ranges.length; i += 2) {
            int from = ranges[i];
            for (int j = 0; j < other.ranges.length && from <= ranges[i + 1]; j += 2) {
                if (other.ranges[j + 1] < from || other.ranges[j] > ranges[i + 1]) {
                    continue;
                }
                if (other.ranges[j] > from) {
                    left.add(from);
                    left.add(other.ranges[j] - 1);
                }
                from = other.ranges[j + 1] + 1;
            }
            if (from <= ranges[i + 1]) {
                left.add(from);
                left.add(ranges[i + 1]);
            }
        }
        return new CharSet(left.stream().mapToInt(Integer::intValue).toArray());
    }

    CharSet complement() {
        return ANY.without(this);
    }

    boolean contains(int codePoint) {
        return overlaps(codePoint, codePoint);
    }

    boolean overlaps(int low, int high) {
        for (int i = 0; i < ranges.length; i += 2) {
            if (ranges[i] <= high && ranges[i + 1] >= low) {
                return true;
            }
        }
        return false;
    }

    boolean isEmpty() {
        return ranges.length == 0;
    }
}
