/**
 * The Llama family: what a checkpoint's {@code config.json} says, and what follows from it before any weight is read.
 *
 * <p>{@link io.github.bts4j.core.llama.LlamaConfig} holds the sizes and switches of one decoder. It is read from and written to a
 * Hugging Face {@code config.json} in either spelling ({@code rope_theta}, {@code rope_scaling}, {@code torch_dtype}; or
 * {@code rope_parameters}, {@code dtype}). What bts4j cannot compute is refused by name, never skipped.
 *
 * <p>{@link io.github.bts4j.core.llama.RopeScaling} turns the rotary settings into inverse frequencies, and
 * {@link io.github.bts4j.core.llama.RopeTable} turns those into the cosines and sines of a range of positions, in the float32
 * arithmetic of Hugging Face transformers. {@link io.github.bts4j.core.llama.LlamaTensors} lists the tensors that a checkpoint of a
 * configuration must hold, counts its parameters without allocating any, and checks a file's table against it.
 * {@link io.github.bts4j.core.llama.LlamaPresets} are published configurations.
 *
 * <p>Everything here is immutable and may be shared between threads.
 */
package io.github.bts4j.core.llama;
