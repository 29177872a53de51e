package io.github.bts4j.stitch;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.github.bts4j.core.support.ElementType;
import io.github.bts4j.core.torch.TensorList;
import io.github.bts4j.core.torch.Tensors;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.UnaryOperator;

/** The trainable stitch weights, in float32. Inference uses a {@link StitchSnapshot} of them. */
final class StitchWeights implements AutoCloseable {
    private final NDManager manager;
    private final List<StitchLayer> layers;
    private final Arguments training;

    /** Tensors and their kernel argument. Closing it does not close the tensors. */
    record Argument(List<NDArray> tensors, TensorList list) implements AutoCloseable {
        static Argument of(List<NDArray> tensors) {
            return new Argument(List.copyOf(tensors), TensorList.of(tensors));
        }

        @Override
        public void close() {
            list.close();
        }
    }

    /** The weights as kernel arguments. */
    record Arguments(Argument gates, Argument biases, Argument projs) implements AutoCloseable {
        @Override
        public void close() {
            gates.close();
            biases.close();
            projs.close();
        }
    }

    private StitchWeights(NDManager manager, List<StitchLayer> layers) {
        this.manager = manager;
        this.layers = List.copyOf(layers);
        this.training = arguments(layers, tensor -> tensor);
    }

    /** Weights initialised by {@link Init}. */
    static StitchWeights initial(NDManager parent, StitchConfig config, int numExperts, int hiddenSize) {
        return build(parent, config, numExperts, (manager, name, j) -> initialTensor(manager, config, numExperts, hiddenSize, name, j));
    }

    /** Weights with the given values, which are copied; names as in a stitch checkpoint. */
    static StitchWeights of(NDManager parent, StitchConfig config, int numExperts, Map<String, NDArray> values) {
        return build(parent, config, numExperts, (manager, name, j) -> copy(manager, values.get("stitch." + j + "." + name)));
    }

    private interface Source {
        NDArray tensor(NDManager manager, String name, int stitch);
    }

    private static StitchWeights build(NDManager parent, StitchConfig config, int numExperts, Source source) {
        NDManager manager = parent.newSubManager();
        try {
            List<StitchLayer> layers = new ArrayList<>();
            for (int j = 0; j < config.numStitches(); j++) {
                layers.add(layer(manager, config, numExperts, source, j));
            }
            return new StitchWeights(manager, layers);
        } catch (RuntimeException e) {
            manager.close();
            throw e;
        }
    }

    private static StitchLayer layer(NDManager manager, StitchConfig config, int numExperts, Source source, int j) {
        NDArray gate = source.tensor(manager, "gate.weight", j);
        Optional<NDArray> bias = config.init().hasGateBias() ? Optional.of(source.tensor(manager, "gate.bias", j)) : Optional.empty();
        List<NDArray> projections = new ArrayList<>();
        for (int i = 1; i <= numExperts; i++) {
            projections.add(source.tensor(manager, "proj." + i + ".weight", j));
        }
        return new StitchLayer(j, config.afterLayers().get(j), config.intoHub(j), gate, bias, List.copyOf(projections));
    }

    private static NDArray initialTensor(NDManager manager, StitchConfig config, int numExperts, int d, String name, int j) {
        if (name.equals("gate.weight")) {
            return Tensors.zeros(manager, ElementType.FLOAT32, manager.getDevice(), numExperts + 1, d, d);
        } else if (name.equals("gate.bias")) {
            return Tensors.of(manager, config.init().biases(config.intoHub(j), numExperts, d), numExperts + 1, d);
        }
        return manager.eye(d);
    }

    private static NDArray copy(NDManager manager, NDArray value) {
        try (NDManager scope = manager.newSubManager()) {
            NDArray placed = Tensors.place(scope, value, ElementType.FLOAT32, manager.getDevice());
            return Tensors.copy(manager, placed, ElementType.FLOAT32);
        }
    }

    static Arguments arguments(List<StitchLayer> layers, UnaryOperator<NDArray> form) {
        List<NDArray> gates = new ArrayList<>();
        List<NDArray> biases = new ArrayList<>();
        List<NDArray> projs = new ArrayList<>();
        for (StitchLayer layer : layers) {
            gates.add(form.apply(layer.gate()));
            layer.gateBias().ifPresent(bias -> biases.add(form.apply(bias)));
            layer.projections().forEach(proj -> projs.add(form.apply(proj)));
        }
        return new Arguments(Argument.of(gates), Argument.of(biases), Argument.of(projs));
    }

    List<StitchLayer> layers() {
        return layers;
    }

    Map<String, NDArray> tensors() {
        Map<String, NDArray> tensors = new LinkedHashMap<>();
        layers.forEach(layer -> tensors.putAll(layer.tensors()));
        return tensors;
    }

    Arguments training() {
        return training;
    }

    @Override
    public void close() {
        training.close();
        manager.close();
    }
}
