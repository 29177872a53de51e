package io.github.bts4j.cli;

import io.github.bts4j.core.torch.llama.LoadOptions;
import picocli.CommandLine.Option;

/** How a model is read that is trained, as a whole in float32, or as the base of an adapter in its own type. */
final class SeedOptions {
    @Option(names = "--dtype", paramLabel = "TYPE", description = "Round the model's weights to float16 or bfloat16 before the training, which is in float32; with --lora, the type to compute in. As they are if not given.")
    private String dtype;

    @Option(names = "--device", paramLabel = "DEVICE", defaultValue = "cpu", description = "cpu, gpu0, gpu1, .. (default: ${DEFAULT-VALUE}).")
    private String device;

    LoadOptions options() {
        return FrozenOptions.precision(dtype, LoadOptions.defaults().withDevice(FrozenOptions.device(device)));
    }
}
