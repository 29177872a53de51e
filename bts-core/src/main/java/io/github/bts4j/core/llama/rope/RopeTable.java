package io.github.bts4j.core.llama.rope;

import io.github.bts4j.core.support.Problems;

/**
 * The cosines and sines of a range of positions, {@code [positions, headDim / 2]}, row by row.
 *
 * <p>The angle is the float32 product of position and inverse frequency, as in transformers; the cosine and sine of that float32 angle
 * are rounded to float32 and multiplied by {@link RopeScaling#attentionScaling()}. Hugging Face's own table repeats each row
 * ({@code [positions, headDim]}); entry i turns the pair (i, i + headDim / 2).
 *
 * <p>Where torch's float32 power of the base rounds one inverse frequency differently (1 unit in the last place; none, unscaled, for head sizes 64
 * and 128 with the bases 10,000 and 500,000), the difference grows with the position: a float32 angle has no more precision than that.
 */
public final class RopeTable {
    private final int positions;
    private final int pairs;
    private final float[] cos;
    private final float[] sin;

    private RopeTable(int positions, int pairs) {
        this.positions = positions;
        this.pairs = pairs;
        this.cos = new float[positions * pairs];
        this.sin = new float[positions * pairs];
    }

    /**
     * The table of a range of positions within a sequence. The length matters to {@link RopeScaling.Dynamic} and {@link LongRope} alone.
     *
     * @param rope the model's settings
     * @param firstPosition the position of row 0, counted from 0
     * @param positions the number of rows, at least 1
     * @param sequenceLength the length in tokens of the whole sequence, cached tokens included
     * @return the table
     * @throws IllegalArgumentException if a number is outside its range or the table does not fit into an array
     */
    public static RopeTable of(Rope rope, int firstPosition, int positions, int sequenceLength) {
        int pairs = rope.headDim() / 2;
        Problems problems = new Problems();
        problems.addIf(firstPosition < 0, "firstPosition = " + firstPosition + " must not be negative");
        problems.positive("positions", positions);
        problems.positive("sequenceLength", sequenceLength);
        problems.addIf((long) firstPosition + positions > Integer.MAX_VALUE,
                "firstPosition = " + firstPosition + " + positions = " + positions + " is beyond " + Integer.MAX_VALUE);
        problems.addIf((long) positions * pairs > Integer.MAX_VALUE - 8,
                "positions = " + positions + " x headDim / 2 = " + pairs + " does not fit into an array");
        problems.throwAsArgument("RoPE table");
        RopeTable table = new RopeTable(positions, pairs);
        table.fill(rope, firstPosition, sequenceLength);
        return table;
    }

    private void fill(Rope rope, int firstPosition, int sequenceLength) {
        double[] frequencies = rope.scaling().inverseFrequencies(rope.headDim(), rope.theta(), rope.context(), sequenceLength);
        float attention = (float) rope.scaling().attentionScaling();
        for (int row = 0; row < positions; row++) {
            float position = firstPosition + row;
            for (int pair = 0; pair < pairs; pair++) {
                float angle = position * (float) frequencies[pair];
                cos[row * pairs + pair] = (float) StrictMath.cos(angle) * attention;
                sin[row * pairs + pair] = (float) StrictMath.sin(angle) * attention;
            }
        }
    }

    /** {@return the number of rows, which are positions} */
    public int positions() {
        return positions;
    }

    /** {@return the number of columns, {@code headDim / 2}} */
    public int pairs() {
        return pairs;
    }

    /** {@return a copy of the cosines, {@code [positions, headDim / 2]} row by row} */
    public float[] cos() {
        return cos.clone();
    }

    /** {@return a copy of the sines, {@code [positions, headDim / 2]} row by row} */
    public float[] sin() {
        return sin.clone();
    }

    /**
     * One row.
     *
     * @param row its number
     * @return the cosines, then the sines, {@code [headDim]}
     */
    public float[] cosSin(int row) {
        float[] both = new float[2 * pairs];
        System.arraycopy(cos, row * pairs, both, 0, pairs);
        System.arraycopy(sin, row * pairs, both, pairs, pairs);
        return both;
    }
}
