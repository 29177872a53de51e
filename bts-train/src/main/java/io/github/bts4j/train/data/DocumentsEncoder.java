package io.github.bts4j.train.data;

import java.util.List;

/** Turns the texts of many documents into token ids, for example on other machines. */
public interface DocumentsEncoder {
    /**
     * Encodes documents.
     *
     * @param documents the documents, at least one
     * @return the token ids of each, as those of {@link TokenEncoder#encode}, in the same order
     * @throws io.github.bts4j.core.DataException naming a document's origin, if it cannot be encoded
     */
    List<int[]> encode(List<Document> documents);

    /** {@return how many characters are encoded at once, at least 1; one document more may come} */
    int atOnce();

    /** {@return whether some tokens are read only, see {@link TokenEncoder#chooses}} */
    boolean chooses();

    /**
     * Encodes one document after the other.
     *
     * @param encoder encodes one
     * @return the encoder
     */
    static DocumentsEncoder of(TokenEncoder encoder) {
        return new DocumentsEncoder() {
            @Override
            public List<int[]> encode(List<Document> documents) {
                return documents.stream().map(document -> DocumentEncoding.ids(encoder, document)).toList();
            }

            @Override
            public int atOnce() {
                return 1;
            }

            @Override
            public boolean chooses() {
                return encoder.chooses();
            }
        };
    }

    /**
     * Encodes documents on all processors, with the same result as {@link #of}.
     *
     * @param encoder encodes one document, in several threads at a time
     * @return the encoder
     */
    static DocumentsEncoder parallel(TokenEncoder encoder) {
        return new ParallelEncoder(encoder);
    }
}
