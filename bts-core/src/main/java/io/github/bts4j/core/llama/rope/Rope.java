package io.github.bts4j.core.llama.rope;

/**
 * The settings of a model's rotary position embedding, which determine its tables.
 *
 * @param headDim how much of a head is rotated, from its beginning; positive and even
 * @param theta the base, {@code rope_theta}, greater than 1
 * @param context the model's context in tokens
 * @param scaling how it is stretched
 */
public record Rope(int headDim, double theta, int context, RopeScaling scaling) {
    /**
     * Whether a sequence's frequencies depend on its length.
     *
     * @param sequenceLength its length in tokens
     * @return true beyond {@link #sharedLength}, with {@link RopeScaling.Dynamic} and {@link LongRope}
     */
    public boolean isOwn(int sequenceLength) {
        return scaling.dependsOnSequenceLength() && sequenceLength > sharedLength();
    }

    /**
     * The longest sequence whose frequencies are those of every shorter one.
     *
     * @return tokens
     */
    public int sharedLength() {
        return scaling.sharedLength(context);
    }
}
