package io.github.bts4j.core.llama;

/** Whether weight matrices are copied into the Java heap, in the order in which bts-vector reads them fastest. */
public enum Repacking {
    /** For models below 32 MiB, if there is enough memory. */
    AUTOMATIC,
    /** Always; loading fails if it is not possible. */
    ALWAYS,
    /** Never: the matrices stay where they are. */
    NEVER
}
