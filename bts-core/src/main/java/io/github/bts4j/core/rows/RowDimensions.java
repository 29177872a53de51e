package io.github.bts4j.core.rows;

/**
 * The sizes of a model, and what is done with its values beside products.
 *
 * @param hidden width of the residual stream
 * @param intermediate width of the MLP
 * @param heads number of query heads
 * @param kvHeads number of key and value heads
 * @param headDim width of a head
 * @param style what is done beside products
 */
public record RowDimensions(int hidden, int intermediate, int heads, int kvHeads, int headDim, Style style) {
    /**
     * What is done with a model's values beside products.
     *
     * @param rmsNormEps epsilon of the norms
     * @param roundsNormOnce whether a norm is rounded with its weight alone
     * @param gelu whether the activation is GELU, not SiLU
     * @param attentionScale what scores are multiplied by
     * @param embeddingMultiplier what embeddings are multiplied by
     * @param residualMultiplier what branches are multiplied by
     */
    public record Style(float rmsNormEps, boolean roundsNormOnce, boolean gelu, float attentionScale, float embeddingMultiplier, float residualMultiplier) {}
}
