package io.github.bts4j.train;

import ai.djl.ndarray.NDArray;
import io.github.bts4j.core.torch.Autograd;
import io.github.bts4j.core.torch.KernelSource;

/** The training of one expert alone: {@code one_expert.py} beside this interface says what each method computes. */
@KernelSource("one_expert.py")
interface OneExpertKernels {
    void zeroOthers(Autograd mode, NDArray gradient, long slice);

    void restoreOthers(Autograd mode, NDArray target, NDArray saved, long slice);
}
