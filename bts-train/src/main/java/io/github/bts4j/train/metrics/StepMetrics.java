package io.github.bts4j.train.metrics;

import java.util.Map;

/**
 * The numbers of one optimizer step. Losses and norms may be NaN or infinite: they are reported if a run diverges.
 *
 * @param step optimizer steps done, this one included, from 1
 * @param totalSteps optimizer steps of the whole run
 * @param loss mean next-token cross-entropy over the step's tokens, in nats
 * @param lossByDomain the same by domain, for the domains that occurred in the step
 * @param gradNorm global norm of the gradient before clipping
 * @param learningRate learning rate of the step
 * @param tokensSeen tokens trained on since step 1, this step included
 * @param tokensPerSecond speed of the step
 * @param extra further numbers by name
 */
public record StepMetrics(long step, long totalSteps, double loss, Map<String, Double> lossByDomain, double gradNorm,
                          double learningRate, long tokensSeen, double tokensPerSecond, Map<String, Double> extra) {

    /**
     * Checks and copies the values; maps keep their order.
     *
     * @param step optimizer steps done
     * @param totalSteps optimizer steps of the whole run
     * @param loss mean next-token cross-entropy over the step's tokens
     * @param lossByDomain the same by domain
     * @param gradNorm global norm of the gradient before clipping
     * @param learningRate learning rate of the step
     * @param tokensSeen tokens trained on since step 1
     * @param tokensPerSecond speed of the step
     * @param extra further numbers by name
     * @throws IllegalArgumentException if {@code step} is not in 1 to {@code totalSteps} or {@code tokensSeen} is negative
     */
    public StepMetrics {
        if (step < 1 || step > totalSteps) {
            throw new IllegalArgumentException("step = " + step + " must be between 1 and totalSteps = " + totalSteps);
        }
        if (tokensSeen < 0) {
            throw new IllegalArgumentException("tokensSeen = " + tokensSeen + " must not be negative");
        }
        lossByDomain = OrderedMaps.copy("lossByDomain", lossByDomain);
        extra = OrderedMaps.copy("extra", extra);
    }
}
