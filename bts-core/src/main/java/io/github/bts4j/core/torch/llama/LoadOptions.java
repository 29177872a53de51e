package io.github.bts4j.core.torch.llama;

import ai.djl.Device;
import io.github.bts4j.core.llama.Precision;
import java.util.Optional;

/**
 * How to load a model.
 *
 * @param device where it computes
 * @param precision the precision to compute in; empty keeps the checkpoint's, memory-mapped on the CPU and without a second copy
 * @param quantization how to hold the weight matrices; empty holds them in the precision to compute in
 * @param repack whether to copy the weight matrices into the Java heap, in the order in which bts-vector reads them fastest; empty does so for models below 32 MiB, where there is room
 * @param mapping whether weights may stay in the mapped files; false copies them into memory, after which the files may be changed, cut or deleted
 */
public record LoadOptions(Device device, Optional<Precision> precision, Optional<Quantization> quantization, Optional<Boolean> repack, boolean mapping) {
    /**
     * On the CPU, in the checkpoint's precision.
     *
     * @return the defaults
     */
    public static LoadOptions defaults() {
        return new LoadOptions(Device.cpu(), Optional.empty(), Optional.empty(), Optional.empty(), true);
    }

    /**
     * The same on another device.
     *
     * @param device the device
     * @return changed options
     */
    public LoadOptions withDevice(Device device) {
        return new LoadOptions(device, precision, quantization, repack, mapping);
    }

    /**
     * The same in another precision; weights are converted into a copy.
     *
     * @param precision the precision to compute in
     * @return changed options
     */
    public LoadOptions withPrecision(Precision precision) {
        return new LoadOptions(device, Optional.of(precision), quantization, repack, mapping);
    }

    /**
     * The same with quantised weight matrices, in memory of their own.
     *
     * @param quantization how to hold them
     * @return changed options
     */
    public LoadOptions withQuantization(Quantization quantization) {
        return new LoadOptions(device, precision, Optional.of(quantization), repack, mapping);
    }

    /**
     * The same with or without repacked weight matrices. Repacked, several sessions decode faster together, and one a little; the matrices take their size once more, on the Java heap.
     *
     * @param wished true to repack them, or to fail where that cannot be done; false to leave them where they are
     * @return changed options
     */
    public LoadOptions withRepacking(boolean wished) {
        return new LoadOptions(device, precision, quantization, Optional.of(wished), mapping);
    }

    /**
     * The same with or without mapped files. Mapped weights are shared between processes and take no memory of their own; but whoever changes the file in its
     * place changes the model, and whoever makes it shorter ends the process.
     *
     * @param wished false to copy weights that could stay in their files
     * @return changed options
     */
    public LoadOptions withMapping(boolean wished) {
        return new LoadOptions(device, precision, quantization, repack, wished);
    }
}
