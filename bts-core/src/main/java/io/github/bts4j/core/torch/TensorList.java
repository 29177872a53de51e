package io.github.bts4j.core.torch;

import ai.djl.ndarray.NDArray;
import ai.djl.pytorch.engine.PtNDArray;
import ai.djl.pytorch.jni.TorchCalls;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;

/**
 * A {@code List[Tensor]} or {@code List[List[Tensor]]} argument that is made once and passed to many kernel calls.
 *
 * <p>It holds references of its own to the tensors; whoever makes it closes it. Thread-safe for reading.
 */
public final class TensorList implements AutoCloseable {
    private final AtomicLong handle;

    private TensorList(long handle) {
        this.handle = new AtomicLong(handle);
    }

    /**
     * A list of tensors.
     *
     * @param tensors the tensors, possibly none
     * @return a {@code List[Tensor]}
     */
    public static TensorList of(List<? extends NDArray> tensors) {
        long[] handles = tensors.stream().mapToLong(t -> ((PtNDArray) t).getHandle()).toArray();
        return new TensorList(TorchCalls.ofTensors(handles));
    }

    /**
     * A list of lists of tensors.
     *
     * @param lists the inner lists, at least one; they may be closed afterwards
     * @return a {@code List[List[Tensor]]}
     */
    public static TensorList ofLists(List<TensorList> lists) {
        if (lists.isEmpty()) {
            throw new IllegalArgumentException("A List[List[Tensor]] needs at least one inner list: its type cannot be told from none");
        }
        return new TensorList(TorchCalls.ofList(lists.stream().mapToLong(TensorList::handle).toArray()));
    }

    long handle() {
        long value = handle.get();
        if (value == 0) {
            throw new IllegalStateException("This list of tensors is closed: is its model closed?");
        }
        return value;
    }

    /** Releases the references. Closing twice does nothing. */
    @Override
    public void close() {
        long value = handle.getAndSet(0);
        if (value != 0) {
            TorchCalls.delete(value);
        }
    }
}
