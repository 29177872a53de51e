package io.github.bts4j.train.optim;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.github.bts4j.core.support.ElementType;
import io.github.bts4j.core.torch.Autograd;
import io.github.bts4j.core.torch.Tensors;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.Function;

/**
 * The gradients of trained tensors, all together. The tensors require gradients: an {@link AdamW} of them exists, or {@link #begin} was called.
 *
 * <p>Not thread-safe.
 */
public final class Gradients implements AutoCloseable {
    private final List<NDArray> handles = new ArrayList<>();

    private Gradients(List<NDArray> tensors) {
        AdamW.KERNELS.makeGradients(Autograd.OFF, tensors);
        tensors.forEach(tensor -> handles.add(tensor.getGradient()));
    }

    /**
     * Makes tensors require gradients where no optimizer does.
     *
     * @param parameters float32 tensors by name
     */
    public static void begin(Map<String, NDArray> parameters) {
        parameters.values().forEach(Trained::begin);
    }

    /**
     * The gradients of some tensors; those without one get one of zeros.
     *
     * @param parameters trained tensors by name
     * @return their gradients, which the caller closes: the gradients themselves stay
     */
    public static Gradients of(Map<String, NDArray> parameters) {
        return new Gradients(List.copyOf(parameters.values()));
    }

    /** {@return the number of components of all of them} */
    public long size() {
        return handles.stream().mapToLong(NDArray::size).sum();
    }

    /** Sets them to zero. */
    public void zero() {
        AdamW.KERNELS.zero(Autograd.OFF, handles);
    }

    /**
     * As one vector, in the order of the parameters.
     *
     * @param use reads or writes them
     * @param <T> type of the result
     * @return its result
     */
    public <T> T flat(Function<FlatTensors, T> use) {
        return use.apply(FlatTensors.of(handles));
    }

    /**
     * Copies them.
     *
     * @param owner owner of the copies
     * @return the copies, in the order of the parameters
     */
    public List<NDArray> copy(NDManager owner) {
        return handles.stream().map(gradient -> Tensors.copy(owner, gradient, ElementType.FLOAT32)).toList();
    }

    /**
     * Adds them to sums.
     *
     * @param sums a result of {@link #copy}
     */
    public void addTo(List<NDArray> sums) {
        AdamW.KERNELS.add(Autograd.OFF, sums, handles);
    }

    /**
     * Overwrites them.
     *
     * @param values a result of {@link #copy}
     */
    public void write(List<NDArray> values) {
        for (int i = 0; i < handles.size(); i++) {
            Tensors.write(handles.get(i), values.get(i));
        }
    }

    /** Releases the handles. */
    @Override
    public void close() {
        handles.forEach(NDArray::close);
    }
}
