package io.github.bts4j.core.torch;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;

/** libtorch's product with int8 weights, for {@link LinearProbe}. */
@KernelSource("int8.py")
interface Int8Kernels {
    NDArray packedProduct(NDManager owner, Autograd mode, NDArray x, NDArray q, NDArray scale);
}
