package io.github.bts4j.train.stability;

import java.io.Serializable;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/**
 * Numbers of batches, as ranges. Immutable.
 *
 * @param ranges the ranges in ascending order
 * @serial exclude
 */
public record BatchRanges(List<Range> ranges) implements Serializable {
    /** No batches. */
    public static final BatchRanges NONE = new BatchRanges(List.of());

    private static final Pattern RANGE = Pattern.compile("\\s*(\\d{1,18})\\s*(?:-\\s*(\\d{1,18})\\s*)?");

    /**
     * Sorts the ranges.
     *
     * @param ranges the ranges
     */
    public BatchRanges {
        ranges = ranges.stream().sorted(Comparator.comparingLong(Range::first)).toList();
    }

    /**
     * A range of batches.
     *
     * @param first the first one's number
     * @param last the last one's number
     * @serial exclude
     */
    public record Range(long first, long last) implements Serializable {
        /**
         * Checks the order.
         *
         * @param first the first one's number
         * @param last the last one's number
         * @throws IllegalArgumentException if the last comes before the first
         */
        public Range {
            if (first < 0 || last < first) {
                throw new IllegalArgumentException("batches " + first + "-" + last + ": the first must not be negative, nor after the last");
            }
        }
    }

    /**
     * Reads a list.
     *
     * @param text numbers and ranges, such as {@code 100-200,350}; blank for none
     * @return the ranges
     * @throws IllegalArgumentException if the text is not such a list
     */
    public static BatchRanges parse(String text) {
        List<Range> ranges = new ArrayList<>();
        for (String part : text.isBlank() ? new String[0] : text.split(",", -1)) {
            Matcher range = RANGE.matcher(part);
            if (!range.matches()) {
                throw new IllegalArgumentException("skipBatches = '" + text + "': '" + part + "' is neither a number nor a range such as 100-200");
            }
            long first = Long.parseLong(range.group(1));
            ranges.add(new Range(first, range.group(2) == null ? first : Long.parseLong(range.group(2))));
        }
        return new BatchRanges(ranges);
    }

    /**
     * The first batch from a number on that is in no range.
     *
     * @param batch the number
     * @return that number, or the one after the ranges that hold it
     */
    public long next(long batch) {
        long next = batch;
        for (Range range : ranges) {
            if (range.first() <= next && next <= range.last()) {
                next = range.last() + 1;
            }
        }
        return next;
    }

    @Override
    public String toString() {
        return ranges.stream().map(range -> range.first() == range.last() ? "" + range.first() : range.first() + "-" + range.last())
                .collect(Collectors.joining(","));
    }
}
