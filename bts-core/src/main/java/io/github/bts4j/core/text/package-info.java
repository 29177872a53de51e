/**
 * The main entry point: {@link io.github.bts4j.core.text.TextModel} opens a checkpoint folder, a GGUF file or, with bts-stitch, a stitch checkpoint, and generates text.
 *
 * <pre>{@code
 * try (TextModel model = TextModel.open(Path.of("llama-3.2-1b-instruct"))) {
 *     System.out.println(model.generate("It is a truth", GenerationConfig.greedy(50)).text());
 *     System.out.println(model.chat(List.of(ChatMessage.user("Hello!")), GenerationConfig.greedy(50)).text());
 * }
 * }</pre>
 */
package io.github.bts4j.core.text;
