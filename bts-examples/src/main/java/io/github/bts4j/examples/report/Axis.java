package io.github.bts4j.examples.report;

import java.math.BigDecimal;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/**
 * Round values along an axis: multiples of 1, 2, 2.5 or 5 times a power of ten.
 *
 * @param from the smallest value
 * @param to the largest, above it
 * @param step the distance between two ticks
 */
record Axis(double from, double to, double step) {
    private static final double[] FACTORS = {1, 2, 2.5, 5, 10};
    private static final double SLACK = 1e-9;

    /** An axis over the range of the values; ticks are inside, with at most the given number of intervals. Values may be all the same. */
    static Axis within(double from, double to, int ticks) {
        double end = to - from > SLACK * Math.max(1, Math.abs(from)) ? to : from + 1;
        return new Axis(from, end, step(from, end, ticks));
    }

    /** An axis that begins and ends at a tick. */
    static Axis around(double from, double to, int ticks) {
        Axis within = within(from, to, ticks);
        double step = within.step();
        return new Axis(Math.floor(from / step + SLACK) * step, Math.ceil(within.to() / step - SLACK) * step, step);
    }

    /** The smallest round step that gives at most the given number of intervals. */
    private static double step(double from, double to, int most) {
        double power = Math.pow(10, Math.floor(Math.log10((to - from) / (most + 1))));
        for (double factor : FACTORS) {
            double step = factor * power;
            if (last(to, step) - first(from, step) <= most) {
                return step;
            }
        }
        return 20 * power;
    }

    private static long first(double from, double step) {
        return (long) Math.ceil(from / step - SLACK);
    }

    private static long last(double to, double step) {
        return (long) Math.floor(to / step + SLACK);
    }

    List<Double> ticks() {
        List<Double> ticks = new ArrayList<>();
        for (long i = first(from, step); i <= last(to, step); i++) {
            ticks.add(i * step);
        }
        return ticks;
    }

    /** A tick with as many decimals as the step has. */
    String label(double tick) {
        int decimals = Math.max(0, new BigDecimal(String.format(Locale.ROOT, "%.3g", step)).stripTrailingZeros().scale());
        return String.format(Locale.ROOT, "%,." + decimals + "f", tick);
    }
}
