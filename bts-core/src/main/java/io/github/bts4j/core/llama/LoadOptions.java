package io.github.bts4j.core.llama;

import ai.djl.Device;
import java.util.Optional;

/**
 * How to load a model.
 *
 * @param device where it computes
 * @param precision the precision to compute in; empty keeps the checkpoint's, memory-mapped on the CPU and without a second copy
 */
public record LoadOptions(Device device, Optional<Precision> precision) {
    /**
     * On the CPU, in the checkpoint's precision.
     *
     * @return the defaults
     */
    public static LoadOptions defaults() {
        return new LoadOptions(Device.cpu(), Optional.empty());
    }

    /**
     * The same on another device.
     *
     * @param device the device
     * @return changed options
     */
    public LoadOptions withDevice(Device device) {
        return new LoadOptions(device, precision);
    }

    /**
     * The same in another precision; weights are converted into a copy.
     *
     * @param precision the precision to compute in
     * @return changed options
     */
    public LoadOptions withPrecision(Precision precision) {
        return new LoadOptions(device, Optional.of(precision));
    }
}
