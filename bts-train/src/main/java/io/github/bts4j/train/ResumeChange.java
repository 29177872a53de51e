package io.github.bts4j.train;

/** What may differ from the saved run when a run is resumed, if it is asked for. Other base models or stitch layouts never may. */
public enum ResumeChange {
    /** The configuration, the validation with it: learning rates, batch sizes, safeguards. The step and the data position go on from where they were. */
    CONFIGURATION,
    /** The data: the position goes on in the new datamix, whose sequences are others. */
    DATA
}
