package io.github.bts4j.train.data;

import io.github.bts4j.core.support.Problems;
import java.util.Collection;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;

/** Collects all problems of a mix's weights. */
final class DatamixProblems {

    private final Problems problems = new Problems();

    private DatamixProblems() {
    }

    static Problems of(Collection<? extends Domain> domains, Map<String, Double> weights) {
        DatamixProblems found = new DatamixProblems();
        Set<String> names = found.names(domains);
        found.values(weights);
        found.strangers(names, weights);
        domains.forEach(domain -> found.domain(domain, weights));
        return found.problems;
    }

    private Set<String> names(Collection<? extends Domain> domains) {
        Set<String> names = new HashSet<>();
        for (Domain domain : domains) {
            problems.addIf(!names.add(domain.name()), "domain '" + domain.name() + "' is given twice");
        }
        problems.addIf(names.isEmpty(), "there is no domain");
        return names;
    }

    private void values(Map<String, Double> weights) {
        new TreeMap<>(weights).forEach((name, weight) -> {
            problems.addIf(!(weight >= 0 && weight < Double.POSITIVE_INFINITY),
                    "weight of domain '" + name + "' = " + weight + " must be zero or more and finite");
        });
        problems.addIf(weights.values().stream().allMatch(weight -> weight == 0),
                "weights " + new TreeMap<>(weights) + " sum to zero: at least one must be positive");
    }

    private void strangers(Set<String> names, Map<String, Double> weights) {
        for (String name : new TreeMap<>(weights).keySet()) {
            problems.addIf(!names.contains(name),
                    "weight for unknown domain '" + name + "' (domains: " + String.join(", ", names.stream().sorted().toList()) + ")");
        }
    }

    private void domain(Domain domain, Map<String, Double> weights) {
        if (!weights.containsKey(domain.name())) {
            problems.add("domain '" + domain.name() + "' has no weight: use 0 to omit it");
        } else if (weights.get(domain.name()) > 0 && domain instanceof TokenDataset dataset && dataset.size() == 0) {
            problems.add("domain '" + domain.name() + "' has a weight but no data");
        }
    }

    /** {@code shares} are the domains' sequences in one period. */
    static void refuseInvisible(List<Domain> domains, double[] weights, int[] shares) {
        Problems problems = new Problems();
        for (int d = 0; d < weights.length; d++) {
            problems.addIf(weights[d] > 0 && shares[d] == 0,
                    "weight of domain '" + domains.get(d).name() + "' is " + weights[d]
                    + " of the sum, less than one sequence in " + BlockCounts.MAX_PERIOD
                    + ": it would never be drawn; raise it or set it to 0");
        }
        problems.throwInOneLine("Datamix: ");
    }
}
