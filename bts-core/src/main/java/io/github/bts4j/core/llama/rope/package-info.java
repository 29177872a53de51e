/**
 * The rotary position embedding (arXiv 2104.09864) of Llama models and the ways to stretch it, in the float32 arithmetic of Hugging Face transformers.
 *
 * <p>{@link io.github.bts4j.core.llama.rope.Rope} holds a model's settings. {@link io.github.bts4j.core.llama.rope.RopeScaling} turns them into inverse frequencies, and
 * {@link io.github.bts4j.core.llama.rope.RopeTable} turns those into the cosines and sines of a range of positions. Everything here is immutable.
 */
package io.github.bts4j.core.llama.rope;
