package io.github.bts4j.cli;

import ai.djl.Device;
import ai.djl.engine.Engine;
import io.github.bts4j.core.UnsupportedException;
import io.github.bts4j.core.llama.Precision;
import io.github.bts4j.core.torch.llama.LoadOptions;
import io.github.bts4j.core.torch.llama.Quantization;
import picocli.CommandLine.Option;

/** How frozen models are held and computed; options of commands that compute with them. */
final class FrozenOptions {
    @Option(names = "--dtype", paramLabel = "TYPE", description = "Type to compute in: float32, bfloat16 or float16; the checkpoint's own if not given.")
    private String dtype;

    @Option(names = "--int8", description = "Hold the frozen weights in int8: half of bfloat16's memory, and faster decoding on a CPU.")
    private boolean int8;

    @Option(names = "--device", paramLabel = "DEVICE", defaultValue = "cpu", description = "cpu, gpu0, gpu1, .. (default: ${DEFAULT-VALUE}).")
    private String device;

    @Option(names = "--no-mmap", description = "Copy the frozen weights into memory instead of mapping their files, which then may be changed or cut.")
    private boolean copied;

    LoadOptions options() {
        LoadOptions options = precision(dtype, LoadOptions.defaults().withDevice(device(device)).withMapping(!copied));
        return int8 ? options.withQuantization(Quantization.INT8) : options;
    }

    static Device device(String device) {
        if (!device.matches("cpu|gpu\\d{0,3}")) {
            throw new IllegalArgumentException("--device " + device + " is none of cpu, gpu0, gpu1, ..");
        }
        Device found = Device.fromName(device);
        int gpus = found.isGpu() ? Engine.getInstance().getGpuCount() : 0;
        if (found.isGpu() && found.getDeviceId() >= gpus) {
            throw new UnsupportedException("--device " + device + " is not there: libtorch finds " + (gpus == 0 ? "no GPU" : gpus + " GPUs, counted from gpu0")
                    + "; --device cpu computes without one, and docs/gpu.md says what a GPU needs");
        }
        return found;
    }

    /** With the type that {@code --dtype} names, if it was given. */
    static LoadOptions precision(String dtype, LoadOptions options) {
        return dtype == null ? options : options.withPrecision(Precision.named(dtype)
                .orElseThrow(() -> new IllegalArgumentException("--dtype " + dtype + " is none of float32, bfloat16, float16")));
    }
}
