package io.github.bts4j.train.metrics;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.opentelemetry.api.OpenTelemetry;
import io.opentelemetry.sdk.OpenTelemetrySdk;
import io.opentelemetry.sdk.metrics.SdkMeterProvider;
import io.opentelemetry.sdk.metrics.data.DoublePointData;
import io.opentelemetry.sdk.metrics.data.MetricData;
import io.opentelemetry.sdk.testing.exporter.InMemoryMetricReader;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;

/** What OpenTelemetry's own SDK collects. */
class OpenTelemetryMetricsTest {
    private static Map<String, Double> collected(InMemoryMetricReader reader) {
        Map<String, Double> all = new TreeMap<>();
        for (MetricData metric : reader.collectAllMetrics()) {
            assertEquals("io.github.bts4j", metric.getInstrumentationScopeInfo().getName());
            for (DoublePointData point : metric.getDoubleGaugeData().getPoints()) {
                all.put(metric.getName() + " [" + metric.getUnit() + "] " + List.copyOf(point.getAttributes().asMap().values()), point.getValue());
            }
        }
        return all;
    }

    @Test
    void theSdkCollectsEveryMeasurement() {
        InMemoryMetricReader reader = InMemoryMetricReader.create();
        try (SdkMeterProvider provider = SdkMeterProvider.builder().registerMetricReader(reader).build()) {
            OpenTelemetry telemetry = OpenTelemetrySdk.builder().setMeterProvider(provider).build();
            OpenTelemetryMetrics metrics = new OpenTelemetryMetrics(telemetry, "stitches");
            metrics.onStep(new StepMetrics(1, 4, 9, Map.of("code", 9.0), 1, 1, 50, 25, Map.of()));
            metrics.onStep(new StepMetrics(2, 4, 2.5, Map.of("code", 2.0, "math", 3.0), 1.5, 1e-3, 100, 50, Map.of("gate entropy?", 0.25)));
            metrics.onEvaluation(new EvaluationMetrics(2, 2.25, Map.of("code", 2.125), Map.of("code", 1.25), Map.of("gates", 0.5)));
            Map<String, Double> expected = new TreeMap<>(Map.of(
                    "bts4j.train.step [{step}] [stitches]", 2.0, "bts4j.train.loss [{nat}] [stitches]", 2.5, "bts4j.train.grad_norm [1] [stitches]", 1.5,
                    "bts4j.train.learning_rate [1] [stitches]", 1e-3, "bts4j.train.tokens_seen [{token}] [stitches]", 100.0, "bts4j.train.tokens_per_second [{token}/s] [stitches]", 50.0,
                    "bts4j.train.domain.loss [{nat}] [code, stitches]", 2.0, "bts4j.train.domain.loss [{nat}] [math, stitches]", 3.0, "bts4j.train.gate_entropy_ [1] [stitches]", 0.25));
            expected.putAll(Map.of("bts4j.eval.step [{step}] [stitches]", 2.0, "bts4j.eval.loss [{nat}] [stitches]", 2.25, "bts4j.eval.domain.loss [{nat}] [code, stitches]", 2.125,
                    "bts4j.eval.domain.bits_per_byte [bit/By] [code, stitches]", 1.25, "bts4j.eval.gates [1] [stitches]", 0.5));
            assertEquals(expected, collected(reader));
        }
    }
}
