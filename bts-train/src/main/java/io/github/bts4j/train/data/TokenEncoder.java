package io.github.bts4j.train.data;

import io.github.bts4j.core.tokenizer.LlamaTokenizer;
import io.github.bts4j.core.tokenizer.PromptSegment;
import java.util.Arrays;
import java.util.List;

/**
 * Turns the text of one document into token ids. The result includes the tokenizer's begin token, if it adds one.
 */
@FunctionalInterface
public interface TokenEncoder {

    /**
     * Encodes one document.
     *
     * @param text a document's whole text
     * @return its token ids in order; where it {@link #chooses}, the complement {@code ~id} is a token that is read and never predicted, else none is negative
     */
    int[] encode(String text);

    /**
     * Whether some tokens are read only, such as what the user says in a conversation. Sequences then hold whole documents.
     *
     * @return true if {@link #encode} says which tokens are predicted
     */
    default boolean chooses() {
        return false;
    }

    /**
     * A copy that appends an end token to each document, unless it chooses: a chat template writes its own end marks.
     *
     * @param eosTokenId the end token
     * @return the encoder
     */
    default TokenEncoder endingWith(int eosTokenId) {
        return chooses() ? this : text -> {
            int[] ids = encode(text);
            int[] ended = Arrays.copyOf(ids, ids.length + 1);
            ended[ids.length] = eosTokenId;
            return ended;
        };
    }

    /**
     * Encodes documents with the begin token that the tokenizer's post-processor adds. Text that looks like a special token is encoded
     * as ordinary text.
     *
     * @param tokenizer the tokenizer, which stays open as long as the encoder is used
     * @return the encoder
     */
    static TokenEncoder of(LlamaTokenizer tokenizer) {
        return text -> tokenizer.encode(List.of(PromptSegment.content(text)), true);
    }

    /**
     * Identifies what {@link #of} does, for a {@link TokenCache}.
     *
     * @param tokenizer the tokenizer
     * @return a text, equal for equal encoders
     */
    static String identity(LlamaTokenizer tokenizer) {
        return tokenizer.sha256() + " with begin token, special-token text as text";
    }
}
