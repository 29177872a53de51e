/**
 * Products of matrices with a few vectors, by vector instructions of the CPU through {@code jdk.incubator.vector}.
 *
 * <p>With this module on the class path and {@code --add-modules jdk.incubator.vector} on the command line, models on the CPU decode through
 * {@link io.github.bts4j.core.rows}, near the speed of memory. Without the option they decode in libtorch, and a line in the log says so.
 */
package io.github.bts4j.vector;
