package io.github.bts4j.core.torch;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.github.bts4j.core.support.ElementType;

/** Matrices in ggml's blocks: {@code blocks.py} beside this interface dequantises them. Internal. */
@KernelSource("blocks.py")
public interface BlockKernels {
    /**
     * Dequantises a matrix.
     *
     * @param owner owner of the result
     * @param mode the autograd mode
     * @param q bytes {@code [out, bytes of a row]}
     * @param kind ggml's number of the type of the blocks
     * @param dtype type of the result
     * @return {@code [out, in]}
     */
    NDArray dequantizeBlocks(NDManager owner, Autograd mode, NDArray q, long kind, ElementType dtype);
}
