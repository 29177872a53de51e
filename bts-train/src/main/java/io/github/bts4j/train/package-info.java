/**
 * Training of experts and stitch layers.
 *
 * <p>{@link io.github.bts4j.train.optim.LearningRate} maps an optimizer step to a learning rate.
 * {@code train.data} turns text into the packed, weighted, restartable token sequences that a step reads;
import io.github.bts4j.train.optim.LearningRate;
 * {@code train.metrics} carries the numbers of a step to files, TensorBoard, logs and the terminal.
 */
package io.github.bts4j.train;
