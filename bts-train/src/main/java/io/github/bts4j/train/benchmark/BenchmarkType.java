package io.github.bts4j.train.benchmark;

import io.github.bts4j.core.llama.Precision;
import io.github.bts4j.core.torch.llama.LoadOptions;
import io.github.bts4j.core.torch.llama.Quantization;

/** Element types of a benchmark's weights. */
public enum BenchmarkType {
    /** Weights and computation in float32. */
    FLOAT32(4),
    /** Weights and computation in bfloat16. */
    BFLOAT16(2),
    /** Weights in int8 with a scale for each row, computation in bfloat16. */
    INT8(1),
    /** Weights in four bits with a scale for each group of 32, embeddings and head in eight; computation in bfloat16. */
    INT4(34 / 32.0);

    private final double headBytes;

    BenchmarkType(double headBytes) {
        this.headBytes = headBytes;
    }

    /** {@return what is computed in, and the type of the checkpoint} */
    public Precision precision() {
        return this == FLOAT32 ? Precision.FLOAT32 : Precision.BFLOAT16;
    }

    /** {@return how models are loaded} */
    public LoadOptions options() {
        LoadOptions options = LoadOptions.defaults();
        return this == INT8 ? options.withQuantization(Quantization.INT8) : this == INT4 ? options.withQuantization(Quantization.INT4) : options;
    }

    /** Bytes of a weight of the head. */
    double headBytes() {
        return headBytes;
    }
}
