package io.github.bts4j.train;

/** What may change when a run is resumed, if requested. Base models and the layout of stitches can never change. */
public enum ResumeChange {
    /** The configuration and validation: learning rates, batch sizes, safeguards. The step and the data position continue from the saved ones. */
    CONFIGURATION,
    /** The data: the position continues in the new datamix, which has different sequences. */
    DATA
}
