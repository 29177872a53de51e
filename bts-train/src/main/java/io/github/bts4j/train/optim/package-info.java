/**
 * What turns gradients into weights: {@link io.github.bts4j.train.optim.AdamW} with its constants, parameter groups and statistics, the schedules of
 * {@link io.github.bts4j.train.optim.LearningRate}, clipping ({@link io.github.bts4j.train.optim.TensorClipping}, {@link io.github.bts4j.train.optim.ZClip}) and the
 * average of the weights. It knows nothing of runs and their safeguards.
 */
package io.github.bts4j.train.optim;
