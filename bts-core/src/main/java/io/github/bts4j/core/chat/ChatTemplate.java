package io.github.bts4j.core.chat;

import io.github.bts4j.core.checkpoint.ModelFormatException;
import io.github.bts4j.core.tokenizer.LlamaTokenizer;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.Objects;

/**
 * Turns a conversation into a prompt, as the model was trained to read it.
 *
 * <p>Templates are Jinja, rendered by Jinjava with what transformers' {@code apply_chat_template} gives them: {@code messages},
 * {@code add_generation_prompt}, {@code bos_token}, {@code eos_token}, {@code raise_exception}, {@code strftime_now}, {@code trim_blocks}
 * and {@code lstrip_blocks}; {@code tools} and {@code documents} are none. A template sees plain maps, lists and strings, and writes at most
 * {@value JinjaTemplate#MAX_OUTPUT} characters. {@code ==}, {@code !=}, {@code in}, {@code not in} and the tests {@code eq}, {@code equalto},
 * {@code ne} and {@code in} compare as in Python, and refuse what Python refuses; an unset name is Undefined to them, but None once it is stored in a
 * variable or a list. {@code not} and chains of comparisons are read as in jinja2. {@code <} and {@code >} convert as Jinjava does.
 *
 * <p>Immutable and thread-safe.
 */
public final class ChatTemplate {
    private final JinjaTemplate template;

    private ChatTemplate(JinjaTemplate template) {
        this.template = template;
    }

    /**
     * A template from its text.
     *
     * @param jinja the template
     * @param bosToken the begin-of-text token's text, empty where there is none
     * @param eosToken the end-of-text token's text, empty where there is none
     * @return the template
     */
    public static ChatTemplate jinja(String jinja, String bosToken, String eosToken) {
        return new ChatTemplate(new JinjaTemplate(Objects.requireNonNull(jinja, "jinja"), bosToken, eosToken));
    }

    /**
     * A checkpoint's own template: {@code chat_template.jinja}, or else {@code chat_template} in {@code tokenizer_config.json} (of several, the one
     * called {@code default}); in a GGUF file {@code tokenizer.chat_template}.
     *
     * @param folder the checkpoint's folder, or a GGUF file
     * @return the template
     * @throws IllegalArgumentException if the checkpoint has none
     * @throws ModelFormatException if tokenizer_config.json cannot be understood
     * @throws IOException if a file cannot be read
     */
    public static ChatTemplate of(Path folder) throws IOException {
        TemplateFiles files = TemplateFiles.read(folder);
        return jinja(files.template(), files.bosToken(), files.eosToken());
    }

    /**
     * Llama 2's format (arXiv 2307.09288, appendix A): {@code <s>[INST] <<SYS>>\n{system}\n<</SYS>>\n\n{user} [/INST] {assistant} </s>}, and so on.
     *
     * @return the template
     */
    public static ChatTemplate llama2() {
        return jinja(resource("llama2.jinja"), "<s>", "</s>");
    }

    /**
     * Llama 3's format: {@code <|begin_of_text|>}, then {@code <|start_header_id|>{role}<|end_header_id|>\n\n{content}<|eot_id|>} for every message.
     *
     * @return the template
     */
    public static ChatTemplate llama3() {
        return jinja(resource("llama3.jinja"), "<|begin_of_text|>", "<|end_of_text|>");
    }

    /**
     * The prompt as text. For the model use {@link #encode}: in this text, special-token text of a message cannot be told from the template's.
     *
     * @param messages the conversation, at least one message
     * @param addGenerationPrompt whether the beginning of the assistant's answer follows, in templates that have one
     * @return the text
     * @throws IllegalArgumentException if there is no message, or the template is faulty or refuses the conversation
     */
    public String render(List<ChatMessage> messages, boolean addGenerationPrompt) {
        return template.render(messages, addGenerationPrompt);
    }

    /**
     * The prompt as token ids, for {@code Generator.stream}. Special tokens come from the template alone: {@code <|eot_id|>} inside a message is
     * ten characters. The begin-of-text token is there if the template writes it.
     *
     * @param tokenizer the model's tokenizer
     * @param messages the conversation, at least one message
     * @param addGenerationPrompt whether the beginning of the assistant's answer follows, in templates that have one
     * @return the ids
     * @throws IllegalArgumentException if there is no message, or the template is faulty or refuses the conversation
     */
    public int[] encode(LlamaTokenizer tokenizer, List<ChatMessage> messages, boolean addGenerationPrompt) {
        Markers markers = new Markers(tokenizer);
        List<ChatMessage> marked = messages.stream().map(message -> new ChatMessage(message.role(), markers.mark(message.content()))).toList();
        return tokenizer.encode(markers.segments(render(marked, addGenerationPrompt)), false);
    }

    private static String resource(String name) {
        try (InputStream in = Objects.requireNonNull(ChatTemplate.class.getResourceAsStream(name), name)) {
            return new String(in.readAllBytes(), StandardCharsets.UTF_8);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
