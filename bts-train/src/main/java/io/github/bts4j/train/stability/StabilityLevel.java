package io.github.bts4j.train.stability;

/** The severity of a finding about one tensor, in ascending order. */
public enum StabilityLevel {
    /** Nothing unusual. */
    OK,
    /** Successive gradients have been correlated for 20 measurements, or the second moment lags behind. */
    WATCH,
    /** Gradients are less than ten times eps: the condition under which the instability begins. */
    WARN,
    /** The update distribution has turned bimodal for 5 measurements while updates are twice their usual size: the instability itself. */
    ALARM
}
