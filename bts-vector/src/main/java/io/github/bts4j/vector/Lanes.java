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

    /**
     * The same sum, of a vector in an array. Eight vectors that are summed at the end of a loop go through an array: the compiler inlines no more than a few of the sums above.
     */
    static float sum(float[] v, int at) {
        return switch (LANES) {
            case 16 -> eight(v[at] + v[at + 8], v[at + 1] + v[at + 9], v[at + 2] + v[at + 10], v[at + 3] + v[at + 11],
                    v[at + 4] + v[at + 12], v[at + 5] + v[at + 13], v[at + 6] + v[at + 14], v[at + 7] + v[at + 15]);
            case 8 -> eight(v[at], v[at + 1], v[at + 2], v[at + 3], v[at + 4], v[at + 5], v[at + 6], v[at + 7]);
            case 4 -> four(v[at], v[at + 1], v[at + 2], v[at + 3]);
            default -> sum(FloatVector.fromArray(F, v, at));
        };
    }

    private static float eight(float a, float b, float c, float d, float e, float f, float g, float h) {
        return four(a + e, b + f, c + g, d + h);
    }

    private static float four(float a, float b, float c, float d) {
        return (a + c) + (b + d);
    }

    private static float sequentially(FloatVector v) {
        float sum = 0;
        for (float value : v.toArray()) {
            sum += value;
        }
        return sum;
    }
}
