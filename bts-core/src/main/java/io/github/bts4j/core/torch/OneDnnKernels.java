package io.github.bts4j.core.torch;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;

/** The two ways to call oneDNN's products, for {@link LinearProbe}. */
@KernelSource("linear.py")
interface OneDnnKernels {
    NDArray pointwise(NDManager owner, Autograd mode, NDArray x, NDArray w, NDArray b, String then);

    NDArray convolved(NDManager owner, Autograd mode, NDArray x, NDArray w, NDArray b, long rows);
}
