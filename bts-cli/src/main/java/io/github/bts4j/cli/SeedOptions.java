package io.github.bts4j.cli;

import io.github.bts4j.core.torch.llama.LoadOptions;
import io.github.bts4j.core.torch.llama.Weights;
import picocli.CommandLine.Option;

/** Options for a model that is trained: completely, in float32, or as the base of an adapter, in its own type. */
final class SeedOptions {
    @Option(names = "--dtype", paramLabel = "TYPE", description = "Round the model's weights to float16 or bfloat16 before training, which is in float32; with --lora, the type to compute in. Default: no rounding.")
    private String dtype;

    @Option(names = "--device", paramLabel = "DEVICE", defaultValue = "cpu", description = "cpu, gpu0, gpu1, .. (default: ${DEFAULT-VALUE}).")
    private String device;

    LoadOptions options() {
        return FrozenOptions.precision(dtype, LoadOptions.defaults().withDevice(FrozenOptions.device(device)).withWeights(Weights.DEQUANTIZED));
    }
}
