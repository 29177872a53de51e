package io.github.bts4j.cli;

import io.github.bts4j.core.torch.llama.LoadOptions;
import io.github.bts4j.core.torch.llama.Quantization;
import picocli.CommandLine.Option;

/** The type that a model is written in; options of commands that write one without computing with it. */
final class StoredType {
    @Option(names = "--dtype", paramLabel = "TYPE", description = "Type to write: float32, bfloat16 or float16; the checkpoint's own if not given.")
    private String dtype;

    @Option(names = "--int8", description = "Write the weights in int8: half of bfloat16's size.")
    private boolean int8;

    LoadOptions options() {
        LoadOptions options = FrozenOptions.precision(dtype, LoadOptions.defaults());
        return int8 ? options.withQuantization(Quantization.INT8) : options;
    }
}
