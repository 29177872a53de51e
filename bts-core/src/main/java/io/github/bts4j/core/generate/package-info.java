/**
 * From logits to a stream of text: what to generate ({@link io.github.bts4j.core.generate.GenerationConfig}), which token comes next
 * ({@link io.github.bts4j.core.generate.Sampler}), where the text ends ({@link io.github.bts4j.core.generate.StopStrings},
 * {@link io.github.bts4j.core.generate.StopReason}) and what came out ({@link io.github.bts4j.core.generate.GeneratedToken},
 * {@link io.github.bts4j.core.generate.GenerationResult}). {@link io.github.bts4j.core.generate.Generator} runs a model over token ids; for texts, begin with
 * {@link io.github.bts4j.core.text.TextModel}.
 *
 * <p>The options mean what they mean in Hugging Face transformers, and are applied in its order: repetition penalty, temperature, top-k, top-p, min-p.
 * Each filter sees what the one before it has left, renormalised.
 */
package io.github.bts4j.core.generate;
