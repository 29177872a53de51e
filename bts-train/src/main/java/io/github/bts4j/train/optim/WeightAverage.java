package io.github.bts4j.train.optim;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.github.bts4j.core.support.ElementType;
import io.github.bts4j.core.torch.Autograd;
import io.github.bts4j.core.torch.Tensors;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * An exponential moving average of weights, as {@code torch.optim.swa_utils.AveragedModel} with {@code get_ema_multi_avg_fn} keeps it: the weights after the
 * first step, then {@code average = decay * average + (1 - decay) * weights}. Not thread-safe.
 */
public final class WeightAverage implements AutoCloseable {
    private final double decay;
    private final NDManager manager;
    private final Map<String, NDArray> parameters;
    private final Map<String, NDArray> averages = new LinkedHashMap<>();

    /**
     * Starts with a copy of the weights.
     *
     * @param decay the decay, in {@code [0, 1)}; with 0 there is no average
     * @param parent parent of the averages' manager, on the parameters' device
     * @param parameters name to float32 tensor
     */
    public WeightAverage(double decay, NDManager parent, Map<String, NDArray> parameters) {
        this.decay = decay;
        this.manager = parent.newSubManager();
        this.parameters = parameters;
        if (decay > 0) {
            parameters.forEach((name, tensor) -> averages.put("average." + name, Tensors.copy(manager, tensor.stopGradient(), ElementType.FLOAT32)));
        }
    }

    /**
     * Follows the weights.
     *
     * @param stepsDone optimizer steps done, from 1
     */
    public void update(long stepsDone) {
        if (decay > 0) {
            AdamW.KERNELS.average(Autograd.OFF, List.copyOf(averages.values()), List.copyOf(parameters.values()), stepsDone == 1 ? 0 : decay);
        }
    }

    /**
     * What a checkpoint holds.
     *
     * @return {@code average.NAME} for every parameter; empty without an average
     */
    public Map<String, NDArray> state() {
        return averages;
    }

    /** {@return the averages by the names of their parameters, owned by this} */
    public Map<String, NDArray> byParameter() {
        Map<String, NDArray> named = new LinkedHashMap<>();
        parameters.keySet().forEach(name -> named.put(name, averages.get("average." + name)));
        return named;
    }

    @Override
    public void close() {
        manager.close();
    }
}
