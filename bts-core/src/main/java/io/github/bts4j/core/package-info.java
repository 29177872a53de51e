/**
 * What all models share: {@link io.github.bts4j.core.CausalLm}, a language model seen from outside, and
 * {@link io.github.bts4j.core.DecodeSession}, one sequence being decoded with its KV caches.
 *
 * <p>{@link io.github.bts4j.core.FrozenLm} adds DJL's {@code ai.djl.Model}. One Llama is {@link io.github.bts4j.core.llama.LlamaModel}.
 */
package io.github.bts4j.core;
