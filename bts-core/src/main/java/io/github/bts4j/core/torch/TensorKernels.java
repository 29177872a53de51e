package io.github.bts4j.core.torch;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.github.bts4j.core.support.ElementType;

/** Operations that DJL's NDArray does not support for bfloat16 or for files above 2 GiB; see {@link Tensors}. */
@KernelSource("tensors.py")
interface TensorKernels {
    NDArray mapFile(NDManager owner, Autograd mode, String path, long size);

    NDArray viewBytes(NDManager owner, Autograd mode, NDArray bytes, ElementType dtype, long offset, long[] shape);

    NDArray zeros(NDManager owner, Autograd mode, long[] shape, ElementType dtype, String device);

    NDArray place(NDManager owner, Autograd mode, NDArray x, ElementType dtype, String device);

    NDArray copy(NDManager owner, Autograd mode, NDArray x, ElementType dtype);

    ElementType dtype(Autograd mode, NDArray x);

    boolean requiresGrad(Autograd mode, NDArray x);

    NDArray bytes(NDManager owner, Autograd mode, NDArray x);

    NDArray sliceBytes(NDManager owner, Autograd mode, NDArray flat, long start, long end);

    void write(Autograd mode, NDArray target, NDArray value);

    void writeAt(Autograd mode, NDArray target, long at, NDArray values, long count);

    NDArray halvesFromPairs(NDManager owner, Autograd mode, NDArray x, long heads);
}
