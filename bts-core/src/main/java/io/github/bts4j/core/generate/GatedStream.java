package io.github.bts4j.core.generate;

import io.github.bts4j.core.GateWeights;
import java.util.Iterator;

/**
 * A {@link TokenStream} with the gate weights of each token. The model also processes the last token, to get its weights.
 * For one thread at a time.
 */
public final class GatedStream implements Iterator<GatedToken>, AutoCloseable {
    private final TokenStream stream;
    private final GateWeights prompt;

    /** Processes the prompt. */
    GatedStream(TokenStream stream) {
        this.stream = stream.begun();
        this.prompt = stream.gates().orElseThrow();
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
        return new GatedToken(stream.next(), stream.gates().orElseThrow());
    }

    /** {@return the result so far, see {@link TokenStream#result}} */
    public GenerationResult result() {
        return stream.result();
    }

    /** Cancels the generation and frees the session. Closing twice does nothing. */
    @Override
    public void close() {
        stream.close();
    }
}
