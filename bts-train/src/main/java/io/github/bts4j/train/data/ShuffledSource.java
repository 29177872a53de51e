package io.github.bts4j.train.data;

import io.github.bts4j.core.support.SplitMix64;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * The documents of another source, shuffled within a window: the next document is drawn from a buffer and replaced by the next one that is read.
 *
 * @param source where the documents come from
 * @param window size of the buffer, 2 or more; a document moves forward by less than this
 * @param seed seed of the order
 */
record ShuffledSource(TextSource source, int window, long seed) implements TextSource {

    ShuffledSource {
        if (window < 2) {
            throw new IllegalArgumentException("window = " + window + " must be at least 2 documents");
        }
    }

    @Override
    public Path path() {
        return source.path();
    }

    @Override
    public String identity() {
        return "shuffled " + window + " " + seed + "\n" + source.identity();
    }

    @Override
    public Stream<Document> documents() {
        Stream<Document> documents = source.documents();
        return DocumentReader.stream(path(), new Reader(documents, documents.iterator(), new ArrayList<>(), new SplitMix64(seed), window));
    }

    private record Reader(Stream<Document> stream, Iterator<Document> documents, List<Document> waiting, SplitMix64 random, int window) implements DocumentReader {

        @Override
        public Optional<Document> next() {
            while (waiting.size() < window && documents.hasNext()) {
                waiting.add(documents.next());
            }
            if (waiting.isEmpty()) {
                return Optional.empty();
            }
            int drawn = random.nextInt(waiting.size());
            Document document = waiting.get(drawn);
            Document last = waiting.remove(waiting.size() - 1);
            if (drawn < waiting.size()) {
                waiting.set(drawn, last);
            }
            return Optional.of(document);
        }

        @Override
        public void close() throws IOException {
            stream.close();
        }
    }
}
