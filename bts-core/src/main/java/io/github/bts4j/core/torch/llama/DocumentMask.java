package io.github.bts4j.core.torch.llama;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.github.bts4j.core.torch.Autograd;
import java.util.Map;
import java.util.TreeMap;

/**
 * Attention within documents only, in training sequences that hold parts of several: a token attends to the tokens before it in its own document. Rotary
 * embeddings know differences of positions only, so that a document gives what it gives by itself, wherever it stands.
 *
 * @param token the mark between documents
 * @param begins whether the mark is the first token of a document (a bos mark); else it is the last one (an eos mark)
 */
public record DocumentMask(int token, boolean begins) {
    /**
     * Checks the mark.
     *
     * @param token the mark
     * @param begins whether it is the first token of a document
     * @throws IllegalArgumentException if the token is negative
     */
    public DocumentMask {
        if (token < 0) {
            throw new IllegalArgumentException("token = " + token + ": a mask between documents needs the id of the mark that divides them");
        }
    }

    /**
     * Documents that begin with a mark.
     *
     * @param bosTokenId the mark
     * @return the mask
     */
    public static DocumentMask beginningWith(int bosTokenId) {
        return new DocumentMask(bosTokenId, true);
    }

    /**
     * Documents that end with a mark.
     *
     * @param eosTokenId the mark
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

    /**
     * What a run is bound to, with the mask.
     *
     * @param identity what it is bound to without
     * @return a new map
     */
    public Map<String, String> addTo(Map<String, String> identity) {
        Map<String, String> all = new TreeMap<>(identity);
        all.put("attention", "within documents that " + (begins ? "begin" : "end") + " with token " + token);
        return all;
    }
}
