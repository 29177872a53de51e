package io.github.bts4j.train.data;

import io.github.bts4j.core.support.SplitMix64;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.Deque;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.IntStream;

/**
 * Whole documents in sequences of one length, best fit decreasing: the longest document first, each into the fullest sequence that still has room for it, or else
 * into a new one. Documents that are longer than a sequence are cut; those without a token that counts in what is left of them are left out. A document's first
 * token is never predicted.
 */
final class DocumentPacking {
    private final int capacity;
    private final List<int[]> bins;
    private final long[] counted;
    private final PackingReport report;

    private DocumentPacking(int capacity, List<int[]> bins, long[] counted, PackingReport report) {
        this.capacity = capacity;
        this.bins = bins;
        this.counted = counted;
        this.report = report;
    }

    static DocumentPacking of(TokenDataset data, int sequenceLength) {
        int capacity = (int) Math.min(sequenceLength + 1L, Integer.MAX_VALUE - 8);
        int documents = data.documentCount();
        int[] predicted = new int[documents];
        int cut = 0;
        int leftOut = 0;
        List<Integer> kept = new ArrayList<>();
        for (int i = 0; i < documents; i++) {
            predicted[i] = predicted(data, i, capacity);
            if (predicted[i] == 0) {
                leftOut++;
            } else {
                kept.add(i);
                cut += data.length(i) > capacity ? 1 : 0;
            }
        }
        List<int[]> bins = bins(data, capacity, kept);
        long[] counted = bins.stream().mapToLong(bin -> Arrays.stream(bin).mapToLong(i -> predicted[i]).sum()).toArray();
        long tokens = kept.stream().mapToLong(i -> Math.min(capacity, data.length(i))).sum();
        return new DocumentPacking(capacity, bins, counted, new PackingReport(documents, cut, leftOut, bins.size(), tokens, Arrays.stream(counted).sum(), (long) bins.size() * capacity));
    }

    private static int predicted(TokenDataset data, int document, int capacity) {
        int[] tokens = new int[Math.min(capacity, data.length(document))];
        data.copy(data.start(document), tokens.length, tokens, 0);
        return (int) IntStream.range(1, tokens.length).filter(t -> tokens[t] >= 0).count();
    }

    private static List<int[]> bins(TokenDataset data, int capacity, List<Integer> kept) {
        List<Integer> byLength = new ArrayList<>(kept);
        byLength.sort(Comparator.comparing(i -> -Math.min(capacity, data.length(i)))); // stable: equal ones in the order of the text
        List<List<Integer>> bins = new ArrayList<>();
        TreeMap<Integer, Deque<Integer>> bySpace = new TreeMap<>();
        for (int document : byLength) {
            int length = Math.min(capacity, data.length(document));
            Map.Entry<Integer, Deque<Integer>> fit = bySpace.ceilingEntry(length);
            int bin = bins.size();
            int space = capacity;
            if (fit == null) {
                bins.add(new ArrayList<>());
            } else {
                space = fit.getKey();
                bin = fit.getValue().remove();
                if (fit.getValue().isEmpty()) {
                    bySpace.remove(space);
                }
            }
            bins.get(bin).add(document);
            bySpace.computeIfAbsent(space - length, s -> new ArrayDeque<>()).add(bin);
        }
        return bins.stream().map(bin -> bin.stream().mapToInt(Integer::intValue).toArray()).toList();
    }

    int sequenceLength() {
        return capacity - 1;
    }

    int size() {
        return bins.size();
    }

    PackingReport report() {
        return report;
    }

    /** The documents of the sequence that is dealt as number {@code ordinal}: an epoch deals all of them, in an order of its own. */
    List<Segment> dealt(TokenDataset data, long key, long ordinal) {
        return Arrays.stream(bins.get(dealtBin(key, ordinal))).mapToObj(i -> segment(data, i)).toList();
    }

    /** Every document that is not left out, in the order of the text. */
    List<Segment> documents(TokenDataset data) {
        return bins.stream().flatMapToInt(Arrays::stream).sorted().mapToObj(i -> segment(data, i)).toList();
    }

    /** Tokens that the loss counts in the sequences 0 to {@code sequences - 1} that are dealt. */
    long counted(long key, long sequences) {
        long sum = sequences / bins.size() * report.counted();
        for (long ordinal = sequences - sequences % bins.size(); ordinal < sequences; ordinal++) {
            sum += counted[dealtBin(key, ordinal)];
        }
        return sum;
    }

    private int dealtBin(long key, long ordinal) {
        return (int) new Permutation(bins.size(), SplitMix64.key(key, ordinal / bins.size())).at(ordinal % bins.size());
    }

    private Segment segment(TokenDataset data, int document) {
        return new Segment(data, data.start(document), Math.min(capacity, data.length(document)));
    }
}
