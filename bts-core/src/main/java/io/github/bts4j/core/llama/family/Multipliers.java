package io.github.bts4j.core.llama.family;

import io.github.bts4j.core.support.Problems;
import java.util.OptionalDouble;

/**
 * Factors that a model's values are multiplied by.
 *
 * @param embedding of the embeddings
 * @param residual of what attention and the feed-forward network add to the residual stream
 * @param attention of the scores; empty for {@code 1 / sqrt(head_dim)}
 * @param logitsDivisor what logits are divided by
 */
public record Multipliers(double embedding, double residual, OptionalDouble attention, double logitsDivisor) {
    /** Llama's. */
    public static final Multipliers NONE = new Multipliers(1, 1, OptionalDouble.empty(), 1);

    /**
     * Checks the factors.
     *
     * @param embedding of the embeddings
     * @param residual of the branches
     * @param attention of the scores
     * @param logitsDivisor what logits are divided by
     * @throws IllegalArgumentException if one is not a positive number
     */
    public Multipliers {
        Problems problems = new Problems();
        problems.positiveFloat("embeddingMultiplier", embedding);
        problems.positiveFloat("residualMultiplier", residual);
        attention.ifPresent(value -> problems.positiveFloat("attentionMultiplier", value));
        problems.positiveFloat("logitsScaling", logitsDivisor);
        problems.throwAsArgument("multipliers");
    }
}
