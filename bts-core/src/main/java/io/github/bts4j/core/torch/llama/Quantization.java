package io.github.bts4j.core.torch.llama;

/** How frozen weights are held in fewer bits than they are computed with. */
public enum Quantization {
    /**
     * Eight bits for each weight of a matrix, and a scale for each of its rows (output features): {@code weight = int8 * scale}, rounded to nearest,
     * symmetric. Norms and biases keep their precision. About half the memory of bfloat16.
     */
    INT8
}
