package io.github.bts4j.train.data;

import java.util.List;

/**
 * Encodes documents on all processors.
 *
 * @param encoder encodes one document, in several threads at a time
 */
record ParallelEncoder(TokenEncoder encoder) implements DocumentsEncoder {
    private static final int CHARACTERS_PER_THREAD = 1 << 18;
    private static final int MOST = 1 << 25;

    @Override
    public List<int[]> encode(List<Document> documents) {
        try {
            return documents.parallelStream().map(document -> DocumentEncoding.ids(encoder, document)).toList();
        } catch (RuntimeException e) { // of whichever document failed first: one after the other, it is the first in order
            return DocumentsEncoder.of(encoder).encode(documents);
        }
    }

    @Override
    public int atOnce() {
        return (int) Math.min(MOST, (long) CHARACTERS_PER_THREAD * Runtime.getRuntime().availableProcessors());
    }

    @Override
    public boolean chooses() {
        return encoder.chooses();
    }
}
