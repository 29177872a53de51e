package io.github.bts4j.train.optim;

import ai.djl.Device;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import io.github.bts4j.core.support.ElementType;
import io.github.bts4j.core.torch.Autograd;
import io.github.bts4j.core.torch.Kernels;
import io.github.bts4j.core.torch.Tensors;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.BiConsumer;
import java.util.stream.Stream;

/**
 * AdamW over named float32 tensors, with moments that can be saved and restored.
 *
 * <p>One step computes, for every component, with m and v the moments before bias correction (arXiv 1711.05101, algorithm 2;
 * the arithmetic is that of {@code torch.optim.AdamW}, eps being added to the corrected root):
 *
 * <pre>{@code
 * theta -= lr * weightDecay * theta
 * m = beta1 m + (1 - beta1) g;  v = beta2 v + (1 - beta2) g^2
 * theta -= lr * (m / (1 - beta1^t)) / (sqrt(v / (1 - beta2^t)) + eps)
 * }</pre>
 *
 * {@link EpsilonPolicy} changes the last denominator. The optimizer owns the moments and makes the tensors require gradients; closing it undoes both.
 * Not thread-safe.
 */
public final class AdamW implements AutoCloseable {
    static final OptimizerKernels KERNELS = Kernels.of(OptimizerKernels.class);

    private static final String REFERENCES = "clipping_reference";

    private final NDManager manager;
    private final Map<String, NDArray> parameters;
    private final Map<String, NDArray> state = new LinkedHashMap<>();
    private final List<Group> groups = new ArrayList<>();

    /** Tensors with the same constants. */
    private record Group(AdamWConfig config, double rateFactor, List<String> names, List<NDArray> params, List<NDArray> m, List<NDArray> v,
            List<NDArray> steps) {
        Group(AdamWConfig config, double rateFactor) {
            this(config, rateFactor, new ArrayList<>(), new ArrayList<>(), new ArrayList<>(), new ArrayList<>(), new ArrayList<>());
        }
    }

    /**
     * Starts with zero moments.
     *
     * @param config the constants
     * @param manager parent of the moments' manager, on the parameters' device
     * @param parameters name to float32 tensor; matrices (two or more dimensions) decay, vectors do not
     */
    public AdamW(AdamWConfig config, NDManager manager, Map<String, NDArray> parameters) {
        this(config, List.of(), manager, parameters);
    }

    /**
     * Starts with zero moments, and with separate constants for some tensors.
     *
     * @param config the constants of tensors in no group; their matrices (two or more dimensions) decay, vectors do not
     * @param parameterGroups the groups; the first one that matches a tensor's name applies
     * @param manager parent of the moments' manager, on the parameters' device
     * @param parameters name to float32 tensor
     * @throws IllegalArgumentException if a group is left without a tensor
     */
    public AdamW(AdamWConfig config, List<ParameterGroup> parameterGroups, NDManager manager, Map<String, NDArray> parameters) {
        ParameterGroup.check(parameterGroups, parameters);
        this.manager = manager.newSubManager();
        this.parameters = new LinkedHashMap<>(parameters);
        Group matrices = new Group(config, 1);
        Group vectors = new Group(config.withoutDecay(), 1);
        groups.addAll(List.of(matrices, vectors));
        Map<ParameterGroup, Group> own = new LinkedHashMap<>();
        parameterGroups.forEach(group -> own.put(group, new Group(group.optimizer(), group.learningRateFactor())));
        groups.addAll(own.values());
        this.parameters.forEach((name, tensor) -> add(ParameterGroup.of(name, parameterGroups).map(own::get)
                .orElse(tensor.getShape().dimension() > 1 ? matrices : vectors), name, tensor));
    }

    private void add(Group group, String name, NDArray tensor) {
        Device device = tensor.getDevice();
        long[] shape = tensor.getShape().getShape();
        NDArray m = Tensors.zeros(manager, ElementType.FLOAT32, device, shape);
        NDArray v = Tensors.zeros(manager, ElementType.FLOAT32, device, shape);
        NDArray step = Tensors.zeros(manager, ElementType.FLOAT32, device);
        state.put("exp_avg." + name, m);
        state.put("exp_avg_sq." + name, v);
        state.put("step." + name, step);
        group.names.add(name);
        group.params.add(tensor);
        group.m.add(m);
        group.v.add(v);
        group.steps.add(step);
        Trained.begin(tensor);
    }

    /** {@return the global 2-norm of all gradients, possibly not finite} */
    public double gradientNorm() {
        List<NDArray> grads = gradients(parameters.values());
        try {
            return KERNELS.globalNorm(Autograd.OFF, grads);
        } finally {
            grads.forEach(NDArray::close);
        }
    }

    /**
     * Scales all gradients so that their common norm is at most {@code maxNorm}, as {@code clip_grad_norm_} does.
     *
     * @param norm the current norm
     * @param maxNorm the limit
     */
    public void clip(double norm, double maxNorm) {
        double factor = maxNorm / (norm + 1e-6);
        if (factor < 1) {
            List<NDArray> grads = gradients(parameters.values());
            KERNELS.scale(Autograd.OFF, grads, factor);
            grads.forEach(NDArray::close);
        }
    }

    /**
     * Updates the parameters from their gradients, then sets the gradients to zero.
     *
     * @param learningRate lr of this step
     */
    public void step(double learningRate) {
        eachGroup((group, grads) -> update(group, grads, learningRate));
    }

    private void eachGroup(BiConsumer<Group, List<NDArray>> step) {
        for (Group group : groups) {
            if (!group.params.isEmpty()) {
                List<NDArray> grads = gradients(group.params);
                step.accept(group, grads);
                KERNELS.zero(Autograd.OFF, grads);
                grads.forEach(NDArray::close);
            }
        }
    }

    /**
     * Like {@link #step}, and measures each tensor: the sums for the diagnostics of Adam's instability.
     *
     * @param learningRate lr of this step
     * @return name to sums, in the order of the parameters
     */
    public Map<String, AdamStatistics> measuredStep(double learningRate) {
        Map<String, AdamStatistics> measured = new LinkedHashMap<>();
        parameters.keySet().forEach(name -> measured.put(name, null)); // fixes the order
        eachGroup((group, grads) -> measure(group, grads, learningRate, measured));
        return measured;
    }

    private void measure(Group group, List<NDArray> grads, double learningRate, Map<String, AdamStatistics> measured) {
        AdamWConfig config = group.config;
        double b1 = config.beta1();
        double b2 = config.beta2();
        int policy = config.epsilonPolicy().code();
        try (NDManager scope = manager.newSubManager()) {
            NDArray before = KERNELS.before(scope, Autograd.OFF, grads, group.m, group.v, group.steps, b1, b2, config.eps(), policy);
            update(group, grads, learningRate);
            NDArray after = KERNELS.after(scope, Autograd.OFF, grads, group.m, group.v, group.steps, b1, b2,
                    config.epsilonPolicy() == EpsilonPolicy.ZERO_SAFE ? 0 : config.eps(), policy,
                    AdamStatistics.healthySpread(b1), AdamStatistics.bound(b1, b2), AdamStatistics.BINS, AdamStatistics.SAMPLE);
            float[] first = before.toFloatArray();
            float[] second = after.toFloatArray();
            AdamWConfig constants = config.withoutDecay(); // no statistic depends on it
            for (int i = 0; i < group.names.size(); i++) {
                measured.put(group.names.get(i), AdamStatistics.of(constants, first, second, i));
            }
        }
    }

    private static void update(Group group, List<NDArray> grads, double learningRate) {
        AdamWConfig config = group.config;
        double rate = learningRate * group.rateFactor;
        if (config.epsilonPolicy() == EpsilonPolicy.ADD && !config.updateClipping()) {
            KERNELS.adamw(Autograd.OFF, group.params, grads, group.m, group.v, group.steps, rate, config.beta1(), config.beta2(),
                    config.eps(), config.weightDecay());
        } else {
            KERNELS.adamwPolicy(Autograd.OFF, group.params, grads, group.m, group.v, group.steps, rate, config.beta1(), config.beta2(),
                    config.eps(), config.weightDecay(), config.epsilonPolicy().code(), config.updateClipping());
        }
    }

    /**
     * Makes the references of {@link #clipEach} part of the state, which a run must do before it restores them.
     *
     * @return the references, one for each parameter
     */
    public NDArray prepareClipping() {
        return state.computeIfAbsent(REFERENCES, name -> manager.full(new Shape(parameters.size()), Float.POSITIVE_INFINITY));
    }

    /**
     * Clips each tensor's gradient relative to its previous norms, and records its norm. Call it before each {@link #step}.
     *
     * @param clipping the rule
     * @param step steps done before, from 0
     * @return name of each clipped tensor to the factor that its gradient was multiplied by
     */
    public Map<String, Double> clipEach(TensorClipping clipping, long step) {
        NDArray saved = prepareClipping();
        Map<String, Double> clipped = new LinkedHashMap<>();
        List<NDArray> grads = gradients(parameters.values());
        try (NDManager scope = manager.newSubManager()) {
            float[] norms = KERNELS.norms(scope, Autograd.OFF, grads).toFloatArray();
            float[] references = saved.toFloatArray();
            float[] factors = new float[norms.length];
            int i = 0;
            for (String name : parameters.keySet()) {
                factors[i] = step < clipping.warmup() ? 1 : (float) clipping.scale(norms[i], references[i]);
                references[i] = (float) clipping.next(step, references[i], norms[i] * factors[i]);
                if (factors[i] < 1) {
                    clipped.put(name, (double) factors[i]);
                }
                i++;
            }
            KERNELS.scaleEach(Autograd.OFF, grads, scope.create(factors));
            TensorCopies.copyInto(saved, scope.create(references));
        } finally {
            grads.forEach(NDArray::close);
        }
        return clipped;
    }

    /**
     * Sets both moments and the step counts of some tensors to zero.
     *
     * @param names regular expression that must match a tensor's whole name
     * @return how many tensors
     */
    public int resetMoments(String names) {
        List<String> reset = parameters.keySet().stream().filter(name -> name.matches(names)).toList();
        if (!reset.isEmpty()) {
            KERNELS.zero(Autograd.OFF, reset.stream().flatMap(name -> Stream.of("exp_avg.", "exp_avg_sq.", "step.").map(kind -> state.get(kind + name)))
                    .toList());
        }
        return reset.size();
    }

    /** Sets all gradients to zero. */
    public void zeroGradients() {
        List<NDArray> grads = gradients(parameters.values());
        KERNELS.zero(Autograd.OFF, grads);
        grads.forEach(NDArray::close);
    }

    /** Handles of the gradients; the caller closes each of them. */
    private static List<NDArray> gradients(Iterable<NDArray> params) {
        List<NDArray> grads = new ArrayList<>();
        params.forEach(param -> grads.add(param.getGradient()));
        return grads;
    }

    /**
     * Moments and step counts.
     *
     * @return {@code exp_avg.NAME}, {@code exp_avg_sq.NAME} and {@code step.NAME} for every parameter, and {@code clipping_reference} after
     *     {@link #clipEach}; owned by this optimizer
     */
    public Map<String, NDArray> state() {
        return new LinkedHashMap<>(state);
    }

    /**
     * Restores moments and step counts; the values are copied.
     *
     * @param values a result of {@link #state}
     * @throws IllegalArgumentException listing missing and mis-shaped tensors
     */
    public void restore(Map<String, NDArray> values) {
        TensorCopies.copyInto(state, values, "optimizer state");
    }

    /** Releases the moments; tensors that no other optimizer trains stop requiring gradients. No other thread may free them at the same time. */
    @Override
    public void close() {
        close(true);
    }

    /**
     * The same where somebody may free the tensors: then they are left as they are, unless they are held.
     *
     * @param held whether nobody may free them meanwhile
     */
    public void close(boolean held) {
        if (manager.isOpen()) {
            parameters.values().forEach(tensor -> Trained.end(tensor, held));
            manager.close();
        }
    }
}
