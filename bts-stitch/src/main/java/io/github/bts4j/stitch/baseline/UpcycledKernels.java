package io.github.bts4j.stitch.baseline;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.github.bts4j.core.torch.Autograd;
import io.github.bts4j.core.torch.KernelSource;
import io.github.bts4j.core.torch.LlamaWeights;
import io.github.bts4j.core.torch.TensorList;
import io.github.bts4j.core.torch.TorchList;
import io.github.bts4j.core.torch.TrainingKernels;

/** Upcycled mixtures: {@code upcycled.py} beside this interface defines what each method computes. */
@KernelSource("upcycled.py")
interface UpcycledKernels extends TrainingKernels {
    NDArray upcycledHidden(NDManager owner, Autograd mode, NDArray ids, TorchList<LlamaWeights> models, TensorList rope, long row, TensorList routers, TensorList adapters,
            boolean top1, long seed);

    NDArray upcycled(NDManager owner, Autograd mode, NDArray ids, TorchList<LlamaWeights> models, TensorList rope, long row, TensorList routers, TensorList adapters, boolean top1);

    NDArray upcycledDecode(NDManager owner, Autograd mode, NDArray ids, TorchList<LlamaWeights> models, TorchList<TensorList> ropes, long[] rows, TensorList routers,
            TensorList adapters, boolean top1, TorchList<TensorList> keys, TorchList<TensorList> values, long[] starts);
}
