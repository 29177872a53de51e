package io.github.bts4j.train;

import ai.djl.ndarray.NDArray;
import io.github.bts4j.core.Lifetime;
import java.util.Map;

/** How a trainer holds, step by step, what it trains and what it has of its own. */
final class TrainerHold {
    private final Lifetime lifetime = Lifetime.shared("trainer");
    private final Trainable model;
    private final Map<String, NDArray> parameters;

    TrainerHold(Trainable model) {
        this.model = model;
        this.parameters = model.parameters();
    }

    Lifetime.Lease use() {
        Lifetime.Lease own = lifetime.use();
        try {
            Lifetime.Lease trained = model.use();
            return () -> {
                trained.close();
                own.close();
            };
        } catch (RuntimeException e) {
            own.close();
            throw e;
        }
    }

    /** The optimizer writes to the tensors that the model had when the trainer was made. */
    void requireSameParameters() {
        if (!hasSameParameters()) {
            throw new IllegalStateException("The model's experts or stitch weights were exchanged after this trainer was made: make a new one");
        }
    }

    private boolean hasSameParameters() {
        Map<String, NDArray> present = model.parameters();
        return present.keySet().equals(parameters.keySet()) && present.entrySet().stream().allMatch(each -> parameters.get(each.getKey()) == each.getValue());
    }

    /** What releases. */
    interface Release {
        /**
         * Called once.
         *
         * @param held whether the tensors are still the model's, and nobody frees them meanwhile
         */
        void run(boolean held);
    }

    void close(Release release) {
        lifetime.close(() -> {
            Lifetime.Lease trained;
            try {
                trained = model.use();
            } catch (IllegalStateException e) { // another thread may be freeing them
                release.run(false);
                return;
            }
            try {
                release.run(hasSameParameters());
            } finally {
                trained.close();
            }
        });
    }
}
