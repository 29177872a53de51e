package io.github.bts4j.core.torch.llama;

import ai.djl.Device;
import io.github.bts4j.core.llama.Precision;
import io.github.bts4j.core.llama.Repacking;
import java.util.Optional;

/**
 * How to load a model.
 *
 * @param device the device
 * @param precision the precision to compute in; empty keeps the checkpoint's, memory-mapped on the CPU and without a second copy
 * @param quantization how to hold the weight matrices; empty holds them in the precision to compute in
 * @param repacking whether to copy the weight matrices into the Java heap, in the layout that bts-vector reads fastest
 * @param weights how to hold matrices that a GGUF file stores quantised
 * @param mapping whether weights may stay in the mapped files; false copies them into memory, after which the files may be changed,
 *     truncated or deleted
 */
public record LoadOptions(Device device, Optional<Precision> precision, Optional<Quantization> quantization, Repacking repacking, Weights weights, boolean mapping) {
    /** {@return the defaults: on the CPU, in the checkpoint's precision; what a GGUF file stores quantised stays so} */
    public static LoadOptions defaults() {
        return new LoadOptions(Device.cpu(), Optional.empty(), Optional.empty(), Repacking.AUTOMATIC, Weights.AS_STORED, true);
    }

    /**
     * A copy with another device.
     *
     * @param device the device
     * @return the changed copy
     */
    public LoadOptions withDevice(Device device) {
        return new LoadOptions(device, precision, quantization, repacking, weights, mapping);
    }

    /**
     * A copy with another precision; the weights are then converted into separate memory.
     *
     * @param precision the precision to compute in
     * @return the changed copy
     */
    public LoadOptions withPrecision(Precision precision) {
        return new LoadOptions(device, Optional.of(precision), quantization, repacking, weights, mapping);
    }

    /**
     * A copy with quantised weight matrices, which take up separate memory.
     *
     * @param quantization how to hold them
     * @return the changed copy
     */
    public LoadOptions withQuantization(Quantization quantization) {
        return new LoadOptions(device, precision, Optional.of(quantization), repacking, weights, mapping);
    }

    /**
     * A copy with or without repacked weight matrices. With repacked matrices, several sessions together decode faster, and a single one a
     * little; the matrices take up as much memory again, on the Java heap.
     *
     * @param repacking whether to repack them
     * @return the changed copy
     */
    public LoadOptions withRepacking(Repacking repacking) {
        return new LoadOptions(device, precision, quantization, repacking, weights, mapping);
    }

    /**
     * A copy with another way to hold matrices that a GGUF file stores quantised.
     *
     * @param weights how to hold them
     * @return the changed copy
     */
    public LoadOptions withWeights(Weights weights) {
        return new LoadOptions(device, precision, quantization, repacking, weights, mapping);
    }

    /**
     * A copy with or without mapped files. Mapped weights are shared between processes and need no separate memory. But changing a mapped file in
     * place changes the model, and truncating it crashes the process.
     *
     * @param mapping false to copy weights instead of mapping them
     * @return the changed copy
     */
    public LoadOptions withMapping(boolean mapping) {
        return new LoadOptions(device, precision, quantization, repacking, weights, mapping);
    }
}
