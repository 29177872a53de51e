package io.github.bts4j.cli;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.github.bts4j.train.metrics.EvaluationMetrics;
import io.github.bts4j.train.metrics.MetricsListener;
import io.github.bts4j.train.metrics.StepMetrics;
import java.util.Map;
import java.util.Optional;

/** Keeps the metrics of the last step and the last validation of a run. */
final class LastMetrics implements MetricsListener {
    private Optional<StepMetrics> step = Optional.empty();
    private Optional<EvaluationMetrics> validation = Optional.empty();

    @Override
    public void onStep(StepMetrics metrics) {
        step = Optional.of(metrics);
    }

    @Override
    public void onEvaluation(EvaluationMetrics metrics) {
        validation = Optional.of(metrics);
    }

    /** Losses in nats. Without a step or validation, their fields are absent. */
    ObjectNode json() {
        ObjectNode json = Outcome.object();
        step.ifPresent(last -> {
            json.put("loss", last.loss());
            put(json.putObject("loss_by_domain"), last.lossByDomain());
            json.put("tokens", last.tokensSeen()).put("tokens_per_second", Math.rint(last.tokensPerSecond()));
        });
        validation.ifPresent(last -> {
            ObjectNode held = json.putObject("validation").put("step", last.step()).put("loss", last.loss());
            put(held.putObject("loss_by_domain"), last.lossByDomain());
            put(held.putObject("bits_per_byte"), last.bitsPerByteByDomain());
        });
        return json;
    }

    private static void put(ObjectNode object, Map<String, Double> values) {
        values.forEach(object::put);
    }
}
