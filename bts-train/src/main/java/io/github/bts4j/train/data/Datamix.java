package io.github.bts4j.train.data;

import io.github.bts4j.core.support.Hashes;
import io.github.bts4j.core.support.Problems;
import io.github.bts4j.core.support.SplitMix64;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/**
 * A weighted mixture of domains: an endless list of training sequences with random access.
 *
 * <p>The list is divided into blocks. Every block holds a whole number of sequences of each domain, and after any number
 * of blocks each domain has had {@code weight * sequences} of them to within less than one sequence (weights have
 * a resolution of one in 2^20). Inside a block the order is shuffled by (seed, block). Sequence {@code i} is a pure function
 * of (seed, i): a run resumes from the number of its next sequence, and nothing is replayed.
 *
 * <p>The Branch-Train-Stitch paper mixes 15 % code, 15 % mathematics, 15 % multilingual text and 55 % of the seed's data
 * (arXiv 2502.00075, section 4): {@code Datamix.of(domains, Map.of("code", 15.0, "math", 15.0, "multilingual", 15.0,
 * "general", 55.0))}.
 *
 * <p>Immutable and safe for use by many threads. Holds the domains' tokens and small tables, nothing to close.
 */
public final class Datamix {

    /** Sequences of a block by default. */
    public static final int DEFAULT_BLOCK_SIZE = 2048;

    private final List<Domain> domains;
    private final List<Stage> stages;
    private final long seed;
    private final int blockSize;
    private final List<Mixture> mixtures = new ArrayList<>();
    /** For each stage, how many sequences of each domain come before it. */
    private final List<long[]> drawnBefore = new ArrayList<>();

    /** Weights that apply from a sequence on. */
    private record Stage(long start, double[] weights) {}

    private Datamix(List<Domain> domains, List<Stage> stages, long seed, int blockSize) {
        this.domains = domains;
        this.stages = stages;
        this.seed = seed;
        this.blockSize = blockSize;
        long[] drawn = new long[domains.size()];
        for (int i = 0; i < stages.size(); i++) {
            if (i > 0) {
                drawn = sum(drawn, mixtures.get(i - 1).before(stages.get(i).start() - stages.get(i - 1).start()));
            }
            drawnBefore.add(drawn);
            mixtures.add(new Mixture(stages.get(i).weights(), blockSize, i == 0 ? seed : SplitMix64.key(seed, "stage " + i)));
            DatamixProblems.refuseInvisible(domains, stages.get(i).weights(), mixtures.get(i).shares());
        }
    }

    /**
     * Mixes domains with seed 0 and blocks of {@value #DEFAULT_BLOCK_SIZE} sequences.
     *
     * @param domains the domains, with different names; their order numbers them
     * @param weights relative weight of every domain by name; need not sum to one; 0 omits a domain
     * @return the mix
     * @throws IllegalArgumentException listing every problem: no or equally named domains, a weight that is negative,
     *     NaN or infinite, weights that are all zero, a weight without a domain, a domain without a weight, a weighted
     *     domain without data, a weight so small that its domain would never be drawn
     */
    public static Datamix of(Collection<? extends Domain> domains, Map<String, Double> weights) {
        Problems problems = DatamixProblems.of(domains, weights);
        problems.throwInOneLine("Datamix: ");
        return new Datamix(List.copyOf(domains), List.of(new Stage(0, normalized(domains, weights))), 0, DEFAULT_BLOCK_SIZE);
    }

    /**
     * Mixes domains by how often their text is to be read, relative to each other: with 1 for all, a domain's share is its share of the text; 2 reads a
     * domain's text twice as often as 1 does.
     *
     * @param domains the domains, with different names; their order numbers them
     * @param factors relative number of times that every domain's text is read, by name; 0 omits a domain
     * @param sequenceLength tokens that the model reads
     * @return the mix
     * @throws IllegalArgumentException as {@link #of}, and if a domain has too little text for one sequence
     */
    public static Datamix upsampled(Collection<? extends Domain> domains, Map<String, Double> factors, int sequenceLength) {
        Map<String, Double> weights = new LinkedHashMap<>(factors);
        for (Domain domain : domains) {
            weights.computeIfPresent(domain.name(), (name, factor) -> factor * domain.sequencesPerEpoch(sequenceLength));
        }
        return of(domains, weights);
    }

    private static double[] normalized(Collection<? extends Domain> domains, Map<String, Double> weights) {
        double largest = weights.values().stream().mapToDouble(Double::doubleValue).max().orElseThrow();
        // relative to the largest first: the sum of huge weights must not overflow
        double[] scaled = domains.stream().mapToDouble(d -> weights.get(d.name()) / largest).toArray();
        double sum = 0;
        for (double weight : scaled) {
            sum += weight;
        }
        for (int d = 0; d < scaled.length; d++) {
            scaled[d] /= sum;
        }
        return scaled;
    }

    /**
     * A copy of this mix with other weights from a sequence on. Blocks are counted from there; each domain continues where it was.
     *
     * @param fromSequence number of the first sequence of the new stage: step times sequences per step; later than all existing stages
     * @param weights relative weight of every domain by name
     * @return a new mix
     * @throws IllegalArgumentException if the stage does not come after the last one, or as {@link #of}
     */
    public Datamix withStage(long fromSequence, Map<String, Double> weights) {
        Problems problems = DatamixProblems.of(domains, weights);
        long last = stages.get(stages.size() - 1).start();
        problems.addIf(fromSequence <= last, "a stage from sequence " + fromSequence + " must come after the one from sequence " + last);
        problems.throwInOneLine("Datamix: ");
        List<Stage> more = new ArrayList<>(stages);
        more.add(new Stage(fromSequence, normalized(domains, weights)));
        return new Datamix(domains, List.copyOf(more), seed, blockSize);
    }

    /**
     * A copy of this mix in another order.
     *
     * @param newSeed any number
     * @return a new mix
     */
    public Datamix withSeed(long newSeed) {
        return new Datamix(domains, stages, newSeed, blockSize);
    }

    /**
     * A copy of this mix with another block size.
     *
     * @param newBlockSize sequences of a block, 1 to 2^20
     * @return a new mix
     * @throws IllegalArgumentException if the size is out of range
     */
    public Datamix withBlockSize(int newBlockSize) {
        if (newBlockSize < 1 || newBlockSize > BlockCounts.MAX_PERIOD) {
            throw new IllegalArgumentException("blockSize = " + newBlockSize + " must be between 1 and "
                    + BlockCounts.MAX_PERIOD + " sequences");
        }
        return new Datamix(domains, stages, seed, newBlockSize);
    }

    /** {@return the names of the domains, in the order that the indices of {@link Batch#domains()} count} */
    public List<String> domains() {
        return domains.stream().map(Domain::name).toList();
    }

    /** {@return the normalised weights at the beginning by domain, in the order of {@link #domains()}, summing to one} */
    public Map<String, Double> weights() {
        return weightsAt(0);
    }

    /**
     * The normalised weights that a sequence is drawn by.
     *
     * @param index number of the sequence in the mix, from 0
     * @return weight by domain in the order of {@link #domains()}, summing to one
     * @throws IllegalArgumentException if {@code index} is negative
     */
    public Map<String, Double> weightsAt(long index) {
        checkPosition("index", index);
        double[] weights = stages.get(stageOf(index)).weights();
        Map<String, Double> byName = new LinkedHashMap<>();
        for (int d = 0; d < weights.length; d++) {
            byName.put(domains.get(d).name(), weights[d]);
        }
        return Collections.unmodifiableMap(byName);
    }

    /**
     * What the sequences before a position have read of each domain.
     *
     * @param position number of the next sequence, from 0
     * @param sequenceLength tokens that the model reads
     * @return one entry per domain, in the order of {@link #domains()}
     * @throws IllegalArgumentException if {@code position} is negative
     */
    public List<DomainUse> use(long position, int sequenceLength) {
        checkPosition("position", position);
        TokenDataset.checkLength(sequenceLength);
        long[] drawn = drawnBefore(position);
        return IntStream.range(0, drawn.length).mapToObj(d -> new DomainUse(domains.get(d).name(), drawn[d], domains.get(d).predicted(seed, drawn[d], sequenceLength),
                drawn[d] == 0 ? 0 : drawn[d] / (double) domains.get(d).sequencesPerEpoch(sequenceLength))).toList();
    }

    /** {@return the seed of the order} */
    public long seed() {
        return seed;
    }

    /** {@return the number of sequences in a block} */
    public int blockSize() {
        return blockSize;
    }

    /**
     * How often each domain occurs in one block: sequences {@code block * blockSize} to {@code (block + 1) * blockSize - 1}.
     *
     * @param block number of the block, from 0
     * @return sequences by domain index, {@link #blockSize()} together
     * @throws IllegalArgumentException if {@code block} is negative
     */
    public int[] blockCounts(long block) {
        checkPosition("block", block);
        long[] before = drawnBefore(block * blockSize);
        long[] after = drawnBefore((block + 1) * blockSize);
        return IntStream.range(0, domains.size()).map(d -> (int) (after[d] - before[d])).toArray();
    }

    /**
     * The sequence at a position.
     *
     * @param index number of the sequence in the mix, from 0
     * @return its domain, and its number within that domain
     * @throws IllegalArgumentException if {@code index} is negative
     */
    public Draw sequenceAt(long index) {
        checkPosition("index", index);
        int stage = stageOf(index);
        Draw draw = mixtures.get(stage).at(index - stages.get(stage).start());
        return new Draw(draw.domain(), drawnBefore.get(stage)[draw.domain()] + draw.ordinal());
    }

    /**
     * The segments of the sequence at a position.
     *
     * @param index number of the sequence in the mix, from 0
     * @param sequenceLength tokens that the model reads
     * @return segments of {@code sequenceLength + 1} tokens together
     * @throws IllegalArgumentException if {@code index} is negative or the domain has too little text for the length
     */
    public List<Segment> segmentsAt(long index, int sequenceLength) {
        TokenDataset.checkLength(sequenceLength);
        Draw draw = sequenceAt(index);
        return domains.get(draw.domain()).sequence(seed, draw.ordinal(), sequenceLength);
    }

    /**
     * Reads the sequences {@code position} to {@code position + batchSize - 1}.
     *
     * @param position number of the first sequence, from 0
     * @param batchSize sequences to read, 1 or more
     * @param sequenceLength tokens that the model reads; every sequence has one more
     * @return the tokens [batch, sequence + 1] and the domain of each sequence
     * @throws IllegalArgumentException if an argument is out of range, the batch has more than 2^31 - 1 tokens, or a
     *     weighted domain has too little text for the length; the message lists every such domain
     */
    public Batch batch(long position, int batchSize, int sequenceLength) {
        checkPosition("position", position);
        checkBatch(batchSize, sequenceLength);
        int[] tokens = new int[batchSize * (sequenceLength + 1)];
        int[] drawn = new int[batchSize];
        RowWriter rows = new RowWriter(tokens, batchSize, sequenceLength);
        for (int row = 0; row < batchSize; row++) {
            Draw draw = sequenceAt(position + row);
            drawn[row] = draw.domain();
            Domain domain = domains.get(draw.domain());
            rows.write(row, domain.sequence(seed, draw.ordinal(), sequenceLength), domain.isWholeDocuments());
        }
        return new Batch(tokens, drawn, sequenceLength, position, rows.documents());
    }

    /**
     * Identifies the list of sequences: a resumed run compares it, so that it does not continue with other data.
     *
     * @return SHA-256 over seed, block size, and every domain's name, weight and content, in lower-case hexadecimal
     */
    public String fingerprint() {
        String later = stages.stream().skip(1).map(stage -> "\nstage " + stage.start() + Arrays.stream(stage.weights())
                .mapToObj(weight -> " " + Double.toHexString(weight)).collect(Collectors.joining())).collect(Collectors.joining());
        return Hashes.sha256("datamix " + seed + " " + blockSize + IntStream.range(0, domains.size())
                .mapToObj(d -> "\n" + domains.get(d).name() + "\n" + Double.toHexString(stages.get(0).weights()[d]) + " "
                        + domains.get(d).fingerprint())
                .collect(Collectors.joining()) + later);
    }

    private int stageOf(long index) {
        int stage = stages.size() - 1;
        while (stages.get(stage).start() > index) {
            stage--;
        }
        return stage;
    }

    private long[] drawnBefore(long index) {
        int stage = stageOf(index);
        return sum(drawnBefore.get(stage), mixtures.get(stage).before(index - stages.get(stage).start()));
    }

    private static long[] sum(long[] a, long[] b) {
        return IntStream.range(0, a.length).mapToLong(i -> a[i] + b[i]).toArray();
    }

    private boolean isDrawn(int domain) {
        return stages.stream().anyMatch(stage -> stage.weights()[domain] > 0);
    }

    private void checkBatch(int batchSize, int sequenceLength) {
        TokenDataset.checkLength(sequenceLength);
        if (batchSize < 1 || batchSize * (sequenceLength + 1L) > Integer.MAX_VALUE) {
            throw new IllegalArgumentException("batchSize = " + batchSize + " must be at least 1, and batchSize x "
                    + "(sequenceLength + 1 = " + (sequenceLength + 1L) + ") at most " + Integer.MAX_VALUE + " tokens");
        }
        TokenDataset.refuse(new ArrayList<>(new TreeSet<>(IntStream.range(0, domains.size())
                .filter(this::isDrawn)
                .mapToObj(d -> domains.get(d).problems(sequenceLength))
                .flatMap(List::stream).toList())));
    }

    private static void checkPosition(String name, long value) {
        if (value < 0) {
            throw new IllegalArgumentException(name + " = " + value + " must not be negative");
        }
    }
}
