package io.github.bts4j.core.torch.llama;

/** How frozen weights are held in fewer bits than they are computed with. */
public enum Quantization {
    /**
     * Eight bits for each weight of a matrix, and a scale for each of its rows (output features): {@code weight = int8 * scale}, rounded to nearest,
     * symmetric. Norms and biases keep their precision. About half the memory of bfloat16.
     */
    INT8,
    /**
     * Four bits for each weight of the layers' matrices, and a float16 scale for each group of 32 in a row, which is searched for as llama.cpp does for Q4_0 (arXiv papers with less
     * error need data to calibrate with); eight bits with such scales for embeddings and head (Q8_0). Norms, biases and matrices whose rows are no multiple of 32 keep
     * their precision. Less than a third of the memory of bfloat16.
     */
    INT4
}
