package io.github.bts4j.stitch.baseline;

import static io.github.bts4j.core.support.Problems.throwIf;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import io.github.bts4j.core.TokenBatch;
import io.github.bts4j.core.support.ElementType;
import io.github.bts4j.core.torch.Autograd;
import io.github.bts4j.core.torch.Kernels;
import io.github.bts4j.core.torch.Tensors;
import io.github.bts4j.core.torch.llama.LlamaModel;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;

/** The trained part of routed experts: one matrix over the mean input embedding. Thread-safe for reading; its tensor belongs to the manager given. */
final class Router {
    static final RouterKernels KERNELS = Kernels.of(RouterKernels.class);

    private static final String WEIGHT = "router.weight";

    private final LlamaModel hub;
    private final NDManager manager;
    private final NDArray weight; // [models, hidden]

    /** Starts at zero: all models are equally likely, and the first one, the hub, is chosen. */
    Router(NDManager manager, LlamaModel hub, int models) {
        this.hub = hub;
        this.manager = manager;
        this.weight = Tensors.zeros(manager, ElementType.FLOAT32, hub.device(), models, hub.config().hiddenSize());
    }

    Map<String, NDArray> tensors() {
        return Map.of(WEIGHT, weight);
    }

    void set(Map<String, NDArray> values) {
        NDArray value = values.get(WEIGHT);
        if (values.size() != 1 || value == null || !value.getShape().equals(weight.getShape())) {
            List<String> given = values.entrySet().stream().map(entry -> entry.getKey() + " " + entry.getValue().getShape()).sorted().toList();
            throw new IllegalArgumentException("The tensors " + given + " are not a router of this model, which needs " + WEIGHT + " " + weight.getShape()
                    + " (number of models, hidden size): was it trained over other models?");
        }
        write(() -> Tensors.write(weight, value));
    }

    /** Writes to the router while no route is chosen. */
    synchronized void write(Runnable writing) {
        writing.run();
    }

    /** Probabilities [sequences][models]; sequences of any lengths. */
    synchronized float[][] probabilities(int[][] tokens) {
        try (NDManager scope = manager.newSubManager()) {
            float[] flat = KERNELS.routeProbabilities(scope, Autograd.OFF, ids(scope, tokens), hub.decoder().weights(), weight).toFloatArray();
            int models = flat.length / tokens.length;
            float[][] rows = new float[tokens.length][];
            for (int row = 0; row < rows.length; row++) {
                rows[row] = Arrays.copyOfRange(flat, row * models, (row + 1) * models);
            }
            return rows;
        }
    }

    /** Adds the gradient of weight times the sum of the cross-entropies, which are returned, in nats. */
    float[] accumulateGradients(int[][] prefixes, int[] targets, float tokenWeight) {
        try (NDManager scope = manager.newSubManager()) {
            NDArray labels = scope.create(Arrays.stream(targets).asLongStream().toArray());
            NDArray losses = KERNELS.routeLosses(scope, Autograd.ON, ids(scope, prefixes), hub.decoder().weights(), weight, labels);
            throwIf(!Tensors.requiresGradient(losses),
                    () -> new IllegalStateException("The router does not require a gradient: call setRequiresGradient(true) on it, or pass it to AdamW"));
            KERNELS.backwardEach(Autograd.OFF, List.of(losses), List.of(scope.full(new Shape(targets.length), tokenWeight)));
            try (NDArray found = losses.stopGradient()) {
                return found.toFloatArray();
            }
        }
    }

    private List<NDArray> ids(NDManager scope, int[][] tokens) {
        List<NDArray> ids = new ArrayList<>();
        for (int[] row : tokens) {
            throwIf(row.length == 0, () -> new IllegalArgumentException("Sequence " + ids.size() + " is empty: a route needs at least one token"));
            TokenBatch.check(new int[][] {row}, hub.vocabSize());
            ids.add(scope.create(Arrays.stream(row).asLongStream().toArray()));
        }
        return ids;
    }

    /** The index of the largest probability; the first of equals. */
    static int largest(float[] probabilities) {
        int best = 0;
        for (int i = 1; i < probabilities.length; i++) {
            best = probabilities[i] > probabilities[best] ? i : best;
        }
        return best;
    }
}
