package io.github.bts4j.examples.quickstart;

import io.github.bts4j.core.checkpoint.AtomicFiles;
import io.github.bts4j.core.tokenizer.LlamaTokenizer;
import io.github.bts4j.train.data.Datamix;
import io.github.bts4j.train.data.Domain;
import io.github.bts4j.train.data.HoldOut;
import io.github.bts4j.train.data.JsonLines;
import io.github.bts4j.train.data.Split;
import io.github.bts4j.train.data.SwitchingDomain;
import io.github.bts4j.train.data.TokenDataset;
import io.github.bts4j.train.data.TokenEncoder;
import io.github.bts4j.train.data.Window;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** The bundled corpus: four domains, split by document into training and held-out text. */
final class Corpus {
    static final List<String> DOMAINS = List.of("english", "code", "math", "lang2");
    static final String SWITCHING = "switching";

    /** Display names, also of models in a stitch; files and folders have the short ones. */
    private static final Map<String, String> TITLES = Map.of("english", "English", "math", "maths", "lang2", "Spanish");

    private static final String RESOURCES = "/io/github/bts4j/examples/";
    private static final List<String> TOKENIZER_FILES = List.of("tokenizer.json", "tokenizer_config.json");

    private final Map<String, TokenDataset> training = new LinkedHashMap<>();
    private final Map<String, TokenDataset> heldOut = new LinkedHashMap<>();

    private Corpus() {}

    /** The display name of a domain, or of its expert. */
    static String title(String name) {
        return TITLES.getOrDefault(name, name);
    }

    /** Unpacks the bundled files into a folder and encodes them. */
    static Corpus load(Path folder, LlamaTokenizer tokenizer) throws IOException {
        Files.createDirectories(folder);
        Corpus corpus = new Corpus();
        for (String domain : DOMAINS) {
            Path file = folder.resolve(domain + ".jsonl");
            copy("corpus/" + domain + ".jsonl", file);
            TokenDataset all = TokenDataset.encode(domain, new JsonLines(file), text -> TokenEncoder.of(tokenizer).encode(withoutLicence(text)));
            Split split = all.split(HoldOut.everyKth(Recipe.HOLD_OUT_EVERY));
            corpus.training.put(domain, split.training());
            corpus.heldOut.put(domain, split.heldOut());
        }
        return corpus;
    }

    /** Unpacks the bundled tokenizer. */
    static void unpackTokenizer(Path folder) throws IOException {
        Files.createDirectories(folder);
        for (String file : TOKENIZER_FILES) {
            copy("tokenizer/" + file, folder.resolve(file));
        }
    }

    private static void copy(String resource, Path file) throws IOException {
        try (InputStream in = Corpus.class.getResourceAsStream(RESOURCES + resource)) {
            AtomicFiles.write(file, in.readAllBytes());
        }
    }

    /** The Apache licence header is the same in every Java file: no text to learn, and none to score. */
    private static String withoutLicence(String text) {
        boolean header = text.startsWith("/*") && text.substring(0, Math.min(400, text.length())).contains("Licensed to the Apache");
        return header ? text.substring(text.indexOf("*/") + 2).stripLeading() : text;
    }

    /** A mix of domains in which a share of the sequences switches between them. */
    Datamix mix(Map<String, Double> weights, double switching, long seed) {
        List<TokenDataset> members = weights.keySet().stream().map(training::get).toList();
        List<Domain> domains = new ArrayList<>(members);
        domains.add(new SwitchingDomain(SWITCHING, members, Recipe.SEGMENT));
        double sum = weights.values().stream().mapToDouble(Double::doubleValue).sum();
        Map<String, Double> all = new LinkedHashMap<>();
        weights.forEach((name, weight) -> all.put(name, weight / sum * (1 - switching)));
        all.put(SWITCHING, switching);
        return Datamix.of(domains, all).withSeed(seed);
    }

    /** At most so many held-out windows of every domain, then of those that switch between domains. */
    Map<String, List<Window>> windows(int most) {
        Map<String, List<Window>> windows = new LinkedHashMap<>();
        heldOut.forEach((name, dataset) -> windows.put(name, first(dataset.windows(Recipe.SEQUENCE), most)));
        windows.put(SWITCHING, first(new SwitchingDomain(SWITCHING, List.copyOf(heldOut.values()), Recipe.SEGMENT).windows(Recipe.SEQUENCE), most));
        return windows;
    }

    private static List<Window> first(List<Window> windows, int most) {
        return windows.subList(0, Math.min(most, windows.size()));
    }

    /** Training tokens of all domains together. */
    int trainingTokens() {
        return training.values().stream().mapToInt(TokenDataset::size).sum();
    }
}
