/**
 * The Llama family: a checkpoint's {@code config.json}, and what follows from it before any weight is read.
 *
 * <p>{@link io.github.bts4j.core.llama.LlamaConfig} holds the sizes and switches of one decoder. It is read from and written to a
 * Hugging Face {@code config.json} in either spelling ({@code rope_theta}, {@code rope_scaling}, {@code torch_dtype}; or
 * {@code rope_parameters}, {@code dtype}). Unsupported features are refused by name, never ignored.
 *
 * <p>{@link io.github.bts4j.core.llama.LlamaTensors} lists the tensors that a checkpoint of a configuration must hold, counts its parameters without allocating
 * any, and checks a file's table against it. {@link io.github.bts4j.core.llama.LlamaPresets} are published configurations. What follows from the rotary
 * settings is in {@link io.github.bts4j.core.llama.rope}; the models themselves are in {@link io.github.bts4j.core.torch.llama}. This package does not depend
 * on a tensor library.
 *
 * <p>Everything here is immutable and may be shared between threads.
 */
package io.github.bts4j.core.llama;
