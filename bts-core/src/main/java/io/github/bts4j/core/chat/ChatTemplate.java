package io.github.bts4j.core.chat;
import io.github.bts4j.core.ChatTemplateException;
import io.github.bts4j.core.chat.jinja.JinjaTemplate;
import io.github.bts4j.core.checkpoint.ModelFormatException;
import io.github.bts4j.core.support.Hashes;
import io.github.bts4j.core.tokenizer.LlamaTokenizer;
import io.github.bts4j.core.tokenizer.PromptSegment;
import io.github.bts4j.core.tokenizer.TokenOffsets;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;

/**
 * Turns a conversation into a prompt in the format that the model was trained with.
 *
 * <p>Templates are Jinja, rendered as transformers' {@code apply_chat_template} renders them: jinja2's language with {@code trim_blocks},
 * {@code lstrip_blocks}, {@code break}, {@code continue} and {@code generation}, Python's values, and {@code messages}, {@code tools}, {@code documents},
 * {@code add_generation_prompt}, the special tokens, {@code raise_exception}, {@code strftime_now} and the request's own arguments. A template has access only to plain
 * maps, lists, strings, numbers and booleans. Its steps, nesting and memory are limited (20 MiB of values, and more for long
 * conversations). Errors are {@link ChatTemplateException}s with line and column.
 *
 * <p>A checkpoint may have several templates: {@code tool_use} is used if there are tools, else {@code default}; {@link #named} selects another.
 *
 * <p>Immutable and thread-safe.
 */
public final class ChatTemplate {
    private static final String DEFAULT = "default";
    private static final String TOOL_USE = "tool_use";

    private final Map<String, TemplateSource> sources;
    private final Map<String, String> specialTokens;

    private ChatTemplate(Map<String, TemplateSource> sources, Map<String, String> specialTokens) {
        this.sources = sources;
        this.specialTokens = specialTokens;
    }

    /**
     * A template from its text.
     *
     * @param jinja the template
     * @param bosToken the begin token's text, empty if there is none
     * @param eosToken the end token's text, empty if there is none
     * @return the template
     */
    public static ChatTemplate jinja(String jinja, String bosToken, String eosToken) {
        Map<String, String> tokens = new LinkedHashMap<>();
        tokens.put("bos_token", bosToken);
        tokens.put("eos_token", eosToken);
        tokens.values().removeIf(String::isEmpty);
        return jinja(jinja, tokens);
    }

    /**
     * A template from its text.
     *
     * @param jinja the template
     * @param specialTokens the texts of special tokens by their names in the template, such as {@code bos_token}
     * @return the template
     */
    public static ChatTemplate jinja(String jinja, Map<String, String> specialTokens) {
        return new ChatTemplate(Map.of(DEFAULT, new TemplateSource(Objects.requireNonNull(jinja, "jinja"))), Map.copyOf(specialTokens));
    }

    /**
     * A checkpoint's templates: {@code chat_template.jinja} and {@code additional_chat_templates}, or else {@code chat_template} in
     * {@code tokenizer_config.json}; in a GGUF file {@code tokenizer.chat_template} and those beside it.
     *
     * @param folder the checkpoint's folder, or a GGUF file
     * @return the template
     * @throws IllegalArgumentException if the checkpoint has none
     * @throws ModelFormatException if tokenizer_config.json is malformed
     * @throws IOException if a file cannot be read
     */
    public static ChatTemplate of(Path folder) throws IOException {
        TemplateFiles files = TemplateFiles.read(folder);
        Map<String, TemplateSource> sources = new LinkedHashMap<>();
        files.templates().forEach((name, text) -> sources.put(name, new TemplateSource(text)));
        return new ChatTemplate(sources, files.specialTokens());
    }

    /**
     * The text of a checkpoint's default template.
     *
     * @param folder the checkpoint's folder, or a GGUF file
     * @return the Jinja text, or empty if there is none
     * @throws IOException if a file cannot be read
     * @throws io.github.bts4j.core.checkpoint.ModelFormatException if a file is malformed
     */
    public static Optional<String> source(Path folder) throws IOException {
        try {
            return Optional.ofNullable(TemplateFiles.read(folder).templates().get(DEFAULT));
        } catch (IllegalArgumentException e) { // it has none
            return Optional.empty();
        }
    }

    /**
     * Another template for a checkpoint, with the checkpoint's special tokens.
     *
     * @param folder the checkpoint's folder, or a GGUF file
     * @param jinja the template
     * @return the template
     * @throws ModelFormatException if tokenizer_config.json is malformed
     * @throws IOException if a file cannot be read
     */
    public static ChatTemplate of(Path folder, String jinja) throws IOException {
        return jinja(jinja, TemplateFiles.specialTokens(folder));
    }

    /** {@return the names of the templates; a single one is called {@code default}} */
    public Set<String> names() {
        return Set.copyOf(sources.keySet());
    }

    /**
     * One of several templates.
     *
     * @param name its name
     * @return the template
     * @throws IllegalArgumentException if there is none of this name
     */
    public ChatTemplate named(String name) {
        TemplateSource source = sources.get(name);
        if (source == null) {
            throw new IllegalArgumentException("There is no chat template '" + name + "', there are " + sources.keySet());
        }
        return new ChatTemplate(Map.of(DEFAULT, source), specialTokens);
    }

    /**
     * How a model with this template writes calls of tools.
     *
     * @return the format; empty if the template has no tools, or another format
     */
    public Optional<ToolFormat> toolFormat() {
        TemplateSource source = sources.getOrDefault(TOOL_USE, sources.get(DEFAULT));
        return source == null ? Optional.empty() : ToolFormat.of(source.text());
    }

    /**
     * {@return Llama 2's format (arXiv 2307.09288, appendix A): {@code <s>[INST] <<SYS>>\n{system}\n<</SYS>>\n\n{user} [/INST]
     * {assistant} </s>}, and so on}
     */
    public static ChatTemplate llama2() {
        return jinja(resource("llama2.jinja"), "<s>", "</s>");
    }

    /**
     * {@return Llama 3's format: {@code <|begin_of_text|>}, then {@code
     * <|start_header_id|>{role}<|end_header_id|>\n\n{content}<|eot_id|>} for every message}
     */
    public static ChatTemplate llama3() {
        return jinja(resource("llama3.jinja"), "<|begin_of_text|>", "<|end_of_text|>");
    }

    /**
     * The prompt as text. For generation use {@link #encode}: in this text, special-token text of a message cannot be distinguished from the template's.
     *
     * @param messages the conversation, at least one message
     * @param addGenerationPrompt whether to add the generation prompt, if the template has one
     * @return the text
     * @throws IllegalArgumentException if there is no message
     * @throws ChatTemplateException if the template fails or refuses the conversation
     */
    public String render(List<ChatMessage> messages, boolean addGenerationPrompt) {
        return render(ChatRequest.ofMessages(messages).withGenerationPrompt(addGenerationPrompt)).text();
    }

    /**
     * The prompt as text, with the parts that are the assistant's.
     *
     * @param request the conversation and other arguments
     * @return the text
     * @throws IllegalArgumentException if the request cannot be fulfilled
     * @throws ChatTemplateException if the template fails or refuses it
     */
    public RenderedChat render(ChatRequest request) {
        TemplateSource source = source(request);
        ContinuedMessage continued = ContinuedMessage.of(request, source.text());
        Map<String, Object> variables = new HashMap<>(specialTokens);
        variables.putAll(request.arguments());
        variables.put("messages", continued.messages());
        JinjaTemplate.Rendering rendering = source.template().render(variables, request.clock());
        List<RenderedChat.Span> spans = new ArrayList<>();
        for (int i = 0; i < rendering.generated().size(); i += 2) {
            spans.add(new RenderedChat.Span(rendering.generated().get(i), rendering.generated().get(i + 1)));
        }
        return new RenderedChat(continued.cut(rendering.text()), spans);
    }

    private TemplateSource source(ChatRequest request) {
        if (request.hasTools() && sources.containsKey(TOOL_USE)) {
            return sources.get(TOOL_USE);
        }
        TemplateSource source = sources.get(DEFAULT);
        if (source == null) {
            throw new IllegalArgumentException("The checkpoint has several chat templates, " + sources.keySet() + ", and none called 'default': name one");
        }
        return source;
    }

    /**
     * The prompt as token ids, for {@code Generator.stream}. Special tokens only come from the template: {@code <|eot_id|>} inside a message is
     * ordinary text. There is a begin token if the template writes it.
     *
     * @param tokenizer the model's tokenizer
     * @param messages the conversation, at least one message
     * @param addGenerationPrompt whether to add the generation prompt, if the template has one
     * @return the ids
     * @throws IllegalArgumentException if there is no message
     * @throws ChatTemplateException if the template fails or refuses the conversation
     */
    public int[] encode(LlamaTokenizer tokenizer, List<ChatMessage> messages, boolean addGenerationPrompt) {
        return encode(tokenizer, ChatRequest.ofMessages(messages).withGenerationPrompt(addGenerationPrompt));
    }

    /**
     * The prompt as token ids. Special tokens only come from the template, not from texts in the request.
     *
     * @param tokenizer the model's tokenizer
     * @param request the conversation and other arguments
     * @return the ids
     * @throws IllegalArgumentException if the request cannot be fulfilled
     * @throws ChatTemplateException if the template fails or refuses it
     */
    public int[] encode(LlamaTokenizer tokenizer, ChatRequest request) {
        return tokenizer.encode(segments(tokenizer, request, render(request).text()), false);
    }

    /**
     * The prompt as token ids, with the tokens that are the assistant's: those that overlap with the output of the template's {@code generation} blocks.
     *
     * @param tokenizer the model's tokenizer
     * @param request the conversation and other arguments
     * @return the ids, and which of them are the assistant's
     * @throws IllegalArgumentException if the request cannot be fulfilled
     * @throws ChatTemplateException if the template fails or refuses it
     */
    public EncodedChat encodeWithAssistant(LlamaTokenizer tokenizer, ChatRequest request) {
        RenderedChat rendered = render(request);
        return encoded(tokenizer, request, rendered.text(), rendered.assistant());
    }

    /**
     * A whole conversation as token ids, for training, and which of them are the assistant's: those that overlap with what the template's {@code generation}
     * blocks wrote. Where a template has no such blocks, what each message of the assistant adds to the prompt before it, including the end token and whatever else the template
     * writes after it.
     *
     * @param tokenizer the model's tokenizer
     * @param request the conversation and other arguments; without a generation prompt
     * @param from number of the first message, from 0, that may be learnt from; those before it are a prompt
     * @return the ids, and which of them are the assistant's
     * @throws IllegalArgumentException if the request cannot be fulfilled, or has no such message
     * @throws io.github.bts4j.core.MismatchException if the template fails or refuses the conversation, or has no {@code generation} block and renders the
     *     beginning of the conversation in another way than all of it
     */
    public EncodedChat encodeForTraining(LlamaTokenizer tokenizer, ChatRequest request, int from) {
        Objects.checkIndex(from, request.messages().size());
        ChatRequest whole = request.withGenerationPrompt(false);
        RenderedChat rendered = render(whole);
        AssistantSpans spans = new AssistantSpans(whole, beginning -> render(beginning).text());
        return encoded(tokenizer, whole, rendered.text(), source(whole).marksAssistant() ? spans.ofMarks(rendered.text(), rendered.assistant(), from)
                : spans.byPrefix(rendered.text(), from));
    }

    private EncodedChat encoded(LlamaTokenizer tokenizer, ChatRequest request, String text, List<RenderedChat.Span> spans) {
        TokenOffsets tokens = tokenizer.encodeWithOffsets(segments(tokenizer, request, text));
        boolean[] assistant = new boolean[tokens.ids().length];
        int span = 0;
        for (int i = 0; i < assistant.length; i++) {
            while (span < spans.size() && tokens.begins()[i] >= spans.get(span).end()) {
                span++;
            }
            assistant[i] = span < spans.size() && tokens.ends()[i] > spans.get(span).begin();
        }
        return new EncodedChat(tokens.ids(), assistant);
    }

    /** {@return the SHA-256, in lower-case hexadecimal digits, that identifies the templates and the special tokens that they write} */
    public String sha256() {
        Map<String, String> texts = new TreeMap<>();
        sources.forEach((name, source) -> texts.put(name, source.text()));
        return Hashes.sha256(texts + "\n" + new TreeMap<>(specialTokens));
    }

    private List<PromptSegment> segments(LlamaTokenizer tokenizer, ChatRequest request, String text) {
        Markers markers = new Markers(tokenizer);
        ChatRequest marked = request.mapped(markers::mark);
        return markers.found() ? markers.segments(text, render(marked).text()) : List.of(PromptSegment.template(text));
    }

    private static String resource(String name) {
        try (InputStream in = Objects.requireNonNull(ChatTemplate.class.getResourceAsStream(name), name)) {
            return new String(in.readAllBytes(), StandardCharsets.UTF_8);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
