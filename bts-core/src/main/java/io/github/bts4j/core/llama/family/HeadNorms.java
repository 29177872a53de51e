package io.github.bts4j.core.llama.family;

/** The norms of queries and keys, before they are rotated. */
public enum HeadNorms {
    /** None. */
    NONE,
    /** Of each head by itself, with one weight {@code [head_dim]} for all. */
    EACH_HEAD,
    /** Of all heads together. */
    ALL_HEADS
}
