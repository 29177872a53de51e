package io.github.bts4j.core.torch;

/** A model's weights by their names, and its dimensions: {@code Llama} in {@code decoder.py}. {@link DecoderKernels#llama} creates it. */
public final class LlamaWeights extends TorchValue {
    LlamaWeights(long handle) {
        super(handle);
    }
}
