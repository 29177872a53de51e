package io.github.bts4j.core.torch.llama;

/** How matrices are held that a GGUF file stores quantised. */
public enum Weights {
    /**
     * As they are stored, mapped: products read the blocks. Memory is the file's size. Types without such products ({@link
     * io.github.bts4j.core.checkpoint.gguf.GgmlType#isMultiplied}) are dequantised.
     */
    AS_STORED,
    /** Dequantised to the precision to compute in, for what needs the weights themselves: training or merging them, saving, adapters. */
    DEQUANTIZED
}
