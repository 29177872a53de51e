package io.github.bts4j.server;

import io.github.bts4j.core.tokenizer.LlamaTokenizer;

/** Tokens as text of their own, for log-probabilities. Not for instances. */
final class TokenText {
    private static final char REPLACEMENT = '\uFFFD';

    private TokenText() {}

    /** The token's text; the vocabulary's own spelling where it has none, as a part of a character has. */
    static String of(LlamaTokenizer tokenizer, int id) {
        String text = tokenizer.decode(new int[] {id}, false);
        return text.isEmpty() || text.indexOf(REPLACEMENT) >= 0 ? tokenizer.token(id) : text;
    }
}
