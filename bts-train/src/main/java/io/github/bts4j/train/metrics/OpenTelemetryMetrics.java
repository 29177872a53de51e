package io.github.bts4j.train.metrics;

import io.opentelemetry.api.OpenTelemetry;
import io.opentelemetry.api.common.AttributeKey;
import io.opentelemetry.api.common.Attributes;
import io.opentelemetry.api.metrics.DoubleGauge;
import io.opentelemetry.api.metrics.Meter;
import java.util.HashMap;
import java.util.Map;

/**
 * Reports a run to OpenTelemetry, as gauges of the meter {@value #METER}: {@code bts4j.train.loss}, {@code bts4j.train.step} and so on, with the attribute {@value #RUN}; a domain's loss and bits per
 * byte are {@code bts4j.train.domain.loss}, {@code bts4j.eval.domain.loss} and {@code bts4j.eval.domain.bits_per_byte} with the attribute {@value #DOMAIN}. Messages, histograms and measurements by
 * tensor are not reported. What is collected, when and where to, the application's OpenTelemetry SDK decides.
 *
 * <p>Needs {@code io.opentelemetry:opentelemetry-api}, which this module does not bring along. Not thread-safe.
 */
public final class OpenTelemetryMetrics implements MetricsListener {
    /** The meter's name. */
    public static final String METER = "io.github.bts4j";

    /** The attribute with the run's name. */
    public static final String RUN = "bts4j.run";

    /** The attribute with a domain's name. */
    public static final String DOMAIN = "bts4j.domain";

    private final Meter meter;
    private final Attributes run;
    private final Map<String, DoubleGauge> gauges = new HashMap<>();

    /**
     * Reports a run.
     *
     * @param telemetry the application's OpenTelemetry, such as {@code GlobalOpenTelemetry.get()}; the caller closes it
     * @param run the run's name
     */
    public OpenTelemetryMetrics(OpenTelemetry telemetry, String run) {
        this.meter = telemetry.getMeter(METER);
        this.run = Attributes.of(AttributeKey.stringKey(RUN), run);
    }

    @Override
    public void onStep(StepMetrics metrics) {
        set("train.step", "{step}", metrics.step());
        set("train.loss", "{nat}", metrics.loss());
        set("train.grad_norm", "1", metrics.gradNorm());
        set("train.learning_rate", "1", metrics.learningRate());
        set("train.tokens_seen", "{token}", metrics.tokensSeen());
        set("train.tokens_per_second", "{token}/s", metrics.tokensPerSecond());
        setByDomain("train.domain.loss", "{nat}", metrics.lossByDomain());
        metrics.extra().forEach((name, value) -> set("train." + name, "1", value));
    }

    @Override
    public void onEvaluation(EvaluationMetrics metrics) {
        set("eval.step", "{step}", metrics.step());
        set("eval.loss", "{nat}", metrics.loss());
        setByDomain("eval.domain.loss", "{nat}", metrics.lossByDomain());
        setByDomain("eval.domain.bits_per_byte", "bit/By", metrics.bitsPerByteByDomain());
        metrics.extra().forEach((name, value) -> set("eval." + name, "1", value));
    }

    private void set(String name, String unit, double value) {
        gauge(name, unit).set(value, run);
    }

    private void setByDomain(String name, String unit, Map<String, Double> values) {
        values.forEach((domain, value) -> gauge(name, unit).set(value, run.toBuilder().put(DOMAIN, domain).build()));
    }

    /** OpenTelemetry allows letters, digits, and some signs. */
    private DoubleGauge gauge(String name, String unit) {
        return gauges.computeIfAbsent("bts4j." + name.replaceAll("[^A-Za-z0-9_./-]", "_"), clean -> meter.gaugeBuilder(clean).setUnit(unit).build());
    }
}
