package io.github.bts4j.train.data;

import io.github.bts4j.core.support.Hashes;
import io.github.bts4j.core.support.Problems;
import io.github.bts4j.core.support.SplitMix64;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/**
 * Text that switches domain within a sequence, to train and to show how gates switch from one expert to
 * another (arXiv 2502.00075, figure 3). A sequence is joined from segments of {@code segmentLength} tokens, the last
 * one cut to fit; neighbours always come from different members.
 *
 * <p>Sequences come in groups, with as many sequences as there are members. Within a group every member gives the same number of
 * segments and begins one sequence; the order of the members is shuffled by (seed, name, group). The segments of one
 * member are drawn without replacement per epoch, like sequences of a {@link TokenDataset}.
 *
 * @param name name of this domain, other than those of its members in the same mix
 * @param members datasets to switch between, two or more with different names
 * @param segmentLength tokens of a segment
 */
public record SwitchingDomain(String name, List<TokenDataset> members, int segmentLength) implements Domain {

    /**
     * Checks the values.
     *
     * @param name name of this domain
     * @param members datasets to switch between
     * @param segmentLength tokens of a segment
     * @throws IllegalArgumentException listing every problem: a blank name, fewer than two members, members of the same
     * name, {@code segmentLength} less than 1, or a member shorter than one segment
     */
    public SwitchingDomain {
        members = List.copyOf(members);
        Problems problems = new Problems();
        problems.addIf(name.isBlank(), "name = '" + name + "': a domain needs a name");
        problems.addIf(members.size() < 2, "members = " + members.size() + " must be at least 2 to switch between");
        Set<String> names = new HashSet<>();
        for (TokenDataset member : members) {
            problems.addIf(!names.add(member.name()), "member '" + member.name() + "' is named twice");
            problems.addIf(member.isWholeDocuments(), "member '" + member.name() + "' is made of conversations, which are not cut into segments");
            problems.addIf(member.size() < segmentLength,
                    "member '" + member.name() + "' has " + member.size() + " tokens, one segment needs " + segmentLength);
        }
        problems.addIf(segmentLength < 1, "segmentLength = " + segmentLength + " must be at least 1 token");
        problems.throwInOneLine("SwitchingDomain '" + name + "': ");
    }

    @Override
    public List<Segment> sequence(long seed, long ordinal, int sequenceLength) {
        TokenDataset.refuse(problems(sequenceLength));
        long key = SplitMix64.key(seed, name);
        int[] order = IntStream.range(0, members.size()).toArray();
        new SplitMix64(SplitMix64.key(key, ordinal / members.size())).shuffle(order);
        List<Segment> segments = new ArrayList<>();
        for (int j = 0; j < segmentsPer(sequenceLength); j++) {
            int slot = slot(ordinal, j);
            TokenDataset member = members.get(order[slot]);
            Dealing dealing = new Dealing(member.size(), segmentLength, SplitMix64.key(key, member.name()), false);
            long segment = usedBefore(ordinal, slot, sequenceLength) + j / members.size();
            segments.add(new Segment(member, dealing.offset(segment), length(j, sequenceLength)));
        }
        return List.copyOf(segments);
    }

    @Override
    public long sequencesPerEpoch(int sequenceLength) {
        TokenDataset.refuse(problems(sequenceLength));
        return Math.max(1, windowCount(sequenceLength));
    }

    @Override
    public List<Window> windows(int sequenceLength) {
        TokenDataset.refuse(problems(sequenceLength));
        int count = windowCount(sequenceLength);
        if (count == 0) {
            throw new IllegalArgumentException("domain '" + name + "' has too little text for one window of "
                    + segmentsPer(sequenceLength) + " segments of " + segmentLength + " tokens; its members have "
                    + members.stream().map(m -> m.name() + " " + m.size()).collect(Collectors.joining(", ")));
        }
        return new WindowList(count, index -> {
            List<Segment> segments = new ArrayList<>();
            for (int j = 0; j < segmentsPer(sequenceLength); j++) {
                int slot = slot(index, j);
                long segment = usedBefore(index, slot, sequenceLength) + j / members.size();
                segments.add(new Segment(
                        members.get(slot), (int) (segment * segmentLength), length(j, sequenceLength)));
            }
            return Window.of(name, segments);
        });
    }

    @Override
    public List<String> problems(int sequenceLength) {
        TokenDataset.checkLength(sequenceLength);
        return segmentLength <= sequenceLength ? List.of()
                : List.of("domain '" + name + "' has segmentLength = " + segmentLength
                        + ", a sequence of sequenceLength + 1 = " + (sequenceLength + 1L)
                        + " tokens would never switch: shorten the segment");
    }

    @Override
    public String fingerprint() {
        return Hashes.sha256("switching " + segmentLength + members.stream()
                .map(member -> "\n" + member.name() + "\n" + member.fingerprint()).collect(Collectors.joining()));
    }

    private long segmentsPer(int sequenceLength) {
        return ((long) sequenceLength + segmentLength) / segmentLength;
    }

    private int length(int segment, int sequenceLength) {
        return (int) Math.min(segmentLength, sequenceLength + 1L - (long) segment * segmentLength);
    }

    /** Slots are the members' positions in the order of a group; segment j of a sequence is one slot after segment j - 1. */
    private int slot(long ordinal, int segment) {
        return (int) ((ordinal % members.size() + segment) % members.size());
    }

    /** Segments that a slot has given to sequences 0 to ordinal - 1: the same number in every whole group. */
    private long usedBefore(long ordinal, int slot, int sequenceLength) {
        int slots = members.size();
        long used = ordinal / slots * segmentsPer(sequenceLength);
        for (int earlier = 0; earlier < ordinal % slots; earlier++) {
            int first = Math.floorMod(slot - earlier, slots);
            used += (segmentsPer(sequenceLength) - first + slots - 1) / slots;
        }
        return used;
    }

    private int windowCount(int sequenceLength) {
        long enough = 0;
        long tooMany = Integer.MAX_VALUE;
        while (tooMany - enough > 1) {
            long count = (enough + tooMany) / 2;
            if (suffices(count, sequenceLength)) {
                enough = count;
            } else {
                tooMany = count;
            }
        }
        return (int) enough;
    }

    private boolean suffices(long windows, int sequenceLength) {
        return IntStream.range(0, members.size()).allMatch(slot ->
                usedBefore(windows, slot, sequenceLength) <= members.get(slot).size() / segmentLength);
    }
}
