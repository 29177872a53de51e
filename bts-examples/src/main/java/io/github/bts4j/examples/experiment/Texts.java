package io.github.bts4j.examples.experiment;

import io.github.bts4j.core.tokenizer.LlamaTokenizer;
import io.github.bts4j.train.data.Datamix;
import io.github.bts4j.train.data.Domain;
import io.github.bts4j.train.data.JsonLines;
import io.github.bts4j.train.data.SwitchingDomain;
import io.github.bts4j.train.data.TokenCache;
import io.github.bts4j.train.data.TokenDataset;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;

/** The experiment's text, encoded once: what is trained on and what is held out, by domain. */
final class Texts {
    static final String SWITCHING = "switching";
    static final int SEGMENT = 64;

    private final Map<String, TokenDataset> training = new LinkedHashMap<>();
    private final Map<String, TokenDataset> heldOut = new LinkedHashMap<>();

    private Texts() {}

    static Texts read(ExperimentSpec spec, LlamaTokenizer tokenizer) throws IOException {
        TokenCache cache = TokenCache.open(spec.output().resolve("tokens"));
        Texts texts = new Texts();
        for (Map.Entry<String, ExperimentSpec.DomainSpec> domain : spec.domains().entrySet()) {
            texts.training.put(domain.getKey(), encode(cache, domain.getKey(), domain.getValue().train(), tokenizer));
            texts.heldOut.put(domain.getKey(), encode(cache, domain.getKey(), domain.getValue().heldOut(), tokenizer));
        }
        return texts;
    }

    private static TokenDataset encode(TokenCache cache, String domain, Path file, LlamaTokenizer tokenizer) throws IOException {
        return cache.dataset(domain, new JsonLines(file), text -> tokenizer.encode(text, true), tokenizer.sha256() + " with special tokens", OptionalInt.empty());
    }

    TokenDataset heldOut(String domain) {
        return heldOut.get(domain);
    }

    /** A mix of domains, a share of whose sequences switch between them. */
    Datamix mix(ExperimentSpec.TrainingSpec spec, long seed) {
        List<TokenDataset> members = new ArrayList<>();
        double sum = 0;
        for (Map.Entry<String, Double> weight : spec.mix().entrySet()) {
            TokenDataset member = training.get(weight.getKey());
            if (member == null) {
                throw new IllegalArgumentException("mix: there is no domain '" + weight.getKey() + "', only " + training.keySet());
            }
            members.add(member);
            sum += weight.getValue();
        }
        Map<String, Double> weights = new LinkedHashMap<>();
        for (Map.Entry<String, Double> weight : spec.mix().entrySet()) {
            weights.put(weight.getKey(), weight.getValue() / sum * (1 - spec.switching()));
        }
        List<Domain> domains = new ArrayList<>(members);
        if (spec.switching() > 0) {
            domains.add(new SwitchingDomain(SWITCHING, members, SEGMENT));
            weights.put(SWITCHING, spec.switching());
        }
        return Datamix.of(domains, weights).withSeed(seed);
    }
}
