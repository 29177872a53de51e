package io.github.bts4j.stitch;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.github.bts4j.core.torch.Autograd;
import io.github.bts4j.core.torch.KernelSource;
import io.github.bts4j.core.torch.LayerKernels;
import io.github.bts4j.core.torch.LlamaWeights;
import io.github.bts4j.core.torch.TensorList;
import io.github.bts4j.core.torch.TorchList;
import java.util.List;

/** Training of stitch layers: {@code stitch_training.py} beside this interface defines what each method computes. */
@KernelSource("stitch_training.py")
interface StitchTrainingKernels extends LayerKernels, StitchKernels {
    List<NDArray> streamGraph(NDManager owner, Autograd mode, NDArray x, TorchList<LlamaWeights> models, TorchList<TensorList> ropes, long[] rows, long i, long first, long last);

    boolean streamIsKept(Autograd mode, TorchList<LlamaWeights> models, TorchList<TensorList> ropes, long i);

    List<NDArray> keptStream(NDManager owner, Autograd mode, NDArray x, TorchList<LlamaWeights> models, TorchList<TensorList> ropes, long[] rows, long i, long first, long last);

    NDArray streamGradient(NDManager owner, Autograd mode, NDArray g, List<NDArray> kept, TorchList<LlamaWeights> models, TorchList<TensorList> ropes, long[] rows, long i, long first, long last);
}
