package io.github.bts4j.stitch.baseline;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.github.bts4j.core.torch.Autograd;
import io.github.bts4j.core.torch.KernelSource;
import java.util.List;

/** The ensemble of Branch-Train-Merge: {@code btm.py} beside this interface defines what each method computes. */
@KernelSource("btm.py")
interface BtmKernels {
    NDArray mixture(NDManager owner, Autograd mode, List<NDArray> logits, NDArray ids, long topK);
}
