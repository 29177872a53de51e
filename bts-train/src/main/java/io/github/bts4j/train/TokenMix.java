package io.github.bts4j.train;

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
 * A mixture of encoded datasets that other processes open: such as those of {@link io.github.bts4j.train.data.TokenCache#folder}. Immutable and serializable.
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
     * @param tokens path or address of the dataset's folder
     * @param weight its relative weight
     * @param wholeDocuments whether sequences hold whole documents, as those of conversations do
     * @serial exclude
     */
    public record Part(String name, String tokens, double weight, boolean wholeDocuments) implements Serializable {
        /**
         * A domain of texts.
         *
         * @param name its name
         * @param tokens path or address of the dataset's folder
         * @param weight its relative weight
         */
        public Part(String name, String tokens, double weight) {
            this(name, tokens, weight, false);
        }
    }

    /**
     * Copies the domains.
     *
     * @param domains the domains
     * @param seed seed of the order of text
     */
    public TokenMix {
        domains = List.copyOf(domains);
    }

    /**
     * The mixture, from the files on this machine.
     *
     * @param files where the datasets are
     * @return the mixture
     * @throws IOException if a file is missing or cannot be read
     */
    public Datamix open(TrainingSource.Files files) throws IOException {
        List<TokenDataset> datasets = new ArrayList<>();
        Map<String, Double> weights = new LinkedHashMap<>();
        for (Part part : domains) {
            TokenDataset dataset = TokenFolder.open(part.name, files.find(part.tokens));
            datasets.add(part.wholeDocuments ? dataset.withWholeDocuments() : dataset);
            weights.put(part.name, part.weight);
        }
        return Datamix.of(datasets, weights).withSeed(seed);
    }
}
