package io.github.bts4j.train.metrics;

import java.util.Locale;
import java.util.Map;
import java.util.stream.Collectors;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Logs at level INFO: one line every few steps, and one for each evaluation and message. */
public final class LoggingListener implements MetricsListener {

    private final Logger log;
    private final long everySteps;

    /**
     * Logs to a given logger.
     *
     * @param log the logger
     * @param everySteps steps from one line to the next, 1 or more; the last step is always logged
     * @throws IllegalArgumentException if {@code everySteps} is less than 1
     */
    public LoggingListener(Logger log, long everySteps) {
        if (everySteps < 1) {
            throw new IllegalArgumentException("everySteps = " + everySteps + " must be at least 1");
        }
        this.log = log;
        this.everySteps = everySteps;
    }

    /**
     * Logs to the logger of this class.
     *
     * @param everySteps steps from one line to the next, 1 or more; the last step is always logged
     * @throws IllegalArgumentException if {@code everySteps} is less than 1
     */
    public LoggingListener(long everySteps) {
        this(LoggerFactory.getLogger(LoggingListener.class), everySteps);
    }

    @Override
    public void onStep(StepMetrics metrics) {
        if (metrics.step() % everySteps == 0 || metrics.step() == metrics.totalSteps()) {
            log.info("step {}/{} loss {}{} grad norm {} lr {} tokens {} tok/s {}{}", metrics.step(),
                    metrics.totalSteps(), number(metrics.loss()), inBrackets(metrics.lossByDomain()),
                    number(metrics.gradNorm()), String.format(Locale.ROOT, "%.3e", metrics.learningRate()),
                    metrics.tokensSeen(), String.format(Locale.ROOT, "%.0f", metrics.tokensPerSecond()),
                    inBrackets(metrics.extra()));
        }
    }

    @Override
    public void onEvaluation(EvaluationMetrics metrics) {
        log.info("evaluation at step {} loss {}{} bits per byte{}{}", metrics.step(), number(metrics.loss()),
                inBrackets(metrics.lossByDomain()), inBrackets(metrics.bitsPerByteByDomain()),
                inBrackets(metrics.extra()));
    }

    @Override
    public void onMessage(String message) {
        log.info("{}", message);
    }

    private static String inBrackets(Map<String, Double> values) {
        return values.isEmpty() ? "" : values.entrySet().stream()
                .map(entry -> entry.getKey() + " " + number(entry.getValue()))
                .collect(Collectors.joining(", ", " (", ")"));
    }

    private static String number(double value) {
        return String.format(Locale.ROOT, "%.4f", value);
    }
}
