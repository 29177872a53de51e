package io.github.bts4j.train.optim;

import java.util.ArrayList;
import java.util.List;

/**
 * ZClip (Kumar et al., arXiv 2504.02507): limits the global gradient norm if it is an outlier among previous norms. With mean and standard deviation of a moving
 * average over clipped norms, a norm of z-score {@code z > threshold} is clipped to {@code mean + threshold^2 / z * deviation}. The first norms are only
 * collected. Not thread-safe.
 */
public final class ZClip {
    /** The authors' z-score above which a norm is an outlier. */
    public static final double THRESHOLD = 2.5;

    private static final double DECAY = 0.97;
    private static final int WARMUP = 25;
    private static final double TINY = 1e-6;

    private final double threshold;
    private State state = State.NEW;

    /**
     * The saved state.
     *
     * @param first the norms of the beginning, until there are 25
     * @param mean moving average of the norms
     * @param variance moving average of their squared deviation
     */
    public record State(List<Double> first, double mean, double variance) {
        /** Empty. */
        public static final State NEW = new State(List.of(), 0, 0);
    }

    /**
     * Creates it without history.
     *
     * @param threshold the z-score above which a norm is an outlier
     */
    public ZClip(double threshold) {
        this.threshold = threshold;
    }

    /**
     * Evaluates the next norm.
     *
     * @param norm the global 2-norm of the gradient
     * @return the value to clip it to; the norm itself if it is not an outlier
     */
    public double limit(double norm) {
        if (state.first().size() < WARMUP) {
            collect(norm);
            return norm;
        }
        double deviation = Math.sqrt(state.variance());
        double z = (norm - state.mean()) / (deviation + TINY);
        double limit = z > threshold ? state.mean() + threshold * threshold / z * deviation : norm;
        double mean = DECAY * state.mean() + (1 - DECAY) * limit;
        state = new State(state.first(), mean, DECAY * state.variance() + (1 - DECAY) * (limit - mean) * (limit - mean));
        return limit;
    }

    private void collect(double norm) {
        List<Double> first = new ArrayList<>(state.first());
        first.add(norm);
        double mean = first.stream().mapToDouble(Double::doubleValue).average().orElseThrow();
        double variance = first.stream().mapToDouble(value -> (value - mean) * (value - mean)).average().orElseThrow();
        state = new State(List.copyOf(first), mean, variance);
    }

    /** {@return the state to save} */
    public State state() {
        return state;
    }

    /**
     * Restores a state.
     *
     * @param saved a result of {@link #state}
     */
    public void restore(State saved) {
        state = saved;
    }
}
