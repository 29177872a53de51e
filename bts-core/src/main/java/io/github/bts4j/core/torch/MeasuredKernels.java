package io.github.bts4j.core.torch;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;

/** libtorch's own products, for {@link KernelMeasurement}. */
@KernelSource("measured.py")
interface MeasuredKernels {
    NDArray usualProduct(NDManager owner, Autograd mode, NDArray x, NDArray w, NDArray b);

    NDArray usualSilu(NDManager owner, Autograd mode, NDArray x, NDArray w, NDArray b);

    void backwardSum(Autograd mode, NDArray y);
}
