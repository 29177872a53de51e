package io.github.bts4j.core.torch;

import ai.djl.ndarray.NDArray;
import ai.djl.pytorch.engine.PtNDArray;
import java.util.List;

/** A {@code List[Tensor]}. */
public final class TensorList extends TorchValue {
    TensorList(long handle) {
        super(handle);
    }

    /**
     * A list of tensors.
     *
     * @param tensors the tensors, possibly none
     * @return a {@code List[Tensor]}
     */
    public static TensorList of(List<? extends NDArray> tensors) {
        return new TensorList(Natives.ofTensors(handles(tensors)));
    }

    /**
     * A list of lists of tensors.
     *
     * @param lists the inner lists, at least one; they may be closed afterwards
     * @return a {@code List[List[Tensor]]}
     */
    public static TorchList<TensorList> ofLists(List<TensorList> lists) {
        return TorchList.of(lists);
    }

    static long[] handles(Iterable<? extends NDArray> tensors) {
        long[] handles = new long[8];
        int count = 0;
        for (NDArray tensor : tensors) {
            if (count == handles.length) {
                handles = java.util.Arrays.copyOf(handles, 2 * count);
            }
            handles[count++] = ((PtNDArray) tensor).getHandle();
        }
        return java.util.Arrays.copyOf(handles, count);
    }
}
