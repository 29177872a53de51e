package io.github.bts4j.stitch;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.github.bts4j.core.torch.Autograd;
import io.github.bts4j.core.torch.DecoderKernels;
import io.github.bts4j.core.torch.KernelSource;
import io.github.bts4j.core.torch.LlamaWeights;
import io.github.bts4j.core.torch.TensorList;
import io.github.bts4j.core.torch.TorchList;
import java.util.List;

/** Stitched models: {@code stitch.py} beside this interface defines what each method computes. */
@KernelSource("stitch.py")
interface StitchKernels extends DecoderKernels {
    List<NDArray> prefix(NDManager owner, Autograd mode, NDArray ids, TorchList<LlamaWeights> models, TorchList<TensorList> ropes, long[] rows, long[] afterLayers);

    List<NDArray> streamPrefix(NDManager owner, Autograd mode, NDArray ids, TorchList<LlamaWeights> models, TorchList<TensorList> ropes, long[] rows, long i, long[] afterLayers);

    NDArray suffix(NDManager owner, Autograd mode, List<NDArray> h, TorchList<LlamaWeights> models, TorchList<TensorList> ropes, long[] rows, List<NDArray> hub, long[] afterLayers,
            long[] intoHub, TensorList gates, TensorList biases, TensorList projs, double dropout, long seed);

    List<NDArray> trainingStitch(NDManager owner, Autograd mode, List<NDArray> h, TensorList gates, TensorList biases, TensorList projs, long j, long intoHub, double dropout, long seed);

    List<NDArray> stitchedTrace(NDManager owner, Autograd mode, NDArray ids, TorchList<LlamaWeights> models, TorchList<TensorList> ropes, long[] rows, long[] afterLayers, long[] intoHub,
            TensorList gates, TensorList biases, TensorList projs, long[] wanted);

    NDArray gateInputs(NDManager owner, Autograd mode, NDArray ids, TorchList<LlamaWeights> models, TorchList<TensorList> ropes, long[] rows, long[] afterLayers, long[] intoHub,
            TensorList gates, TensorList biases, TensorList projs);

    NDArray stitchedLogits(NDManager owner, Autograd mode, NDArray hidden, NDArray head);

    NDArray stitchedDecode(NDManager owner, Autograd mode, NDArray ids, TorchList<LlamaWeights> models, LlamaWeights joint, long[] together, TorchList<TensorList> ropes, long[] rows, long[] afterLayers, long[] intoHub,
            TensorList gates, TensorList biases, TensorList projs, TorchList<TensorList> keys, TorchList<TensorList> values, long[] starts);

    List<NDArray> stitchedDecodeGates(NDManager owner, Autograd mode, NDArray ids, TorchList<LlamaWeights> models, LlamaWeights joint, long[] together, TorchList<TensorList> ropes, long[] rows, long[] afterLayers,
            long[] intoHub, TensorList gates, TensorList biases, TensorList projs, TorchList<TensorList> keys, TorchList<TensorList> values, long[] starts);

    NDArray gateMeans(NDManager owner, Autograd mode, NDArray hub, TensorList gates, TensorList biases, long j);

    List<NDArray> stitch(NDManager owner, Autograd mode, List<NDArray> h, TensorList gates, TensorList biases, TensorList projs, long j, long intoHub, double dropout, long seed);
}
