package io.github.bts4j.train.data;

import io.github.bts4j.core.DataException;
import io.github.bts4j.core.MismatchException;
import java.nio.file.Path;
import java.util.stream.Stream;

/** Documents of a source as token ids. */
final class DocumentEncoding {
    private DocumentEncoding() {}

    /** All of a source. */
    static TokenDataset dataset(String name, TextSource source, TokenEncoder encoder) {
        TokenDatasetBuilder builder = TokenDataset.builder(name);
        try (Stream<Document> documents = source.documents()) {
            documents.forEachOrdered(document -> builder.add(ids(encoder, document), document.bytes(), document.origin(), encoder.chooses()));
        }
        TokenDataset dataset = builder.build();
        if (dataset.size() == 0) {
            throw new DataException(source.path(), "Text source " + source.path() + " was encoded to no tokens");
        }
        return dataset;
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
