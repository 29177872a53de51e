package io.github.bts4j.core.torch.llama;

import static io.github.bts4j.core.support.Problems.throwIf;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.github.bts4j.core.torch.Autograd;
import java.util.Map;
import java.util.TreeMap;

/**
 * Attention within documents, for training sequences with parts of several documents: a token attends only to earlier tokens of its own document. Rotary
 * embeddings depend only on differences of positions, so a document gives the same results as alone, at any position.
 *
 * @param token the token between documents
 * @param begins whether it is the first token of a document (a begin token) or the last one (an end token)
 */
public record DocumentMask(int token, boolean begins) {
    /**
     * Checks the token.
     *
     * @param token the token between documents
     * @param begins whether it is the first token of a document
     * @throws IllegalArgumentException if the token is negative
     */
    public DocumentMask {
        throwIf(token < 0, () -> new IllegalArgumentException("token = " + token + ": a document mask needs the id of the token between documents"));
    }

    /**
     * A mask for documents that begin with a token.
     *
     * @param bosTokenId the begin token
     * @return the mask
     */
    public static DocumentMask beginningWith(int bosTokenId) {
        return new DocumentMask(bosTokenId, true);
    }

    /**
     * A mask for documents that end with a token.
     *
     * @param eosTokenId the end token
     * @return the mask
     */
    public static DocumentMask endingWith(int eosTokenId) {
        return new DocumentMask(eosTokenId, false);
    }

    /**
     * The mask of some sequences.
     *
     * @param scope owner of the result
     * @param ids int64 {@code [batch, sequence]}
     * @return bool {@code [batch, 1, sequence, sequence]}: whether token t (third dimension) may attend to token u (last one)
     */
    public NDArray of(NDManager scope, NDArray ids) {
        return Decoder.CALLS.documentMask(scope, Autograd.OFF, ids, token, begins);
    }

    /** The number of every token's document. */
    int[] documents(int[] tokens) {
        int[] numbers = new int[tokens.length];
        int document = 0;
        for (int t = 0; t < tokens.length; t++) {
            document += begins && tokens[t] == token ? 1 : 0;
            numbers[t] = document;
            document += !begins && tokens[t] == token ? 1 : 0;
        }
        return numbers;
    }

    /**
     * Adds the mask to the identity of a run.
     *
     * @param identity the identity without the mask
     * @return a new map
     */
    public Map<String, String> addTo(Map<String, String> identity) {
        Map<String, String> all = new TreeMap<>(identity);
        all.put("attention", "within documents that " + (begins ? "begin" : "end") + " with token " + token);
        return all;
    }
}
