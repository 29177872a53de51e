package io.github.bts4j.train.eval;

/**
 * McNemar's exact test of two models on the same items. If the models are equally good, an item that only one of them gets right is equally likely to be either
 * model's.
 *
 * <pre>{@code p = min(1, 2 P(X <= min(a, b))), X ~ binomial(a + b, 1/2)}</pre>
 *
 * (McNemar, Psychometrika 12, 1947, in the exact form; the result of {@code scipy.stats.binomtest(a, a + b)}.)
 *
 * @param onlyFirst items that only the first model gets right, {@code a}
 * @param onlySecond items that only the second model gets right, {@code b}
 */
public record McNemar(int onlyFirst, int onlySecond) {
    /**
     * Checks the counts.
     *
     * @param onlyFirst items that only the first model gets right
     * @param onlySecond items that only the second model gets right
     * @throws IllegalArgumentException if one is negative
     */
    public McNemar {
        if (onlyFirst < 0 || onlySecond < 0) {
            throw new IllegalArgumentException("onlyFirst = " + onlyFirst + " and onlySecond = " + onlySecond + " must not be negative");
        }
    }

    /**
     * Counts the items on which two models differ.
     *
     * @param first the first model's scores, 1 for correct and 0 for wrong
     * @param second the second model's scores of the same items
     * @return the counts
     * @throws IllegalArgumentException if the numbers of items differ, or a score is not 0 or 1
     */
    public static McNemar of(ItemScores first, ItemScores second) {
        if (first.count() != second.count()) {
            throw new IllegalArgumentException("The scores are of " + first.count() + " and " + second.count() + " items: score both models on the same items");
        }
        if (!first.isRightOrWrong() || !second.isRightOrWrong()) {
            throw new IllegalArgumentException("McNemar's test needs items that are correct (1) or wrong (0), with weight 1");
        }
        int onlyFirst = 0;
        int onlySecond = 0;
        for (int i = 0; i < first.count(); i++) {
            onlyFirst += first.values()[i] > second.values()[i] ? 1 : 0;
            onlySecond += first.values()[i] < second.values()[i] ? 1 : 0;
        }
        return new McNemar(onlyFirst, onlySecond);
    }

    /**
     * {@return the two-sided p-value, which is the probability of at least this difference between equally good models; 1 if the
     * models differ on no item}
     */
    public double pValue() {
        long n = (long) onlyFirst + onlySecond;
        int k = Math.min(onlyFirst, onlySecond);
        double logTerm = -n * Math.log(2); // ln of the binomial probability of k, at first of 0
        for (int i = 1; i <= k; i++) {
            logTerm += Math.log((n - k + i) / (double) i);
        }
        double tail = 1;
        double term = 1;
        for (int i = k; i > 0 && term > 1e-18 * tail; i--) {
            term *= i / (double) (n - i + 1);
            tail += term;
        }
        return Math.min(1, 2 * Math.exp(logTerm) * tail);
    }
}
