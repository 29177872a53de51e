package io.github.bts4j.train.eval;

import java.util.Arrays;
import java.util.Optional;

/**
 * A comparison of two models item by item, so that items that are hard for both do not add uncertainty.
 *
 * @param difference the first model's value minus the second's, with the paired bootstrap's interval and p-value
 * @param mcNemar McNemar's exact test, if every item is correct or wrong
 */
public record PairedComparison(WindowScores.Difference difference, Optional<McNemar> mcNemar) {
    /**
     * Compares two models. Items are resampled for both models together.
     *
     * @param first the first model's scores
     * @param second the second model's scores of the same items
     * @param level share of the resamples inside the interval, such as 0.95
     * @param resamples how many, 1,000 or more
     * @param seed seed of the draws
     * @return the comparison
     * @throws IllegalArgumentException if the items differ (by number or weights), or an argument is out of range
     */
    public static PairedComparison of(ItemScores first, ItemScores second, double level, int resamples, long seed) {
        if (!Arrays.equals(first.weights(), second.weights())) {
            throw new IllegalArgumentException("The scores are of different items (" + first.count() + " and " + second.count()
                    + ", or different weights): score both models on the same items");
        }
        Bootstrap drawn = Bootstrap.of(first.count(), resamples, seed, sample -> first.over(sample) - second.over(sample));
        boolean exact = first.isRightOrWrong() && second.isRightOrWrong();
        return new PairedComparison(drawn.difference(first.value() - second.value(), level), exact ? Optional.of(McNemar.of(first, second)) : Optional.empty());
    }

    /**
     * {@return the p-value, which is the probability of at least this difference between equally good models: that of McNemar's exact
     * test if there is one, otherwise the paired bootstrap's}
     */
    public double pValue() {
        return mcNemar.map(McNemar::pValue).orElse(difference.pValue());
    }
}
