package io.github.bts4j.stitch.baseline;

import java.util.Arrays;
import java.util.Comparator;
import java.util.stream.IntStream;

/** The models' posterior weights, from a uniform prior and each model's likelihood of the tokens so far. Not thread-safe. */
final class Posterior {
    private final double[] logWeights;
    private final int topK;

    /** Mixes the topK models with the highest weights; ties go to the earlier model. */
    Posterior(int models, int topK) {
        this.logWeights = new double[models];
        this.topK = topK;
    }

    /** log sum_i w_i exp(logValues_i) with the weights of {@link #mixingLogWeights}. */
    double logMixture(double[] logValues) {
        double[] joint = mixingLogWeights();
        for (int i = 0; i < joint.length; i++) {
            joint[i] += logValues[i];
        }
        return logSumExp(joint);
    }

    /** The log-weights that models are mixed with: those of the top k, normalised, and minus infinity for the others. */
    double[] mixingLogWeights() {
        double[] mixing = new double[logWeights.length];
        Arrays.fill(mixing, Double.NEGATIVE_INFINITY);
        IntStream.range(0, mixing.length).boxed().sorted(Comparator.comparingDouble((Integer i) -> -logWeights[i])) // a stable sort
                .limit(topK).forEach(i -> mixing[i] = logWeights[i]);
        double norm = logSumExp(mixing);
        for (int i = 0; i < mixing.length; i++) {
            mixing[i] -= norm;
        }
        return mixing;
    }

    /** Adds each model's log-likelihood of the next token. */
    void observe(double[] logLikelihood) {
        for (int i = 0; i < logWeights.length; i++) {
            logWeights[i] += logLikelihood[i];
        }
    }

    static double logSumExp(double[] values) {
        double max = Double.NEGATIVE_INFINITY;
        for (double value : values) {
            max = Math.max(max, value);
        }
        if (max == Double.NEGATIVE_INFINITY) {
            return max;
        }
        double sum = 0;
        for (double value : values) {
            sum += Math.exp(value - max);
        }
        return max + Math.log(sum);
    }
}
