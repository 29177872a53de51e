package io.github.bts4j.train;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.github.bts4j.core.support.ElementType;
import io.github.bts4j.core.torch.Autograd;
import io.github.bts4j.core.torch.KernelSource;
import java.util.List;

/** Adapters in training: {@code adapter_training.py} beside this interface says what each method computes. */
@KernelSource("adapter_training.py")
interface AdapterTrainingKernels {
    List<NDArray> lowRank(NDManager owner, Autograd mode, NDArray w, NDArray a, NDArray b, double scaling, List<NDArray> magnitude, ElementType dtype);

    NDArray rowNorms(NDManager owner, Autograd mode, NDArray w, NDArray a, NDArray b);

    NDArray typedParameter(NDManager owner, Autograd mode, NDArray x, ElementType dtype);
}
