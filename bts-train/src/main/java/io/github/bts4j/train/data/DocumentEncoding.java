package io.github.bts4j.train.data;

import io.github.bts4j.core.DataException;
import io.github.bts4j.core.MismatchException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.stream.Stream;

/** Documents of a source as token ids. */
final class DocumentEncoding {
    private DocumentEncoding() {}

    /** Receives encoded documents. */
    @FunctionalInterface
    interface Sink<E extends Exception> {
        void add(int[] ids, Document document) throws E;
    }

    /** All of a source, in memory. */
    static TokenDataset dataset(String name, TextSource source, DocumentsEncoder encoder) {
        TokenDatasetBuilder builder = TokenDataset.builder(name);
        each(source, encoder, (ids, document) -> builder.add(ids, document.bytes(), document.origin(), encoder.chooses()));
        TokenDataset dataset = builder.build();
        if (dataset.size() == 0) {
            throw nothing(source);
        }
        return dataset;
    }

    /** All of a source, in order, as many documents at once as the encoder takes. */
    static <E extends Exception> void each(TextSource source, DocumentsEncoder encoder, Sink<E> sink) throws E {
        try (Stream<Document> documents = source.documents()) {
            for (Iterator<Document> each = documents.iterator(); each.hasNext();) {
                List<Document> some = some(each, encoder.atOnce());
                Iterator<int[]> ids = encoder.encode(some).iterator();
                for (Document document : some) {
                    sink.add(ids.next(), document);
                }
            }
        }
    }

    /** The next documents, up to a number of characters; at least one. */
    private static List<Document> some(Iterator<Document> documents, int characters) {
        List<Document> some = new ArrayList<>();
        for (long size = 0; documents.hasNext() && (some.isEmpty() || size < characters); size += some.get(some.size() - 1).text().length()) {
            some.add(documents.next());
        }
        return some;
    }

    static DataException nothing(TextSource source) {
        return new DataException(source.path(), "Text source " + source.path() + " was encoded to no tokens");
    }

    /** One document. */
    static int[] ids(TokenEncoder encoder, Document document) {
        try {
            return encoder.encode(document.text());
        } catch (MismatchException | IllegalArgumentException e) {
            throw new DataException(Path.of(document.origin()), document.origin() + ": " + e.getMessage(), e);
        }
    }
}
