package io.github.bts4j.train.stability;

import io.github.bts4j.train.metrics.Median;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;

/**
 * Detects loss spikes: a loss is a spike if it is above {@code median + 6 (1.4826 MAD + 0.001)} of the last 128 losses that were not (MAD is the
 * median absolute deviation; 1.4826 MAD estimates a standard deviation). A spike is over after 20 normal losses in a row. Not thread-safe.
 */
public final class SpikeDetector {
    private static final int WINDOW = 128;
    private static final int LEAST = 20;
    private static final int CLEAN_STEPS = 20;
    private static final double FACTOR = 6;
    private static final double NORMAL_MAD = 1.4826;
    private static final double FLOOR = 1e-3;

    private final Deque<Double> window = new ArrayDeque<>();
    private boolean inEvent;
    private int clean;

    /** Without losses. */
    public SpikeDetector() {
        // nothing to set up
    }

    /**
     * The detector's state.
     *
     * @param window the losses it compares with, oldest first
     * @param inEvent whether there is a spike at present
     * @param clean number of normal losses in a row
     */
    public record State(List<Double> window, boolean inEvent, int clean) {
        /** Creates a detector without history. */
        public static final State NEW = new State(List.of(), false, 0);
    }

    /**
     * Evaluates the next loss.
     *
     * @param loss nats per token; NaN counts as a spike
     * @return true if a spike begins here
     */
    public boolean observe(double loss) {
        boolean spike = !(loss <= limit());
        boolean begins = spike && !inEvent;
        if (spike) {
            inEvent = true;
            clean = 0;
            return begins;
        }
        window.addLast(loss);
        if (window.size() > WINDOW) {
            window.removeFirst();
        }
        clean = inEvent ? clean + 1 : 0;
        inEvent = inEvent && clean < CLEAN_STEPS;
        return false;
    }

    /** {@return the threshold, in nats per token, above which a loss is a spike; infinite until 20 losses have been seen} */
    public double limit() {
        if (window.size() < LEAST) {
            return Double.MAX_VALUE;
        }
        double median = Median.of(window.stream().mapToDouble(Double::doubleValue).toArray());
        double deviation = Median.of(window.stream().mapToDouble(loss -> Math.abs(loss - median)).toArray());
        return median + FACTOR * (NORMAL_MAD * deviation + FLOOR);
    }

    /** {@return the state to save} */
    public State state() {
        return new State(List.copyOf(window), inEvent, clean);
    }

    /**
     * Restores a state.
     *
     * @param state a result of {@link #state}
     */
    public void restore(State state) {
        window.clear();
        window.addAll(state.window());
        inEvent = state.inEvent();
        clean = state.clean();
    }
}
