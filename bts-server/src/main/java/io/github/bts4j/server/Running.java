package io.github.bts4j.server;

import io.github.bts4j.core.generate.Generator;
import io.github.bts4j.core.generate.TokenStream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A running sequence.
 *
 * @param sequence what was asked
 * @param stream its tokens
 * @param generator of the model with the sequence's experts; sequences with the same one are computed together
 */
record Running(Sequence sequence, TokenStream stream, Generator generator) {
    private static final Logger LOG = LoggerFactory.getLogger(Running.class);

    boolean isWaitingForPrompt() {
        return stream.promptTokensLeft() > 0;
    }

    /** Frees its caches; a failure is logged, because nobody waits for it. */
    void free() {
        try {
            stream.close();
        } catch (RuntimeException | Error e) {
            LOG.error("A sequence's caches could not be freed", e);
        }
    }
}
