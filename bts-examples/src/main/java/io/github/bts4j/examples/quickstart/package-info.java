/**
 * The quick start: pretrains a small seed, branches and trains three experts, stitches them, compares, generates and draws.
 *
 * <p>{@link io.github.bts4j.examples.quickstart.QuickStart} is the program, {@link io.github.bts4j.examples.quickstart.Recipe}
 * every number in it.
 */
package io.github.bts4j.examples.quickstart;
