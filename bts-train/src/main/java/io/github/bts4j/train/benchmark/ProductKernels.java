package io.github.bts4j.train.benchmark;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.github.bts4j.core.torch.Autograd;
import io.github.bts4j.core.torch.KernelSource;

/** The product with which benchmarks measure the machine. */
@KernelSource(value = "product.py", products = true)
interface ProductKernels {
    NDArray product(NDManager owner, Autograd mode, NDArray a, NDArray b);
}
