package io.github.bts4j.stitch.baseline;

/** The models' posterior weights, from a uniform prior and what each model made of the tokens so far. For one thread. */
final class Posterior {
    private final double[] logWeights;

    Posterior(int models) {
        logWeights = new double[models];
    }

    /** log sum_i w_i exp(logValues_i) with normalised weights w. */
    double logMixture(double[] logValues) {
        double[] joint = new double[logWeights.length];
        for (int i = 0; i < joint.length; i++) {
            joint[i] = logWeights[i] + logValues[i];
        }
        return logSumExp(joint) - logSumExp(logWeights);
    }

    /** The normalised log-weight of a model. */
    double logWeight(int model) {
        return logWeights[model] - logSumExp(logWeights);
    }

    /** Takes in the log-likelihood that each model gave to the next token. */
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
