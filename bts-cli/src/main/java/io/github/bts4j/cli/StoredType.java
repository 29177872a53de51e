package io.github.bts4j.cli;

import io.github.bts4j.core.torch.llama.LoadOptions;
import io.github.bts4j.core.torch.llama.Quantization;
import io.github.bts4j.core.torch.llama.Weights;
import picocli.CommandLine.Option;

/** Options for the element type of a model that is written without computing with it. */
final class StoredType {
    @Option(names = "--dtype", paramLabel = "TYPE", description = "Type to write: float32, bfloat16 or float16 (default: the checkpoint's).")
    private String dtype;

    @Option(names = "--int8", description = "Write the weights in int8: half the size of bfloat16.")
    private boolean int8;

    LoadOptions options() {
        LoadOptions options = FrozenOptions.precision(dtype, LoadOptions.defaults().withWeights(Weights.DEQUANTIZED));
        return int8 ? options.withQuantization(Quantization.INT8) : options;
    }
}
