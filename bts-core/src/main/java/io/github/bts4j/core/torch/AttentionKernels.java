package io.github.bts4j.core.torch;

/** Norms, rotation and attention, which the decoder's kernels call: {@code attention.py} beside this interface. Internal. */
@KernelSource("attention.py")
public interface AttentionKernels {
}
