package io.github.bts4j.core.torch;

/** How a kernel call treats the autograd graph. Every call names its mode, because libtorch's grad mode is per thread and on by default. */
public enum Autograd {
    /** InferenceMode: fastest; the results can never take part in autograd. */
    INFERENCE,
    /** No graph is recorded; the results are ordinary tensors that may enter a graph later. */
    OFF,
    /** The graph is recorded wherever an argument requires a gradient. */
    ON
}
