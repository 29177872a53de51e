package io.github.bts4j.core.generate;

import static io.github.bts4j.core.support.Problems.throwIf;

import io.github.bts4j.core.DecodeSession;
import io.github.bts4j.core.GateWeights;
import io.github.bts4j.core.GatedSession;
import io.github.bts4j.core.Lifetime;
import io.github.bts4j.core.constraint.Guide;
import io.github.bts4j.core.tokenizer.IncrementalDecoder;
import io.github.bts4j.core.tokenizer.LlamaTokenizer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Iterator;
import java.util.List;
import java.util.NoSuchElementException;
import java.util.Optional;
import java.util.Set;
import java.util.function.Function;

/**
 * A stream of generated tokens, which are the tokenizer's: where a model's embedding was padded, the further ids are never drawn. Each {@link #next} runs the model once. Closing the stream cancels the generation and frees the
 * session; reading to the end also frees it.
 *
 * <p>The pieces join to the generated text; a piece may be empty while bytes of a character or the possible beginning of
 * a stop string are held back. For one thread at a time.
 */
public final class TokenStream implements Iterator<GeneratedToken>, AutoCloseable {
    private final GenerationConfig config;
    private final Set<Integer> endTokens;
    private final Lifetime lifetime;
    private final DecodeSession session;
    private final Optional<GatedSession> gated; // the session, if it keeps gate weights
    private final Sampler sampler;
    private final Guide guide;
    private final IncrementalDecoder decoder;
    private final StopStrings stops;
    private final int promptLength;
    private final int vocabulary;
    private final List<GeneratedToken> generated = new ArrayList<>();
    private int[] ids;
    private int count;
    private float[] logits = {}; // none before the prompt has been processed
    private volatile Optional<StopReason> stopped = Optional.empty();

    /** The capacity of a session for a prompt and the generated tokens. */
    static int capacity(int[] prompt, GenerationConfig config, int context) {
        throwIf(prompt.length == 0, () -> new IllegalArgumentException("The prompt holds no tokens: give it at least one, such as the token that begins a text"));
        throwIf(context < 2, () -> new IllegalArgumentException("max_position_embeddings " + context + " leaves no room for a prompt and a new token"));
        throwIf(prompt.length >= context, () -> new IllegalArgumentException("The prompt holds " + prompt.length + " tokens; at most " + (context - 1)
                + " fit before the first new token (max_position_embeddings " + context + "): shorten it"));
        return (int) Math.min(context, (long) prompt.length + config.maxNewTokens());
    }

    /** Begins with an empty session, which is closed at the end; on failure the caller closes it. */
    TokenStream(Lifetime lifetime, DecodeSession session, LlamaTokenizer tokenizer, int[] prompt, GenerationConfig config, Set<Integer> endTokens) {
        this.lifetime = lifetime;
        this.config = config;
        this.endTokens = endTokens;
        this.promptLength = prompt.length;
        this.ids = Arrays.copyOf(prompt, session.capacity());
        this.count = prompt.length;
        this.sampler = new Sampler(config, promptLength);
        this.guide = config.constraint().begin(tokenizer, endTokens);
        this.vocabulary = tokenizer.vocabSize();
        this.decoder = tokenizer.continuationDecoder(true);
        this.stops = new StopStrings(config.stopStrings());
        this.session = session;
        this.gated = session instanceof GatedSession with ? Optional.of(with) : Optional.empty();
    }

    /**
     * Works on the prompt for about a twentieth of a second, beginning with what a prefix cache holds of it. {@link #next} processes what is left; a server calls this method to
     * do other work in between.
     *
     * @return true if all of the prompt has been processed
     * @throws IllegalStateException if the stream is closed
     */
    public boolean processPrompt() {
        return process(session::appendPart);
    }

    /** Processes all of the prompt. */
    TokenStream begun() {
        process(session::append);
        return this;
    }

    @SuppressWarnings("try") // the lease is only held
    private boolean process(Function<int[], float[]> append) {
        if (logits.length > 0) {
            return true;
        }
        try (Lifetime.Lease use = lifetime.use()) {
            logits = append.apply(Arrays.copyOfRange(ids, session.length(), promptLength));
            return logits.length > 0;
        } catch (RuntimeException | Error e) {
            close();
            throw e;
        }
    }

    /** {@return the number of the prompt's tokens that have not been processed} */
    public int promptTokensLeft() {
        return logits.length > 0 ? 0 : promptLength - session.length();
    }

    /** {@return the number of the prompt's tokens whose states were taken from a prefix cache} */
    public int reusedPromptTokens() {
        return session.reusedTokens();
    }

    @Override
    public boolean hasNext() {
        return stopped.isEmpty();
    }

    /**
     * Generates one token.
     *
     * @return the token, its text piece and its log-probability under the model's unmodified distribution
     * @throws NoSuchElementException if the generation has ended
     */
    @Override
    @SuppressWarnings("try") // the lease is only held
    public GeneratedToken next() {
        checkNotEnded();
        begun();
        try (Lifetime.Lease use = lifetime.use()) {
            return generateOne();
        } catch (RuntimeException | Error e) {
            close();
            throw e;
        }
    }

    private void checkNotEnded() {
        throwIf(stopped.isPresent(), () -> new NoSuchElementException("The generation has ended: " + stopped.get()));
    }

    /**
     * Generates the rest.
     *
     * @return the finished generation
     */
    public GenerationResult toEnd() {
        while (hasNext()) {
            next();
        }
        return result();
    }

    private GeneratedToken generateOne() {
        GeneratedToken token = choose();
        if (takesToken()) {
            accept(session.append(token.id()));
        }
        return token;
    }

    DecodeSession session() {
        return session;
    }

    /** Whether the model must process the chosen token: for the next one, or for the gates of the last one. */
    boolean takesToken() {
        return stopped.isEmpty() || gated.isPresent();
    }

    /** Sets the logits after the last chosen token. */
    void accept(float[] next) {
        logits = next;
        if (stopped.isPresent()) {
            session.close();
        }
    }

    /** Draws the next token without running the model. If the stream {@link #takesToken}, {@link #accept} must follow. */
    GeneratedToken choose() {
        checkNotEnded();
        begun();
        int id = sampler.next(drawable(guide.masked(logits)), ids, count);
        float logProb = Sampler.logProb(logits, id);
        boolean eos = endTokens.contains(id) || guide.isStuck();
        if (!eos) {
            guide.accept(id);
        }
        String text = eos ? "" : stops.push(decoder.push(id));
        if (count < ids.length) {
            ids[count] = id;
        }
        count++;
        Optional<StopReason> reason = reason(eos);
        if (reason.isPresent()) {
            text += flush(reason.get());
            stop(reason.get());
        }
        GeneratedToken token = new GeneratedToken(id, text, logProb, generated.size());
        generated.add(token);
        return token;
    }

    /** Without the rows of an embedding that was padded: the tokenizer has no text for their ids. */
    private float[] drawable(float[] all) {
        return all.length > vocabulary ? Arrays.copyOf(all, vocabulary) : all;
    }

    private Optional<StopReason> reason(boolean eos) {
        if (eos) {
            return Optional.of(guide.isStuck() ? StopReason.STUCK : StopReason.EOS);
        } else if (stops.found().isPresent()) {
            return Optional.of(StopReason.STOP_STRING);
        } else if (guide.isComplete()) {
            return Optional.of(StopReason.COMPLETE);
        } else if (count - promptLength >= config.maxNewTokens()) {
            return Optional.of(StopReason.MAX_TOKENS);
        }
        return count >= session.capacity() ? Optional.of(StopReason.CONTEXT_FULL) : Optional.empty();
    }

    private String flush(StopReason reason) {
        return reason == StopReason.STOP_STRING ? "" : stops.push(decoder.flush()) + stops.flush();
    }

    private void stop(StopReason reason) {
        stopped = Optional.of(reason);
        if (gated.isEmpty()) {
            session.close();
        }
    }

    /**
     * The gate weights of the token that was generated last, for streams of {@link Generator#beginWithGates}: those with which the model has processed it. Before the first token, those of the
     * prompt, except for tokens whose states came from a prefix cache.
     *
     * @return the weights; empty for other streams
     */
    public Optional<GateWeights> gates() {
        return gated.map(GatedSession::gates);
    }

    /**
     * The most likely next tokens of the model, regardless of the options.
     *
     * @param count how many tokens
     * @return most likely first
     * @throws IllegalStateException if the generation has ended
     */
    public List<TokenLogProb> mostLikely(int count) {
        throwIf(stopped.isPresent(), () -> new IllegalStateException("The generation has ended: " + stopped.get()));
        return Sampler.mostLikely(begun().logits, count, vocabulary);
    }

    /**
     * {@return the result so far, with the stop reason {@link StopReason#CANCELLED} while the generation has not ended; after the
     * end, the final result}
     */
    public GenerationResult result() {
        StringBuilder text = new StringBuilder();
        generated.forEach(token -> text.append(token.text()));
        StopReason reason = stopped.orElse(StopReason.CANCELLED);
        return new GenerationResult(promptLength, generated, text.toString(), reason,
                reason == StopReason.STOP_STRING ? stops.found() : Optional.empty());
    }

    /**
     * Cancels the generation and frees the session. Closing twice does nothing. Thread-safe: a running call of {@link #next} ends first, or reports
     * that its session is closed.
     */
    @Override
    public void close() {
        if (stopped.isEmpty()) {
            stop(StopReason.CANCELLED);
        }
        session.close();
    }
}
