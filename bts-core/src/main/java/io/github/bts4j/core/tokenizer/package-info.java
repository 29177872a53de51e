/**
 * Text to token ids and back, over the Rust tokenizers library that Deep Java Library's {@code HuggingFaceTokenizer} binds.
 *
 * <p>{@link io.github.bts4j.core.tokenizer.LlamaTokenizer} reads the {@code tokenizer.json} of a Hugging Face checkpoint and gives the same ids as the Python
 * package {@code tokenizers}. It never truncates and never pads (the binding's defaults cut after 512 tokens), and it never touches the network.
 *
 * <p>Three ways to encode differ in how they treat special-token text such as {@code <|end|>} inside the string:
 * <ul>
 * <li>{@link io.github.bts4j.core.tokenizer.LlamaTokenizer#encode(String, boolean) encode(text)} turns it into the special token: for your
 * own text;</li>
 * <li>{@link io.github.bts4j.core.tokenizer.LlamaTokenizer#encodeOrdinary encodeOrdinary(text)} encodes it as ordinary characters: for untrusted text;</li>
 * <li>{@link io.github.bts4j.core.tokenizer.LlamaTokenizer#encode(java.util.List, boolean) encode(segments)} does the former inside a
 * template and the latter inside the content that fills it: for chat prompts.</li>
 * </ul>
 *
 * <p>{@link io.github.bts4j.core.tokenizer.IncrementalDecoder} turns generated ids into text pieces one by one, at a constant cost per token, and never splits a
 * character.
 */
package io.github.bts4j.core.tokenizer;
