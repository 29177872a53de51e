package io.github.bts4j.spark;

import io.github.bts4j.train.data.Datamix;
import io.github.bts4j.train.data.TokenDataset;
import io.github.bts4j.train.data.TokenFolder;
import java.io.IOException;
import java.io.Serializable;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * A mixture of encoded datasets that executors open: what {@link SparkTokens} has written. Immutable and serializable.
 *
 * @param domains the domains, at least one
 * @param seed seed of the order of text
 * @serial exclude
 */
public record TokenMix(List<Part> domains, long seed) implements Serializable {
    /**
     * One domain.
     *
     * @param name its name
     * @param tokens path or address of the dataset's folder, see {@link SharedFiles}
     * @param weight its relative weight
     * @serial exclude
     */
    public record Part(String name, String tokens, double weight) implements Serializable {}

    /**
     * Copies the domains.
     *
     * @param domains the domains
     * @param seed seed of the order of text
     */
    public TokenMix {
        domains = List.copyOf(domains);
    }

    /** The mixture, from the files on this machine. */
    Datamix open() throws IOException {
        List<TokenDataset> datasets = new ArrayList<>();
        Map<String, Double> weights = new LinkedHashMap<>();
        for (Part part : domains) {
            datasets.add(TokenFolder.open(part.name, SharedFiles.local(part.tokens)));
            weights.put(part.name, part.weight);
        }
        return Datamix.of(datasets, weights).withSeed(seed);
    }
}
