package io.github.bts4j.core.text;

/** Embeddings of texts: the mean of the last layer's states, see {@link io.github.bts4j.core.CausalLm#meanState}, divided by its length. */
public final class Embeddings {
    private Embeddings() {}

    /**
     * A text's embedding.
     *
     * @param model a Llama or a stitched model
     * @param text the text; the tokenizer adds its begin token
     * @return float32 {@code [hidden]} of length 1, so that the scalar product of two embeddings is their cosine similarity
     * @throws IllegalArgumentException if the text has no tokens or is longer than the context
     * @throws io.github.bts4j.core.UnsupportedException if the model has no states of its own
     */
    public static float[] of(TextModel model, String text) {
        return of(model, model.tokenizer().encode(text, true));
    }

    /**
     * The embedding of token ids.
     *
     * @param model a Llama or a stitched model
     * @param ids token ids, at least one
     * @return float32 {@code [hidden]} of length 1
     * @throws IllegalArgumentException if there is no id, there are more than the context has, or one is out of range
     * @throws io.github.bts4j.core.UnsupportedException if the model has no states of its own
     */
    public static float[] of(TextModel model, int... ids) {
        float[] embedding = model.model().meanState(ids);
        double squares = 0;
        for (float value : embedding) {
            squares += (double) value * value;
        }
        double length = Math.max(Math.sqrt(squares), Double.MIN_NORMAL);
        for (int i = 0; i < embedding.length; i++) {
            embedding[i] = (float) (embedding[i] / length);
        }
        return embedding;
    }
}
