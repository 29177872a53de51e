package io.github.bts4j.examples.stability;

import io.github.bts4j.train.ExpertTraining;
import io.github.bts4j.train.ForwardingTrainable;
import io.github.bts4j.train.data.Batch;
import io.github.bts4j.train.data.Datamix;
import java.util.Arrays;
import java.util.HashSet;
import java.util.Set;
import java.util.SplittableRandom;

/** A training whose data is damaged in a few batches: their tokens are drawn at random. The damage belongs to the batch, whenever it comes. */
final class CorruptedBatches extends ForwardingTrainable {
    private final Set<Integer> corrupted = new HashSet<>();
    private final int vocabulary;

    CorruptedBatches(ExpertTraining inner, Datamix data, int batchSize, int sequenceLength, int first, int count) {
        super(inner);
        this.vocabulary = inner.config().vocabSize();
        for (int batch = first; batch < first + count; batch++) {
            Batch rows = data.batch((long) batch * batchSize, batchSize, sequenceLength);
            corrupted.add(Arrays.hashCode(rows.tokens()));
        }
    }

    @Override
    public float[] accumulateGradients(int[][] tokens, float tokenWeight, long seed) {
        int hash = Arrays.hashCode(Arrays.stream(tokens).flatMapToInt(Arrays::stream).toArray());
        if (!corrupted.contains(hash)) {
            return super.accumulateGradients(tokens, tokenWeight, seed);
        }
        SplittableRandom random = new SplittableRandom(hash);
        int[][] noise = new int[tokens.length][];
        Arrays.setAll(noise, row -> random.ints(tokens[row].length, 0, vocabulary).toArray());
        return super.accumulateGradients(noise, tokenWeight, seed);
    }
}
