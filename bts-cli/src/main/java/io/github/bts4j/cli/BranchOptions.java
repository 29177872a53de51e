package io.github.bts4j.cli;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.github.bts4j.core.TrainingException;
import io.github.bts4j.core.llama.LlamaConfig;
import io.github.bts4j.core.tokenizer.LlamaTokenizer;
import io.github.bts4j.train.BranchedExpert;
import io.github.bts4j.train.ExpertRun;
import io.github.bts4j.train.ResumeException;
import io.github.bts4j.train.RunLock;
import io.github.bts4j.train.TokenMix;
import io.github.bts4j.train.TrainerConfig;
import io.github.bts4j.train.cluster.Cluster;
import io.github.bts4j.train.data.DocumentsEncoder;
import io.github.bts4j.train.data.TokenCache;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** Options for the training of several experts at once. */
final class BranchOptions {
    private static final String TOKENS = "tokens";
    private static final double USUAL_RATE = 1e-4;
    /** Options of {@code branch} that copies have, too. */
    private static final Set<String> COPIES = Set.of("--force", "--json", "--help", "--version", "--debug", "--download");

    @Mixin
    private TextOptions texts;

    @Mixin
    private StepOptions steps;

    @Option(names = "--freeze-embeddings", description = "Freeze the embeddings, the final norm and the head: a stitched model uses the hub's for all experts.")
    private boolean freezeEmbeddings;

    @Mixin
    private ClusterOption cluster;

    @Spec(Spec.Target.MIXEE)
    private CommandSpec command;

    /** Refuses options of a training that were given. */
    void refuseGiven(CommandSpec spec, String why) {
        for (OptionSpec option : spec.commandLine().getParseResult().matchedOptions()) {
            if (!COPIES.contains(option.longestName())) {
                throw new IllegalArgumentException(option.longestName() + " " + why + "; omit it, or give --train NAME=DOMAIN");
            }
        }
    }

    /** Trains all experts, here one after the other. */
    void train(Path model, Path out, List<String> experts, List<String> data, boolean force, Outcome outcome) throws IOException {
        Map<String, Map<String, Double>> mixes = mixes(experts);
        Set<String> own = new LinkedHashSet<>(Set.of(TOKENS));
        mixes.keySet().forEach(name -> own.addAll(List.of(name, name + "-run")));
        OutputFolder.checkOwn("OUT " + out, out, own, force);
        if (data.isEmpty()) {
            throw new IllegalArgumentException("--train " + experts.get(0) + " needs --data DOMAIN=PATH: there is no text");
        }
        checkDomains(mixes, data.stream().map(each -> Models.pair("--data", each)[0]).toList());
        steps.checkContext(LlamaConfig.read(model).contextLength());
        TrainerConfig config = steps.config(() -> USUAL_RATE);
        try (LlamaTokenizer tokenizer = LlamaTokenizer.open(model); Cluster there = cluster.open().orElse(null)) {
            Path folder = Files.createDirectories(out).toAbsolutePath().normalize();
            List<ExpertRun> runs = new ArrayList<>();
            Map<String, TokenMix.Part> domains = tokens(there, tokenizer, data, folder);
            mixes.forEach((name, mix) -> runs.add(new ExpertRun(name, model.toAbsolutePath().toString(), mix(mix, domains), config, folder.toString(), freezeEmbeddings)));
            List<BranchedExpert> done = there == null ? here(runs) : there.branch(runs, report());
            ObjectNode result = Outcome.object().put("out", out.toString());
            for (BranchedExpert expert : done) {
                Path place = out.resolve(expert.name());
                ConvertCommand.copyFiles(model, place);
                texts.writeTemplate(place);
                result.withObject("/experts").set(expert.name(), Outcome.made(place).put("steps", expert.steps()).put("sha256", expert.sha256()));
            }
            outcome.print(done.stream().map(expert -> "Saved the expert to " + out.resolve(expert.name())).collect(Collectors.joining(System.lineSeparator())), result);
        }
    }

    /** Every domain of a mix has data, and the other way round. */
    private static void checkDomains(Map<String, Map<String, Double>> mixes, List<String> domains) {
        Set<String> used = new LinkedHashSet<>();
        mixes.forEach((name, mix) -> mix.keySet().forEach(domain -> {
            used.add(domain);
            if (!domains.contains(domain)) {
                throw new IllegalArgumentException("--train " + name + "=..: there is no domain '" + domain + "', only " + domains);
            }
        }));
        domains.stream().filter(domain -> !used.contains(domain)).findFirst().ifPresent(domain -> {
            throw new IllegalArgumentException("--data " + domain + "=..: no expert is trained on it; name it in --train, or omit it");
        });
    }

    private BranchReport report() {
        return new BranchReport(command.commandLine().getErr());
    }

    private List<BranchedExpert> here(List<ExpertRun> runs) throws IOException {
        List<BranchedExpert> done = new ArrayList<>();
        BranchReport report = report();
        for (ExpertRun run : runs) {
            try {
                done.add(run.run(Path::of, RunLock::acquire, report.of(run.name())));
            } catch (ResumeException e) { // as a task's failure is reported
                throw new TrainingException(e.getMessage(), e);
            }
        }
        return done;
    }

    /** The domains' tokens in a cache in the folder, which executors read. */
    private Map<String, TokenMix.Part> tokens(Cluster there, LlamaTokenizer tokenizer, List<String> data, Path folder) throws IOException {
        TokenCache cache = TokenCache.open(folder.resolve(TOKENS));
        Map<String, TokenMix.Part> parts = new LinkedHashMap<>();
        for (TextOptions.Domain domain : texts.domains(data)) {
            TextOptions.Encoded how = texts.encoded(domain, tokenizer);
            DocumentsEncoder encoder = there == null ? how.encoder() : new ClusterEncoder(there, how.encoding(), how.encoder().chooses());
            List<String> problems = cache.dataset(domain.name(), domain.source(), encoder, how.identity()).problems(steps.sequence());
            if (!problems.isEmpty()) {
                throw new IllegalArgumentException(String.join("; ", problems));
            }
            parts.put(domain.name(), new TokenMix.Part(domain.name(), cache.folder(domain.source(), how.identity()).toString(), 1, how.encoder().chooses()));
        }
        return parts;
    }

    private TokenMix mix(Map<String, Double> weights, Map<String, TokenMix.Part> domains) {
        List<TokenMix.Part> parts = new ArrayList<>();
        weights.forEach((domain, weight) -> parts.add(new TokenMix.Part(domain, domains.get(domain).tokens(), weight, domains.get(domain).wholeDocuments())));
        return new TokenMix(parts, steps.seed());
    }

    private static Map<String, Map<String, Double>> mixes(List<String> experts) {
        Map<String, Map<String, Double>> mixes = new LinkedHashMap<>();
        for (String each : experts) {
            String[] pair = Models.pair("--train", each);
            if (!pair[0].matches("\\w[\\w.-]*") || pair[0].equals(TOKENS) || pair[0].endsWith("-run")) {
                throw new IllegalArgumentException("--train " + each + ": the name is that of a folder; use letters, digits, '_', '-' and '.', and neither 'tokens' nor an ending '-run'");
            }
            Map<String, Double> mix = new LinkedHashMap<>();
            for (String part : pair[1].split(",", -1)) {
                int colon = part.lastIndexOf(':');
                String domain = colon < 0 ? part : part.substring(0, colon);
                double weight = colon < 0 ? 1 : Models.number("--train", each, part.substring(colon + 1));
                if (domain.isEmpty() || weight <= 0 || mix.put(domain, weight) != null) {
                    throw new IllegalArgumentException("--train " + each + ": '" + part + "' must be DOMAIN or DOMAIN:WEIGHT with a weight above 0, each domain once");
                }
            }
            if (mixes.put(pair[0], mix) != null) {
                throw new IllegalArgumentException("--train " + each + ": the expert '" + pair[0] + "' was given twice");
            }
        }
        return mixes;
    }
}
