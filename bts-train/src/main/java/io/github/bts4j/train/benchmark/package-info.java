/**
 * Measurements of this machine: training, prompts and decoding of a seed and of the stitched model of its experts, each beside the limit that the machine
 * sets it, which is measured in the same minute. {@link io.github.bts4j.train.benchmark.MachineBenchmark} runs all of them; {@code bts bench} prints them.
 */
package io.github.bts4j.train.benchmark;
