/**
 * Checkpoints on the disk: safetensors files and shards, read without trust and written so that they appear whole or not at all.
 *
 * <p>{@link io.github.bts4j.core.checkpoint.Checkpoint} is a table of contents; {@link io.github.bts4j.core.checkpoint.TensorLoader}
 * maps its tensors; {@link io.github.bts4j.core.checkpoint.TensorFiles} reads and writes whole files;
 * {@link io.github.bts4j.core.checkpoint.ModelFingerprint} is the SHA-256 of every file that defines a model. A malformed file
 * gives a {@link io.github.bts4j.core.checkpoint.ModelFormatException} that names file, tensor and offset.
 */
package io.github.bts4j.core.checkpoint;
