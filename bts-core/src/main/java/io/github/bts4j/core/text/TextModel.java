package io.github.bts4j.core.text;

import io.github.bts4j.core.CausalLm;
import io.github.bts4j.core.GatedLm;
import io.github.bts4j.core.Lifetime;
import io.github.bts4j.core.UnsupportedException;
import io.github.bts4j.core.chat.ChatMessage;
import io.github.bts4j.core.chat.ChatRequest;
import io.github.bts4j.core.chat.ChatTemplate;
import io.github.bts4j.core.generate.GatedStream;
import io.github.bts4j.core.generate.GenerationConfig;
import io.github.bts4j.core.generate.GenerationResult;
import io.github.bts4j.core.generate.Generator;
import io.github.bts4j.core.generate.TokenScore;
import io.github.bts4j.core.generate.TokenStream;
import io.github.bts4j.core.support.ThreadOfItsOwn;
import io.github.bts4j.core.tokenizer.IncrementalDecoder;
import io.github.bts4j.core.tokenizer.LlamaTokenizer;
import io.github.bts4j.core.torch.llama.LoadOptions;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * A language model for texts: a model with its tokenizer, chat template and end tokens.
 *
 * <p>Thread-safe: many threads may use one model, and each generation has its own KV cache. Closing it also closes the model and the tokenizer:
 * {@link #close} refuses new calls, waits for running ones and frees. After that, every method that computes throws {@link IllegalStateException},
 * and so do streams that are still open: "This model is closed".
 */
public final class TextModel implements AutoCloseable {
    private final Generator generator;
    private final CausalLm model;
    private final LlamaTokenizer tokenizer;
    private final ChatTemplateSource chat;
    private final Set<Integer> endTokens;
    private final Lifetime lifetime;
    private final Runnable release;

    private TextModel(CausalLm model, LlamaTokenizer tokenizer, ChatTemplateSource chat, Set<Integer> endTokens, Lifetime lifetime, Runnable release) {
        this.model = model;
        this.tokenizer = tokenizer;
        this.chat = chat;
        this.endTokens = endTokens;
        this.lifetime = lifetime;
        this.release = release;
        this.generator = new Generator(model, tokenizer, endTokens, lifetime);
    }

    /**
     * Opens a model on the CPU, in the precision of its files.
     *
     * @param path a checkpoint folder, a GGUF file or a stitch checkpoint's folder, as for {@link #open(Path, LoadOptions)}
     * @return the model, which the caller closes
     * @throws IOException as for {@link #open(Path, LoadOptions)}
     */
    public static TextModel open(Path path) throws IOException {
        return open(path, LoadOptions.defaults());
    }

    /**
     * Opens a model.
     *
     * @param path a checkpoint folder in Hugging Face's layout, a GGUF file or, with bts-stitch on the class path, a stitch checkpoint's folder
     * @param options device and precision
     * @return the model, which the caller closes
     * @throws IOException if a file cannot be read
     * @throws IllegalArgumentException if the path does not exist
     * @throws io.github.bts4j.core.checkpoint.ModelFormatException if a file is malformed, or model and tokenizer do not fit
     * @throws UnsupportedException if bts-stitch is required and missing
     */
    public static TextModel open(Path path, LoadOptions options) throws IOException {
        ModelSource.Loaded loaded = ThreadOfItsOwn.call("bts4j-open", () -> ModelSource.load(path, options));
        try {
            LlamaTokenizer tokenizer = LlamaTokenizer.open(loaded.files());
            return owning(loaded.model(), tokenizer, ChatTemplateSource.in(loaded.files()));
        } catch (RuntimeException e) {
            loaded.model().close();
            throw e;
        }
    }

    /**
     * Combines a model and its tokenizer, for example after training.
     *
     * @param model the model; closed with the result
     * @param tokenizer the tokenizer it was trained with; closed with the result
     * @return the text model, without a chat template
     */
    public static TextModel of(CausalLm model, LlamaTokenizer tokenizer) {
        return owning(model, tokenizer, ChatTemplateSource.none());
    }

    private static TextModel owning(CausalLm model, LlamaTokenizer tokenizer, ChatTemplateSource chat) {
        return new TextModel(model, tokenizer, chat, model.endTokens(), Lifetime.shared("model"), () -> {
            model.close();
            tokenizer.close();
        });
    }

    /**
     * This model with another chat template.
     *
     * @param template turns conversations into prompts
     * @return the model; closing either closes both
     */
    public TextModel withChatTemplate(ChatTemplate template) {
        return new TextModel(model, tokenizer, ChatTemplateSource.of(template), endTokens, lifetime, release);
    }

    /**
     * This model with other end tokens.
     *
     * @param ids the default end tokens, which the options of a generation can override
     * @return the model; closing either closes both
     */
    public TextModel withEndTokens(Set<Integer> ids) {
        return new TextModel(model, tokenizer, chat, Set.copyOf(ids), lifetime, release);
    }

    /**
     * A view of this model with some experts switched off, as if they had been removed. Nothing is copied.
     *
     * @param experts names of the experts
     * @return a view, which the caller closes; it cannot be used after this model is closed
     * @throws IllegalArgumentException if there is no such expert
     * @throws UnsupportedException if the model has no experts
     */
    public TextModel without(Set<String> experts) {
        return lifetime.hold(() -> {
            GatedLm view = gated().without(experts);
            return new TextModel(view, tokenizer, chat, endTokens, Lifetime.shared("model", lifetime), view::close);
        });
    }

    /** {@return the model for token ids, closed with this one} */
    public CausalLm model() {
        return model;
    }

    /** {@return the model's tokenizer, closed with this model} */
    public LlamaTokenizer tokenizer() {
        return tokenizer;
    }

    /**
     * The chat template, which is read from the checkpoint at the first call.
     *
     * @return the template; empty if the checkpoint has none
     * @throws io.github.bts4j.core.checkpoint.ModelFormatException if the checkpoint's template is malformed
     * @throws java.io.UncheckedIOException if a file cannot be read
     */
    public Optional<ChatTemplate> chatTemplate() {
        return chat.find();
    }

    /**
     * The chat template, or an exception if there is none.
     *
     * @return the template
     * @throws UnsupportedException if there is none
     * @throws io.github.bts4j.core.checkpoint.ModelFormatException if the checkpoint's template is malformed
     * @throws java.io.UncheckedIOException if a file cannot be read
     */
    public ChatTemplate requireChatTemplate() {
        return chat.require();
    }

    /** {@return the default end tokens, which the options of a generation can override; empty if the checkpoint has none} */
    public Set<Integer> endTokens() {
        return endTokens;
    }

    /** {@return the context length in tokens, for prompt and generated text together} */
    public int contextLength() {
        return model.contextLength();
    }

    /** {@return the generator for token ids and batched generation} */
    public Generator generator() {
        return generator;
    }

    /** {@return the experts' names; empty if the model has none} */
    public List<String> experts() {
        return model.gated().map(GatedLm::experts).orElse(List.of());
    }

    private GatedLm gated() {
        return model.gated().orElseThrow(() -> new UnsupportedException("This model has no gates and no experts: open a stitched model"));
    }

    /**
     * Continues a text to its end.
     *
     * @param prompt the text; the tokenizer adds its begin token, and the text of special tokens is encoded as special tokens
     * @param config the options
     * @return the generated tokens and text
     * @throws IllegalArgumentException if the prompt is longer than the context
     */
    public GenerationResult generate(String prompt, GenerationConfig config) {
        return lifetime.hold(() -> generator.generate(prompt, config));
    }

    /**
     * Continues many texts in batches, see {@link Generator#generateAll}.
     *
     * @param prompts the texts, of any lengths
     * @param config the options for all texts
     * @param atOnce maximum number of running generations, at least 1
     * @return one result per text, in their order
     * @throws IllegalArgumentException if atOnce is below 1, or a prompt is longer than the context
     */
    public List<GenerationResult> generateAll(List<String> prompts, GenerationConfig config, int atOnce) {
        return lifetime.hold(() -> generator.generateAll(prompts, config, atOnce));
    }

    /**
     * Continues a text token by token.
     *
     * @param prompt the text, as for {@link #generate}
     * @param config the options
     * @return a stream, which the caller closes; the prompt has been processed when it is returned
     * @throws IllegalArgumentException if the prompt is longer than the context
     */
    public TokenStream stream(String prompt, GenerationConfig config) {
        return lifetime.hold(() -> generator.stream(prompt, config));
    }

    /**
     * Continues a text token by token, with the gate weights of each token.
     *
     * @param prompt the text, as for {@link #generate}
     * @param config the options
     * @return a stream, which the caller closes; the prompt has been processed when it is returned
     * @throws UnsupportedException if the model has no gates
     * @throws IllegalArgumentException if the prompt is longer than the context
     */
    public GatedStream streamWithGates(String prompt, GenerationConfig config) {
        return lifetime.hold(() -> generator.streamWithGates(tokenizer.encode(prompt, true), config));
    }

    /**
     * Generates the reply to a conversation.
     *
     * @param messages the conversation, at least one message; the text of special tokens is encoded as ordinary text
     * @param config the options
     * @return the reply
     * @throws UnsupportedException if the model has no chat template
     * @throws IllegalArgumentException if the template refuses the conversation, or it is longer than the context
     */
    public GenerationResult chat(List<ChatMessage> messages, GenerationConfig config) {
        return chat(ChatRequest.ofMessages(messages), config);
    }

    /**
     * Generates the reply to a conversation with tools, documents or other template arguments.
     *
     * @param request the conversation; the generation prompt is added, unless the request continues its last message
     * @param config the options
     * @return the reply
     * @throws UnsupportedException if the model has no chat template
     * @throws IllegalArgumentException if the template refuses the conversation, or it is longer than the context
     */
    public GenerationResult chat(ChatRequest request, GenerationConfig config) {
        return lifetime.hold(() -> {
            try (TokenStream stream = streamChat(request, config)) {
                return stream.toEnd();
            }
        });
    }

    /**
     * Generates the reply to a conversation token by token.
     *
     * @param messages the conversation, as for {@link #chat(List, GenerationConfig)}
     * @param config the options
     * @return a stream, which the caller closes; the prompt has been processed when it is returned
     * @throws UnsupportedException if the model has no chat template
     * @throws IllegalArgumentException if the template refuses the conversation, or it is longer than the context
     */
    public TokenStream streamChat(List<ChatMessage> messages, GenerationConfig config) {
        return streamChat(ChatRequest.ofMessages(messages), config);
    }

    /**
     * Generates the reply to a conversation token by token.
     *
     * @param request the conversation, as for {@link #chat(ChatRequest, GenerationConfig)}
     * @param config the options
     * @return a stream, which the caller closes; the prompt has been processed when it is returned
     * @throws UnsupportedException if the model has no chat template
     * @throws IllegalArgumentException if the template refuses the conversation, or it is longer than the context
     */
    public TokenStream streamChat(ChatRequest request, GenerationConfig config) {
        return lifetime.hold(() -> generator.stream(chat.require().encode(tokenizer, request.forAnswer()), config));
    }

    /**
     * The log-probabilities of a text's tokens, except the first.
     *
     * @param text the text, encoded as for {@link #generate}
     * @param alternatives how many of the most likely tokens to report at each position
     * @return one entry per token but the first
     * @throws IllegalArgumentException if the text has fewer than two tokens or is longer than the context
     */
    public List<TokenScore> score(String text, int alternatives) {
        return lifetime.hold(() -> generator.score(tokenizer.encode(text, true), alternatives));
    }

    /**
     * The gate weights of a text.
     *
     * @param text the text, encoded as for {@link #generate}
     * @return the weights of each token
     * @throws UnsupportedException if the model has no gates
     * @throws IllegalArgumentException if the text is empty or longer than the context
     */
    public TextGates gates(String text) {
        return lifetime.hold(() -> gates(tokenizer.encode(text, true)));
    }

    /**
     * The gate weights of token ids.
     *
     * @param ids token ids, at least one
     * @return the weights of each token
     * @throws UnsupportedException if the model has no gates
     * @throws IllegalArgumentException if the text is empty or longer than the context, or an id is out of range
     */
    public TextGates gates(int[] ids) {
        return lifetime.hold(() -> {
            IncrementalDecoder decoder = tokenizer.incrementalDecoder(true);
            var weights = gated().gates(ids);
            List<String> tokens = new ArrayList<>(Arrays.stream(ids).mapToObj(decoder::push).toList());
            tokens.set(ids.length - 1, tokens.get(ids.length - 1) + decoder.flush());
            return new TextGates(tokens, weights);
        });
    }

    /** Closes the model and the tokenizer, after running calls on other threads. Closing twice does nothing. */
    @Override
    public void close() {
        lifetime.close(release);
    }
}
