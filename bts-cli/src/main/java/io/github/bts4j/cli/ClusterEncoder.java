package io.github.bts4j.cli;

import io.github.bts4j.train.cluster.Cluster;
import io.github.bts4j.train.data.Document;
import io.github.bts4j.train.data.DocumentsEncoder;
import java.util.ArrayList;
import java.util.List;

/**
 * Encodes documents on a cluster: this process reads them, tasks encode a piece each.
 *
 * @param there the cluster
 * @param encoding how
 * @param chooses whether some tokens are read only
 */
record ClusterEncoder(Cluster there, Encoding encoding, boolean chooses) implements DocumentsEncoder {
    private static final int PIECE = 1 << 20; // characters
    private static final int PIECES_PER_PLACE = 4;
    private static final int MOST = 32 << 20;

    @Override
    public int atOnce() {
        return (int) Math.min(MOST, (long) PIECE * PIECES_PER_PLACE * there.parallelism());
    }

    @Override
    public List<int[]> encode(List<Document> documents) {
        List<ArrayList<Document>> pieces = new ArrayList<>();
        long size = PIECE;
        for (Document document : documents) {
            if (size >= PIECE) {
                pieces.add(new ArrayList<>());
                size = 0;
            }
            pieces.get(pieces.size() - 1).add(document);
            size += document.text().length();
        }
        return there.each(pieces, encoding).stream().flatMap(List::stream).toList();
    }
}
