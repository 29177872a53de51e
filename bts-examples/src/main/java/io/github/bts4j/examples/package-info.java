/** Runnable examples: one per phase (branch and train, stitch, generate) on real checkpoint folders. Nothing here is for reuse. */
package io.github.bts4j.examples;
