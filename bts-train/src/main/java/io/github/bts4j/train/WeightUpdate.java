package io.github.bts4j.train;

import ai.djl.ndarray.NDArray;
import io.github.bts4j.train.optim.AdamStatistics;
import io.github.bts4j.train.stability.TensorClipping;
import java.util.LinkedHashMap;
import java.util.Map;

/** What one optimizer step does to the weights: clips their gradients, steps with AdamW, and follows with the average. */
final class WeightUpdate {
    private final Trainable model;
    private final TensorClipping clipping;
    private final double maxGradientNorm;
    private final RunSafety safety;
    private final AdamW optimizer;
    private final WeightAverage average;

    WeightUpdate(Trainable model, TrainerConfig config, RunSafety safety) {
        this.model = model;
        this.clipping = config.safeguards().tensorClipping();
        this.maxGradientNorm = config.maxGradNorm();
        this.safety = safety;
        this.optimizer = AdamW.of(config, model.manager(), model.parameters());
        this.average = new WeightAverage(config.averageDecay(), model.manager(), model.parameters());
    }

    /** The global norm over all gradients. */
    double gradientNorm() {
        return optimizer.gradientNorm();
    }

    void zeroGradients() {
        optimizer.zeroGradients();
    }

    /** The step after {@code step} steps; gives Adam's statistics by tensor where they are due. */
    Map<String, AdamStatistics> apply(long step, double gradientNorm, double learningRate) {
        clip(step, gradientNorm);
        Map<String, AdamStatistics> measured = new LinkedHashMap<>();
        model.write(() -> measured.putAll(optimizer.step(learningRate, safety.measures(step + 1))));
        average.update(step + 1);
        return measured;
    }

    private void clip(long step, double gradientNorm) {
        if (!clipping.isOn() || step < clipping.warmup()) {
            optimizer.clip(gradientNorm, safety.normLimit(step + 1, gradientNorm, maxGradientNorm));
        }
        if (clipping.isOn()) {
            safety.tellClipped(step + 1, optimizer.clipEach(clipping, step));
        }
    }

    int resetMoments(String tensors) {
        return optimizer.resetMoments(tensors);
    }

    /** What a checkpoint holds besides the weights: moments, and the average if there is one. */
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

    /** With the knowledge whether the weights are held and still the model's. */
    void close(boolean held) {
        average.close();
        optimizer.close(held);
    }
}
