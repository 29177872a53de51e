package io.github.bts4j.core.generate;

import io.github.bts4j.core.DecodeSession;
import io.github.bts4j.core.ForwardingSession;
import io.github.bts4j.core.GateWeights;
import io.github.bts4j.core.GatedSession;
import io.github.bts4j.core.Lifetime;
import io.github.bts4j.core.tokenizer.LlamaTokenizer;
import java.util.Iterator;
import java.util.Set;

/**
 * A {@link TokenStream} with the gate weights of each token. The model also processes the last token, to get its weights.
 * For one thread at a time.
 */
public final class GatedStream implements Iterator<GatedToken>, AutoCloseable {
    private final GatedSession session;
    private final TokenStream stream;
    private final GateWeights prompt;

    /** Processes the prompt in a session, which is closed at the end; on failure the caller closes it. */
    GatedStream(Lifetime lifetime, GatedSession session, LlamaTokenizer tokenizer, int[] prompt, GenerationConfig config, Set<Integer> endTokens) {
        this.session = session;
        this.stream = new TokenStream(lifetime, new KeptOpen(session), tokenizer, prompt, config, endTokens).begun();
        this.prompt = session.gates();
    }

    /** The session, which also processes the last token. */
    private static final class KeptOpen extends ForwardingSession {
        KeptOpen(DecodeSession session) {
            super(session);
        }

        @Override
        public void close() {
            // closed by the stream with the gates
        }
    }

    /** {@return the gate weights of each of the prompt's tokens} */
    public GateWeights promptGates() {
        return prompt;
    }

    @Override
    public boolean hasNext() {
        return stream.hasNext();
    }

    /**
     * Generates one token.
     *
     * @return the token and its gate weights
     * @throws java.util.NoSuchElementException if the generation has ended
     */
    @Override
    public GatedToken next() {
        try {
            GeneratedToken token = stream.next();
            if (!stream.hasNext()) {
                session.append(token.id());
            }
            GatedToken gated = new GatedToken(token, session.gates());
            if (!stream.hasNext()) {
                session.close();
            }
            return gated;
        } catch (RuntimeException e) {
            close();
            throw e;
        }
    }

    /** {@return the result so far, see {@link TokenStream#result}} */
    public GenerationResult result() {
        return stream.result();
    }

    /** Cancels the generation and frees the session. Closing twice does nothing. */
    @Override
    public void close() {
        stream.close();
        session.close();
    }
}
