package io.github.bts4j.core.torch;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;

/** Norms, rotation and attention, which the decoder's kernels call: {@code attention.py} beside this interface. Internal. */
@KernelSource("attention.py")
public interface AttentionKernels {
    /**
     * Causal attention of the last tokens.
     *
     * @param owner owner of the result
     * @param mode whether a graph is recorded
     * @param q queries {@code [batch, heads, sequence, head_dim]}
     * @param k keys {@code [batch, kv_heads, keys, head_dim]}, at least as many as queries
     * @param v values of the same shape
     * @param factor factor of the scores
     * @param window the most keys that a query sees, or 0
     * @return {@code [batch, heads, sequence, head_dim]}
     */
    NDArray attend(NDManager owner, Autograd mode, NDArray q, NDArray k, NDArray v, double factor, long window);
}
