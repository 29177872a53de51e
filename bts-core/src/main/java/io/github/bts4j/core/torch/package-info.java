/**
 * The kernels: the only code that touches the engine's internals, bfloat16 handles and grad mode.
 *
 * <p>DJL's NDArray has no bfloat16 (the JVM aborts on it), no fused attention, no RMSNorm and no differentiable cast. libtorch
 * has all of them, and TorchScript reaches them: {@link io.github.bts4j.core.torch.Kernels} writes a small archive in memory
 * from a readable resource file, loads it, and calls its methods with tensors, with or without autograd. Weights are
 * arguments, never part of an archive. {@link io.github.bts4j.core.torch.Tensors} does for single tensors what NDArray's own
 * methods cannot; {@link io.github.bts4j.core.torch.Torch} starts the engine offline and tunes the allocator.
 */
package io.github.bts4j.core.torch;
