package io.github.bts4j.train;

import ai.djl.ndarray.NDArray;
import io.github.bts4j.core.Lifetime;
import java.util.Map;

/** The leases of a trainer: on the model for each step, and on its own tensors. */
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

    /** Checks that the model still has the tensors that it had when the trainer was created. */
    void requireSameParameters() {
        if (!hasSameParameters()) {
            throw new IllegalStateException("The model's experts or stitch weights have changed since this trainer was created: create a new trainer");
        }
    }

    private boolean hasSameParameters() {
        Map<String, NDArray> present = model.parameters();
        return present.keySet().equals(parameters.keySet()) && present.entrySet().stream().allMatch(each -> parameters.get(each.getKey()) == each.getValue());
    }

    /** Releases resources. */
    interface Release {
        /**
         * Called once.
         *
         * @param held whether the tensors still belong to the model, and no other thread can free them
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
