package io.github.bts4j.train;

import io.github.bts4j.core.TrainingException;

/** The loss or gradient of a step is not finite. The weights are those of the step before: no update was made. */
public final class TrainingDivergedException extends TrainingException {
    private static final long serialVersionUID = 1L;

    /** The step that diverged, from 0. */
    private final long step;

    /** Its loss in nats per token. */
    private final double loss;

    /** Its global gradient norm. */
    private final double gradientNorm;

    /**
     * Reports a diverged step.
     *
     * @param step the step, counted from 0
     * @param loss its loss in nats per token
     * @param gradientNorm its global gradient norm
     */
    public TrainingDivergedException(long step, double loss, double gradientNorm) {
        super("Training diverged at step " + step + ": loss = " + loss + ", gradient norm = " + gradientNorm
                + "; the weights of the step before are kept. Lower the learning rate, warm up longer, or clip harder");
        this.step = step;
        this.loss = loss;
        this.gradientNorm = gradientNorm;
    }

    /** {@return the step that diverged, counted from 0} */
    public long step() {
        return step;
    }

    /** {@return its loss in nats per token} */
    public double loss() {
        return loss;
    }

    /** {@return its gradient norm: the global 2-norm} */
    public double gradientNorm() {
        return gradientNorm;
    }
}
