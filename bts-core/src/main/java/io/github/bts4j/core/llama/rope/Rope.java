package io.github.bts4j.core.llama.rope;

/**
 * The rotary position embedding of a model: what its tables follow from.
 *
 * @param headDim the size of one head, positive and even
 * @param theta the base, {@code rope_theta}, greater than 1
 * @param context the model's context in tokens
 * @param scaling how it is stretched
 */
public record Rope(int headDim, double theta, int context, RopeScaling scaling) {
    /**
     * Whether a sequence has frequencies of its own, which another length does not share.
     *
     * @param sequenceLength its length in tokens
     * @return true beyond the context, with {@link RopeScaling.Dynamic}
     */
    public boolean isOwn(int sequenceLength) {
        return scaling.dependsOnSequenceLength() && sequenceLength > context;
    }
}
