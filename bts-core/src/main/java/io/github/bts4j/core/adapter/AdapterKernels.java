package io.github.bts4j.core.adapter;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.github.bts4j.core.support.ElementType;
import io.github.bts4j.core.torch.Autograd;
import io.github.bts4j.core.torch.KernelSource;
import java.util.List;

/** The part that an adapter adds to a matrix: {@code adapter.py} beside this interface defines what each method computes, with equations and shapes. */
@KernelSource("adapter.py")
interface AdapterKernels {
    NDArray merge(NDManager owner, Autograd mode, NDArray w, NDArray a, NDArray b, double scaling, List<NDArray> magnitude, ElementType dtype);

    NDArray mergeTable(NDManager owner, Autograd mode, NDArray table, NDArray a, NDArray b, double scaling, List<NDArray> magnitude, ElementType dtype);

    NDArray mergeBias(NDManager owner, Autograd mode, NDArray bias, NDArray b, double scaling, ElementType dtype);

    NDArray scaled(NDManager owner, Autograd mode, NDArray b, double scaling, ElementType dtype);

    NDArray factor(NDManager owner, Autograd mode, NDArray w, NDArray a, NDArray b, double scaling, NDArray magnitude, ElementType dtype);

    List<NDArray> extract(NDManager owner, Autograd mode, NDArray w, NDArray base, long rank);

    List<NDArray> extractRandomized(NDManager owner, Autograd mode, NDArray w, NDArray base, long rank, NDArray test, long powers);

    double distance(Autograd mode, NDArray x, NDArray y);

    double lowRankDistance(Autograd mode, NDArray w, NDArray base, NDArray a, NDArray b);
}
