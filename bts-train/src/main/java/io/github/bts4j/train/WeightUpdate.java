package io.github.bts4j.train;

import ai.djl.ndarray.NDArray;
import io.github.bts4j.train.optim.AdamStatistics;
import io.github.bts4j.train.optim.AdamW;
import io.github.bts4j.train.optim.TensorClipping;
import io.github.bts4j.train.optim.TensorCopies;
import io.github.bts4j.train.optim.WeightAverage;
import java.util.LinkedHashMap;
import java.util.Map;

/** The update of one optimizer step: clips the gradients, steps with AdamW, and updates the average. */
final class WeightUpdate {
    private final Trainable model;
    private final TensorClipping clipping;
    private final double maxGradientNorm;
    private final DivergenceGuard guard;
    private final AdamW optimizer;
    private final WeightAverage average;

    WeightUpdate(Trainable model, TrainerConfig config, DivergenceGuard guard) {
        this.model = model;
        this.clipping = config.safeguards().tensorClipping();
        this.maxGradientNorm = config.optimization().maxGradNorm();
        this.guard = guard;
        this.optimizer = new AdamW(config.optimization().optimizer(), config.optimization().groups(), model.manager(), model.parameters());
        if (clipping.isOn()) {
            optimizer.prepareClipping();
        }
        this.average = new WeightAverage(config.optimization().averageDecay(), model.manager(), model.parameters());
    }

    /** The global norm over all gradients. */
    double gradientNorm() {
        return optimizer.gradientNorm();
    }

    void zeroGradients() {
        optimizer.zeroGradients();
    }

    /** Performs the step after {@code step} steps; returns Adam's statistics by tensor if it is measured. */
    Map<String, AdamStatistics> apply(long step, double gradientNorm, double learningRate) {
        clip(step, gradientNorm);
        Map<String, AdamStatistics> measured = new LinkedHashMap<>();
        model.write(() -> {
            if (guard.measures(step + 1)) {
                measured.putAll(optimizer.measuredStep(learningRate));
            } else {
                optimizer.step(learningRate);
            }
        });
        average.update(step + 1);
        return measured;
    }

    private void clip(long step, double gradientNorm) {
        if (!clipping.isOn() || step < clipping.warmup()) {
            optimizer.clip(gradientNorm, guard.normLimit(step + 1, gradientNorm, maxGradientNorm));
        }
        if (clipping.isOn()) {
            guard.reportClipped(step + 1, optimizer.clipEach(clipping, step));
        }
    }

    int resetMoments(String tensors) {
        return optimizer.resetMoments(tensors);
    }

    /** The saved state besides the weights: moments, and the average if there is one. */
    Map<String, NDArray> state() {
        Map<String, NDArray> state = optimizer.state();
        state.putAll(average.state());
        return state;
    }

    void adoptAverages() {
        if (!average.state().isEmpty()) {
            model.write(() -> TensorCopies.copyInto(model.parameters(), average.byParameter(), "average"));
        }
    }

    /** Releases it; {@code held} says whether the weights are held and still belong to the model. */
    void close(boolean held) {
        average.close();
        optimizer.close(held);
    }
}
