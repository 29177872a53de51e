package io.github.bts4j.core.llama;

/** Whether weight matrices are copied into the Java heap, in the order in which bts-vector reads them fastest. */
public enum Repacking {
    /** Those of models below 32 MiB, where there is room. */
    AUTOMATIC,
    /** In any case; loading fails where it cannot be done. */
    ALWAYS,
    /** Not at all: the matrices stay where they are. */
    NEVER
}
