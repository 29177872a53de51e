package io.github.bts4j.train.stability;

import io.github.bts4j.train.metrics.HistogramMetrics;
import io.github.bts4j.train.metrics.TensorMetrics;
import io.github.bts4j.train.optim.AdamStatistics;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.ToDoubleFunction;
import java.util.stream.Stream;

/**
 * Evaluates the diagnostics of each tensor, step by step. The alarm rule was derived from the theory and checked only by simulation: WARN when D1 is below 10; WATCH when Q is
 * above 4 for 20 measurements, or the second moment is stale (D4); ALARM when saturation (D5) is above 0.3 and the valley (D6) deeper than 0.5 for 5 measurements in a row
 * and the update's size is more than twice its moving average (D11, over 200). The first 20 steps are not evaluated. Not thread-safe.
 */
public final class StabilityMonitor {
    private static final Map<String, ToDoubleFunction<AdamStatistics>> METRICS = new LinkedHashMap<>();

    static {
        METRICS.put("gradient_over_eps", AdamStatistics::gradientOverEps);
        METRICS.put("below_eps", AdamStatistics::belowEps);
        METRICS.put("variance_inflation", AdamStatistics::varianceInflation);
        METRICS.put("lag_one_correlation", AdamStatistics::lagOneCorrelation);
        METRICS.put("stale", statistics -> statistics.isStale() ? 1 : 0);
        METRICS.put("saturation", AdamStatistics::saturation);
        METRICS.put("valley_depth", AdamStatistics::valleyDepth);
        METRICS.put("momentum_alignment", AdamStatistics::momentumAlignment);
        METRICS.put("descent_alignment", AdamStatistics::descentAlignment);
        METRICS.put("update_rms", AdamStatistics::updateRms);
        METRICS.put("clipping_rms", AdamStatistics::clippingRms);
    }

    private static final int SKIPPED_STEPS = 20;
    private static final double LEAST_OVER_EPS = 10;
    private static final double MOST_INFLATION = 4;
    private static final int INFLATED_FOR = 20;
    private static final double MOST_SATURATION = 0.3;
    private static final double MOST_VALLEY = 0.5;
    private static final int BIMODAL_FOR = 5;
    private static final double MOST_JUMP = 2;
    private static final int AVERAGED = 200;
    private static final String JUMP = "update_jump";

    private final Map<String, Tensor> tensors = new TreeMap<>();
    private final Map<String, Double> jumps = new TreeMap<>(); // D11 of the last measurement

    /** Without measurements. */
    public StabilityMonitor() {
        // nothing to set up
    }

    /**
     * The state of one tensor.
     *
     * @param averageRms moving average of the update's size
     * @param measured how many measurements it averages
     * @param inflated number of measurements in a row with high Q
     * @param bimodal number of measurements in a row with a saturated update distribution with a valley
     */
    public record Tensor(double averageRms, long measured, int inflated, int bimodal) {
        static final Tensor NEW = new Tensor(0, 0, 0, 0);

        /** D11: how much larger the update is than its average, 1 at first. */
        double jump(double rms) {
            return averageRms > 0 ? rms / averageRms : 1;
        }

        Tensor after(AdamStatistics statistics) {
            double weight = 1.0 / Math.min(measured + 1, AVERAGED);
            boolean saturated = statistics.saturation() > MOST_SATURATION && statistics.valleyDepth() > MOST_VALLEY;
            return new Tensor(averageRms + weight * (statistics.updateRms() - averageRms), measured + 1,
                    statistics.varianceInflation() > MOST_INFLATION ? inflated + 1 : 0, saturated ? bimodal + 1 : 0);
        }
    }

    /**
     * The finding for one tensor.
     *
     * @param tensor its name
     * @param level its severity
     * @param reason the numbers
     */
    public record Finding(String tensor, StabilityLevel level, String reason) {}

    /**
     * Evaluates one step.
     *
     * @param step the step, from 1
     * @param measured statistics by tensor
     * @return all findings that are not {@link StabilityLevel#OK}, the worst first
     */
    public List<Finding> observe(long step, Map<String, AdamStatistics> measured) {
        List<Finding> findings = new ArrayList<>();
        jumps.clear();
        if (step <= SKIPPED_STEPS) {
            return findings;
        }
        measured.forEach((name, statistics) -> {
            if (statistics.active() > 0) {
                Tensor before = tensors.getOrDefault(name, Tensor.NEW);
                Tensor now = before.after(statistics);
                tensors.put(name, now);
                jumps.put(name, before.jump(statistics.updateRms()));
                judge(name, statistics, now, jumps.get(name), findings);
            }
        });
        findings.sort((a, b) -> b.level().compareTo(a.level()));
        return findings;
    }

    private static void judge(String name, AdamStatistics statistics, Tensor tensor, double jump, List<Finding> findings) {
        if (tensor.bimodal() >= BIMODAL_FOR && jump > MOST_JUMP) {
            findings.add(new Finding(name, StabilityLevel.ALARM, String.format(java.util.Locale.ROOT,
                    "saturation %.2f, valley %.2f, update %.1f times its average", statistics.saturation(), statistics.valleyDepth(), jump)));
        } else if (statistics.gradientOverEps() < LEAST_OVER_EPS) {
            findings.add(new Finding(name, StabilityLevel.WARN, String.format(java.util.Locale.ROOT, "gradients are %.2g times eps, %.0f %% of them below it",
                    statistics.gradientOverEps(), 100 * statistics.belowEps())));
        } else if (tensor.inflated() >= INFLATED_FOR || statistics.isStale()) {
            findings.add(new Finding(name, StabilityLevel.WATCH, String.format(java.util.Locale.ROOT, "successive gradients are correlated: Q = %.1f",
                    statistics.varianceInflation())));
        }
    }

    /**
     * The diagnostics as metrics, by group of tensors and for all together. {@code update_jump} (D11) is the largest of the group's tensors.
     *
     * @param measured the last measurements
     * @return names such as {@code adam/stitch.gate/variance_inflation} to values
     */
    public Map<String, Double> metrics(Map<String, AdamStatistics> measured) {
        Map<String, Double> metrics = new LinkedHashMap<>();
        groups(measured).forEach((group, statistics) -> values(statistics, jumpOf(group)).forEach((name, value) ->
                metrics.put("adam/" + group + "/" + name, value)));
        return metrics;
    }

    /**
     * The diagnostics of every tensor.
     *
     * @param step optimizer steps done
     * @param measured the last measurements
     * @return the metrics of each tensor, with the same names as for groups; none for a tensor that has had no gradient yet
     */
    public TensorMetrics tensorMetrics(long step, Map<String, AdamStatistics> measured) {
        Map<String, Map<String, Double>> byTensor = new LinkedHashMap<>();
        measured.forEach((tensor, statistics) -> {
            if (statistics.active() > 0) {
                byTensor.put(tensor, values(statistics, jumps.getOrDefault(tensor, 1.0)));
            }
        });
        return new TensorMetrics(step, byTensor);
    }

    private static Map<String, Double> values(AdamStatistics statistics, double jump) {
        Map<String, Double> values = new LinkedHashMap<>();
        METRICS.forEach((name, metric) -> values.put(name, metric.applyAsDouble(statistics)));
        values.put(JUMP, jump);
        return values;
    }

    private double jumpOf(String group) {
        return jumps.entrySet().stream().filter(jump -> group.equals("all") || group.equals(group(jump.getKey()))).mapToDouble(Map.Entry::getValue)
                .max().orElse(1);
    }

    /**
     * The names that {@link #metrics} gives, for listeners that must know them beforehand.
     *
     * @param tensors names of the trained tensors
     * @return names of metrics
     */
    public static List<String> metricNames(Collection<String> tensors) {
        return Stream.concat(Stream.of("all"), tensors.stream().map(StabilityMonitor::group)).distinct()
                .flatMap(group -> Stream.concat(METRICS.keySet().stream(), Stream.of(JUMP)).map(name -> "adam/" + group + "/" + name)).toList();
    }

    /**
     * The update distribution, that of r, by group of tensors and of all together.
     *
     * @param step optimizer steps done
     * @param measured statistics by tensor
     * @return histograms with names such as {@code adam/stitch.gate/update}
     */
    public static List<HistogramMetrics> histograms(long step, Map<String, AdamStatistics> measured) {
        return groups(measured).entrySet().stream().map(group -> new HistogramMetrics(step, "adam/" + group.getKey() + "/update",
                -group.getValue().histogramBound(), group.getValue().histogramBound(), group.getValue().histogram())).toList();
    }

    /**
     * The statistics of groups of tensors, and of all together. Tensors measured with other betas, eps or epsilon policy than the first of their group are in no group.
     *
     * @param measured statistics by tensor
     * @return {@code all}, then groups such as {@code stitch.gate}
     */
    public static Map<String, AdamStatistics> groups(Map<String, AdamStatistics> measured) {
        Map<String, AdamStatistics> groups = new LinkedHashMap<>();
        measured.forEach((name, statistics) -> {
            for (String group : List.of("all", group(name))) {
                groups.merge(group, statistics, (sum, next) -> sum.addsUpWith(next) ? sum.plus(next) : sum);
            }
        });
        return groups;
    }

    /** The name without numbers: {@code stitch.3.proj.1.weight} is of group {@code stitch.proj}. */
    static String group(String name) {
        return name.replaceAll("\\.\\d+(?=\\.|$)", "").replaceAll("\\.(weight|bias)$", "");
    }

    /** {@return the state to save, by tensor} */
    public Map<String, Tensor> state() {
        return new TreeMap<>(tensors);
    }

    /**
     * Restores a state.
     *
     * @param state a result of {@link #state}
     */
    public void restore(Map<String, Tensor> state) {
        tensors.clear();
        tensors.putAll(state);
    }
}
