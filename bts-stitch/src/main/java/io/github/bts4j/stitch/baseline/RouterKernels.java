package io.github.bts4j.stitch.baseline;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.github.bts4j.core.torch.Autograd;
import io.github.bts4j.core.torch.KernelSource;
import io.github.bts4j.core.torch.LlamaWeights;
import io.github.bts4j.core.torch.TrainingKernels;
import java.util.List;

/** Expert routing: {@code router.py} beside this interface defines what each method computes. */
@KernelSource("router.py")
interface RouterKernels extends TrainingKernels {
    NDArray routeProbabilities(NDManager owner, Autograd mode, List<NDArray> ids, LlamaWeights m, NDArray router);

    NDArray routeLosses(NDManager owner, Autograd mode, List<NDArray> ids, LlamaWeights m, NDArray router, NDArray targets);

    void putRows(Autograd mode, NDArray target, NDArray values, NDArray rows);
}
