package io.github.bts4j.cli;

import ai.djl.Device;
import ai.djl.engine.Engine;
import io.github.bts4j.core.UnsupportedException;
import io.github.bts4j.core.llama.Precision;
import io.github.bts4j.core.torch.llama.LoadOptions;
import io.github.bts4j.core.torch.llama.Quantization;
import picocli.CommandLine.Option;

/** Options for frozen models, shared by commands that compute with them. */
final class FrozenOptions {
    @Option(names = "--dtype", paramLabel = "TYPE", description = "Type to compute in: float32, bfloat16 or float16 (default: the checkpoint's).")
    private String dtype;

    @Option(names = "--int8", description = "Keep the frozen weights in int8: half the memory of bfloat16, and faster decoding on a CPU.")
    private boolean int8;

    @Option(names = "--int4", description = "Keep the frozen weights in four bits, in groups of 32: less than a third of the memory of bfloat16, with more rounding than --int8.")
    private boolean int4;

    @Option(names = "--device", paramLabel = "DEVICE", defaultValue = "cpu", description = "cpu, gpu0, gpu1, .. (default: ${DEFAULT-VALUE}).")
    private String device;

    @Option(names = "--no-mmap", description = "Copy the frozen weights into memory instead of mapping their files, so that the files may change.")
    private boolean copied;

    LoadOptions options() {
        LoadOptions options = precision(dtype, LoadOptions.defaults().withDevice(device(device)).withMapping(!copied));
        if (int8 && int4) {
            throw new IllegalArgumentException("--int8 and --int4 exclude each other: give one");
        }
        return int4 ? options.withQuantization(Quantization.INT4) : int8 ? options.withQuantization(Quantization.INT8) : options;
    }

    static Device device(String device) {
        if (!device.matches("cpu|gpu\\d{0,3}")) {
            throw new IllegalArgumentException("--device " + device + " must be one of cpu, gpu0, gpu1, ..");
        }
        Device found = Device.fromName(device);
        int gpus = found.isGpu() ? Engine.getInstance().getGpuCount() : 0;
        if (found.isGpu() && found.getDeviceId() >= gpus) {
            throw new UnsupportedException("--device " + device + " does not exist: libtorch finds " + (gpus == 0 ? "no GPU" : gpus + " GPUs, counted from gpu0")
                    + "; use --device cpu, or see docs/gpu.md for what a GPU needs");
        }
        return found;
    }

    /** With the type that {@code --dtype} names, if it was given. */
    static LoadOptions precision(String dtype, LoadOptions options) {
        return dtype == null ? options : options.withPrecision(Precision.named(dtype)
                .orElseThrow(() -> new IllegalArgumentException("--dtype " + dtype + " must be one of float32, bfloat16, float16")));
    }
}
