package io.github.bts4j.train.data;

/**
 * Turns the text of one document into token ids. A tokenizer that marks the beginning of a document (bos) puts the mark
 * into its result; nothing is added here.
 */
@FunctionalInterface
public interface TokenEncoder {

    /**
     * Encodes one document.
     *
     * @param text a document's whole text
     * @return its token ids in order, none negative
     */
    int[] encode(String text);
}
