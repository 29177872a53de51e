package io.github.bts4j.examples.report;

import io.github.bts4j.train.eval.EvaluationResult;
import io.github.bts4j.train.eval.ItemScores;
import io.github.bts4j.train.eval.Metric;
import java.util.Arrays;
import java.util.List;

/** The mean of one model's results on several texts. */
public final class DomainAverage {
    private DomainAverage() {}

    /**
     * The mean of several domains' bits per byte, with equal weights, as one result over all their windows.
     *
     * @param model the model's name
     * @param task the mean's name
     * @param domains the model's results by domain, at least one
     * @return the mean with its interval
     */
    public static EvaluationResult of(String model, String task, List<EvaluationResult> domains) {
        int count = domains.stream().mapToInt(domain -> domain.scores().count()).sum();
        double[] values = new double[count];
        double[] weights = new double[count];
        int at = 0;
        StringBuilder identity = new StringBuilder();
        for (EvaluationResult domain : domains) {
            ItemScores scores = domain.scores();
            double all = Arrays.stream(scores.weights()).sum() * domains.size();
            for (int i = 0; i < scores.count(); i++) {
                values[at] = scores.values()[i] / all;
                weights[at++] = scores.weights()[i] / all;
            }
            identity.append(identity.isEmpty() ? "" : "+").append(domain.identity());
        }
        return EvaluationResult.of(model, task, Metric.BITS_PER_BYTE, identity.toString(), new ItemScores(values, weights));
    }
}
