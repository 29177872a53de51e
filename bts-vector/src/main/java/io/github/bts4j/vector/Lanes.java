package io.github.bts4j.vector;

import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorShuffle;
import jdk.incubator.vector.VectorSpecies;

/**
 * Sums over a vector's lanes in one order: halves onto halves. {@code reduceLanes} leaves its order open, and since Java 22 compiled code takes another one than code that is not compiled yet.
 */
final class Lanes {
    private static final VectorSpecies<Float> F = FloatVector.SPECIES_PREFERRED;
    private static final int LANES = F.length();
    private static final VectorShuffle<Float> EIGHT = VectorShuffle.iota(F, 8 % LANES, 1, true);
    private static final VectorShuffle<Float> FOUR = VectorShuffle.iota(F, 4 % LANES, 1, true);
    private static final VectorShuffle<Float> TWO = VectorShuffle.iota(F, 2 % LANES, 1, true);
    private static final VectorShuffle<Float> ONE = VectorShuffle.iota(F, 1 % LANES, 1, true);

    private Lanes() {
    }

    static float sum(FloatVector v) {
        if (LANES > 16) {
            return sequentially(v);
        }
        FloatVector sum = v;
        if (LANES > 8) {
            sum = sum.add(sum.rearrange(EIGHT));
        }
        if (LANES > 4) {
            sum = sum.add(sum.rearrange(FOUR));
        }
        if (LANES > 2) {
            sum = sum.add(sum.rearrange(TWO));
        }
        return sum.add(sum.rearrange(ONE)).lane(0);
    }

    private static float sequentially(FloatVector v) {
        float sum = 0;
        for (float value : v.toArray()) {
            sum += value;
        }
        return sum;
    }
}
