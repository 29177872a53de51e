/**
 * From logits to a stream of text: the options ({@link io.github.bts4j.core.generate.GenerationConfig}), the choice of the next token
 * ({@link io.github.bts4j.core.generate.Sampler}), the reason why the text ended
 * ({@link io.github.bts4j.core.generate.StopReason}) and the result ({@link io.github.bts4j.core.generate.GeneratedToken},
 * {@link io.github.bts4j.core.generate.GenerationResult}). {@link io.github.bts4j.core.generate.Generator} runs a model on token ids; for texts, start with
 * {@link io.github.bts4j.core.text.TextModel}.
 *
 * <p>The options have the same meaning as in Hugging Face transformers, and are applied in the same order: repetition penalty, temperature, top-k, top-p, min-p.
 * Each filter is applied to the renormalised result of the one before.
 */
package io.github.bts4j.core.generate;
