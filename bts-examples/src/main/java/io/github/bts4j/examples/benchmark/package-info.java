/** Benchmarks that print figures; nothing asserts a speed. {@link io.github.bts4j.examples.benchmark.StitchBenchmark} measures what the Python peer measures. */
package io.github.bts4j.examples.benchmark;
