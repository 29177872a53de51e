package io.github.bts4j.train.eval;

import java.util.Optional;

/**
 * The share of an expert's gain over its seed that a model keeps: 1 if the model is as good as the expert, 0 if it is no better than the seed, above 1
 * if it is better than the expert.
 *
 * <pre>{@code kept = (seed - model) / (seed - expert)}</pre>
 *
 * <p>The interval is that of the bootstrap: items are resampled for the three models together, so that items that are hard for all do not add uncertainty.
 *
 * @param kept the share with its 95 % interval
 */
public record RetainedGain(WindowScores.Interval kept) {
    private static final double ALPHA = 0.05;

    /**
     * Compares three models on the same items.
     *
     * @param seed the seed's result
     * @param expert the result of the expert that was branched from it
     * @param model the result of a model that contains the expert
     * @return the kept share; empty if the expert is not significantly better than the seed (p &lt; 0.05)
     * @throws IllegalArgumentException if task, metric or items are not the same
     */
    public static Optional<RetainedGain> of(EvaluationResult seed, EvaluationResult expert, EvaluationResult model) {
        PairedComparison gain = expert.against(seed);
        model.requireSameItems(seed);
        double value = gain.difference().interval().value();
        if (gain.pValue() >= ALPHA || value > 0 != seed.metric().higherIsBetter()) {
            return Optional.empty();
        }
        ItemScores from = seed.scores();
        ItemScores to = expert.scores();
        ItemScores own = model.scores();
        Bootstrap drawn = Bootstrap.of(from.count(), EvaluationResult.RESAMPLES, EvaluationResult.SEED,
                sample -> share(from.over(sample), to.over(sample), own.over(sample)));
        return Optional.of(new RetainedGain(drawn.interval(share(from.value(), to.value(), own.value()), EvaluationResult.LEVEL)));
    }

    private static double share(double seed, double expert, double model) {
        return seed == model ? 0 : (seed - model) / (seed - expert);
    }
}
