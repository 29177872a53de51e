package io.github.bts4j.core.generate;

import static io.github.bts4j.core.support.Problems.throwIf;

import io.github.bts4j.core.CausalLm;
import io.github.bts4j.core.DecodeSession;
import io.github.bts4j.core.GatedLm;
import io.github.bts4j.core.Lifetime;
import io.github.bts4j.core.PrefixCache;
import io.github.bts4j.core.UnsupportedException;
import io.github.bts4j.core.tokenizer.LlamaTokenizer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.BiConsumer;
import java.util.stream.IntStream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Generates text with any causal language model: one Llama, a stitched model, an ensemble.
 *
 * <p>Thread-safe: every generation has its own session. It closes neither the model nor the tokenizer.
 */
public final class Generator {
    private static final int SCORED_TOKENS = 4096;

    private static final Logger LOG = LoggerFactory.getLogger(Generator.class);

    private final CausalLm model;
    private final LlamaTokenizer tokenizer;
    private final Set<Integer> endTokens;
    private final Lifetime lifetime;
    private final Optional<PrefixCache> prefixes;

    /**
     * Creates a generator with {@link CausalLm#endTokens}. As in transformers, the tokenizer may have more ids than the model; a text that needs one of them is refused.
     *
     * @param model the model
     * @param tokenizer the tokenizer it was trained with
     */
    public Generator(CausalLm model, LlamaTokenizer tokenizer) {
        this(model, tokenizer, model.endTokens(), Lifetime.shared("model"));
    }

    /**
     * Creates a generator.
     *
     * @param model the model
     * @param tokenizer the tokenizer it was trained with
     * @param endTokens the tokens that end a text where the options do not name others
     * @param lifetime the lifetime of model and tokenizer: each token takes a lease, and streams fail once it is closed
     */
    public Generator(CausalLm model, LlamaTokenizer tokenizer, Set<Integer> endTokens, Lifetime lifetime) {
        if (tokenizer.vocabSize() > model.vocabSize()) {
            LOG.warn("The tokenizer {} has {} ids, the model's vocabulary {}: text that needs one of the other ids is refused", tokenizer.path(), tokenizer.vocabSize(), model.vocabSize());
        }
        this.model = model;
        this.tokenizer = tokenizer;
        this.endTokens = Set.copyOf(endTokens);
        this.lifetime = lifetime;
        this.prefixes = Optional.empty();
    }

    private Generator(Generator other, PrefixCache prefixes) {
        this.model = other.model;
        this.tokenizer = other.tokenizer;
        this.endTokens = other.endTokens;
        this.lifetime = other.lifetime;
        this.prefixes = Optional.of(prefixes);
    }

    /**
     * This generator with a cache of prompts' beginnings, for prompts that begin alike: those with the same system prompt, and the turns of a conversation. Streams with
     * the gates of their prompts do not use it.
     *
     * @param cache the cache, which may serve several models; the caller closes it
     * @return a generator of the same model
     */
    public Generator withPrefixCache(PrefixCache cache) {
        return new Generator(this, cache);
    }

    /**
     * Generates a complete text.
     *
     * @param prompt the text to continue; the tokenizer adds special tokens such as the begin token
     * @param config the options
     * @return the generated tokens and text
     * @throws IllegalArgumentException if the prompt is empty or longer than the context
     */
    public GenerationResult generate(String prompt, GenerationConfig config) {
        try (TokenStream stream = stream(prompt, config)) {
            return stream.toEnd();
        }
    }

    /**
     * Generates token by token.
     *
     * @param prompt the text to continue, encoded as by {@link #generate}
     * @param config the options
     * @return a stream, which the caller closes; the prompt has been processed when it is returned
     * @throws IllegalArgumentException if the prompt is empty or longer than the context
     */
    public TokenStream stream(String prompt, GenerationConfig config) {
        return stream(tokenizer.encode(prompt, true), config);
    }

    /**
     * Generates token by token from token ids.
     *
     * @param prompt token ids, at least one
     * @param config the options
     * @return a stream, which the caller closes
     * @throws IllegalArgumentException if the prompt is empty or longer than the context, or an id is out of range
     */
    public TokenStream stream(int[] prompt, GenerationConfig config) {
        return begin(prompt, config).begun();
    }

    /**
     * Generates token by token, like {@link #stream(int[], GenerationConfig)}, but leaves the prompt to {@link TokenStream#processPrompt}.
     *
     * @param prompt token ids, at least one
     * @param config the options
     * @return a stream, which the caller closes
     * @throws IllegalArgumentException if the prompt is empty or longer than the context
     */
    public TokenStream begin(int[] prompt, GenerationConfig config) {
        return begun(model.newSession(TokenStream.capacity(prompt, config, model.contextLength())), prompt, config, true);
    }

    /**
     * Generates token by token, like {@link #begin}, with the gate weights of every generated token, see {@link TokenStream#gates}. The model also processes the last token. In
     * {@link #nextEach} such streams and others share a pass.
     *
     * @param prompt token ids, at least one
     * @param config the options
     * @return a stream, which the caller closes
     * @throws io.github.bts4j.core.UnsupportedException if the model has no gates
     * @throws IllegalArgumentException if the prompt is empty or longer than the context
     */
    public TokenStream beginWithGates(int[] prompt, GenerationConfig config) {
        return beginWithGates(prompt, config, true);
    }

    private TokenStream beginWithGates(int[] prompt, GenerationConfig config, boolean cached) {
        GatedLm gated = model.gated().orElseThrow(() -> new UnsupportedException("This model has no gates: open a stitched model"));
        return begun(gated.newGatedSession(TokenStream.capacity(prompt, config, model.contextLength())), prompt, config, cached);
    }

    private TokenStream begun(DecodeSession session, int[] prompt, GenerationConfig config, boolean cached) {
        try {
            prefixes.filter(any -> cached).ifPresent(session::reuse);
            return new TokenStream(lifetime, session, tokenizer, prompt, config, config.endTokens().or(endTokens));
        } catch (RuntimeException e) {
            session.close();
            throw e;
        }
    }

    /**
     * Generates token by token, with the gate weights of all tokens of the prompt and the text.
     *
     * @param prompt token ids, at least one
     * @param config the options
     * @return a stream, which the caller closes
     * @throws io.github.bts4j.core.UnsupportedException if the model has no gates
     * @throws IllegalArgumentException if the prompt is empty or longer than the context, or an id is out of range
     */
    public GatedStream streamWithGates(int[] prompt, GenerationConfig config) {
        return new GatedStream(beginWithGates(prompt, config, false));
    }

    /**
     * Continues many prompts in batches: each step runs the model once for all running sequences, and a sequence that ends makes room
     * for the next prompt. Each text equals the result of {@link #generate}, up to the rounding of sums whose order depends on the
     * number of sequences.
     *
     * @param prompts the texts to continue, of any lengths
     * @param config the options, including the seed, for all prompts
     * @param atOnce maximum number of running sequences, at least 1; each has its own KV cache
     * @return one result per prompt, in their order
     * @throws IllegalArgumentException if atOnce is below 1, or a prompt is empty or longer than the context
     */
    public List<GenerationResult> generateAll(List<String> prompts, GenerationConfig config, int atOnce) {
        throwIf(atOnce < 1, () -> new IllegalArgumentException("atOnce = " + atOnce + ", must be at least 1"));
        TokenStream[] streams = new TokenStream[prompts.size()];
        List<TokenStream> active = new ArrayList<>();
        try {
            for (int next = 0; next < streams.length || !active.isEmpty(); ) {
                while (next < streams.length && active.size() < atOnce) {
                    streams[next] = stream(prompts.get(next), config);
                    active.add(streams[next++]);
                }
                advance(active);
            }
            return Arrays.stream(streams).map(TokenStream::result).toList();
        } finally {
            active.forEach(TokenStream::close);
        }
    }

    private void advance(List<TokenStream> active) {
        nextEach(active);
        active.removeIf(stream -> !stream.hasNext());
    }

    /**
     * Generates one token in each of several streams, in one pass over the model. A server can add and remove streams between
     * tokens.
     *
     * @param streams generations of this generator that have not ended, with prompts of any lengths
     * @return their tokens, in order; afterwards some of the streams may have ended
     * @throws java.util.NoSuchElementException if one has already ended
     */
    public List<GeneratedToken> nextEach(List<TokenStream> streams) {
        List<Throwable> failures = new ArrayList<>();
        Map<TokenStream, GeneratedToken> tokens = nextEach(streams, (stream, failure) -> failures.add(failure));
        for (Throwable failure : failures) { // the first one
            if (failure instanceof Error error) {
                throw error;
            }
            throw (RuntimeException) failure;
        }
        return List.copyOf(tokens.values());
    }

    /**
     * Generates one token in each of several streams, like {@link #nextEach(List)}, but a stream that fails by itself, for instance because its logits are not numbers,
     * leaves the others as they are. A failure of the pass over the model is of all of them, and thrown.
     *
     * @param streams generations of this generator that have not ended, with prompts of any lengths
     * @param onFailure receives each stream that failed, which is closed by then, and its exception or error
     * @return the tokens of the streams that did not fail, in their order; afterwards some of the streams may have ended
     */
    public Map<TokenStream, GeneratedToken> nextEach(List<TokenStream> streams, BiConsumer<TokenStream, Throwable> onFailure) {
        return lifetime.hold(() -> steppedEach(streams, onFailure));
    }

    private Map<TokenStream, GeneratedToken> steppedEach(List<TokenStream> streams, BiConsumer<TokenStream, Throwable> onFailure) {
        Map<TokenStream, GeneratedToken> chosen = new LinkedHashMap<>();
        streams.forEach(stream -> choose(stream, onFailure).ifPresent(token -> chosen.put(stream, token)));
        List<TokenStream> going = chosen.keySet().stream().filter(TokenStream::takesToken).toList();
        if (!going.isEmpty()) {
            int[] ids = going.stream().mapToInt(stream -> chosen.get(stream).id()).toArray();
            float[][] logits = model.appendEach(going.stream().map(TokenStream::session).toList(), ids);
            for (int i = 0; i < ids.length; i++) {
                going.get(i).accept(logits[i]);
            }
        }
        return chosen;
    }

    private static Optional<GeneratedToken> choose(TokenStream stream, BiConsumer<TokenStream, Throwable> onFailure) {
        try {
            return Optional.of(stream.choose());
        } catch (RuntimeException | Error e) {
            try {
                stream.close();
            } catch (RuntimeException | Error second) {
                e.addSuppressed(second);
            }
            onFailure.accept(stream, e);
            return Optional.empty();
        }
    }

    /**
     * The log-probabilities of a given text, with alternatives at each position. Needs the logits of all tokens at once.
     *
     * @param ids token ids, 2 or more and at most the context
     * @param alternatives how many of the most likely tokens to report at each position
     * @return one entry per token but the first
     * @throws IllegalArgumentException if the text is too short or too long, or an id is out of range
     */
    public List<TokenScore> score(int[] ids, int alternatives) {
        checkLength(0, ids);
        float[][] logits = model.logits(Arrays.copyOf(ids, ids.length - 1));
        return IntStream.range(1, ids.length)
                .mapToObj(t -> new TokenScore(ids[t], Sampler.logProb(logits[t - 1], ids[t]), Sampler.mostLikely(logits[t - 1], alternatives, tokenizer.vocabSize()))).toList();
    }

    private void checkLength(int number, int[] ids) {
        throwIf(ids.length < 2 || ids.length > model.contextLength(),
                () -> new IllegalArgumentException("Text " + number + " holds " + ids.length + " tokens; between 2 and " + model.contextLength()
                        + " (max_position_embeddings) can be scored"));
    }

    /**
     * The log-probabilities of given texts, for all tokens but the first, for evaluation harnesses.
     *
     * @param sequences token ids of one or more texts, each with at least 2 tokens and at most the context length
     * @return for each text {@code [length - 1]} natural logarithms: entry t is that of token t + 1 after the tokens 0 to t
     * @throws IllegalArgumentException naming the text that is too short or too long, or the id that is out of range
     */
    public float[][] logProbs(int[]... sequences) {
        for (int i = 0; i < sequences.length; i++) {
            checkLength(i, sequences[i]);
        }
        float[][] scores = new float[sequences.length][];
        for (int from = 0; from < sequences.length; ) {
            int rows = rowsFrom(sequences, from);
            score(sequences, from, rows, scores);
            from += rows;
        }
        return scores;
    }

    /** The number of texts that fit into one pass if all are padded to the longest; at least one. */
    private static int rowsFrom(int[][] sequences, int from) {
        int width = 0;
        int rows = 0;
        while (from + rows < sequences.length) {
            width = Math.max(width, sequences[from + rows].length);
            if (rows > 0 && (long) width * (rows + 1) > SCORED_TOKENS) {
                break;
            }
            rows++;
        }
        return rows;
    }

    private void score(int[][] sequences, int from, int rows, float[][] scores) {
        int width = Arrays.stream(sequences, from, from + rows).mapToInt(ids -> ids.length).max().orElseThrow();
        int[][] padded = new int[rows][];
        for (int row = 0; row < rows; row++) {
            padded[row] = Arrays.copyOf(sequences[from + row], width); // later tokens do not change a token's probability
        }
        float[][] losses = model.tokenLosses(padded);
        for (int row = 0; row < rows; row++) {
            float[] score = Arrays.copyOf(losses[row], sequences[from + row].length - 1);
            for (int t = 0; t < score.length; t++) {
                score[t] = -score[t];
            }
            scores[from + row] = score;
        }
    }
}
