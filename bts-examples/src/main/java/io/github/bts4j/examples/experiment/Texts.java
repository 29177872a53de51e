package io.github.bts4j.examples.experiment;

import static io.github.bts4j.core.support.Problems.throwIf;

import io.github.bts4j.core.chat.ChatTemplate;
import io.github.bts4j.core.checkpoint.AtomicFiles;
import io.github.bts4j.core.support.JsonReader;
import io.github.bts4j.core.tokenizer.LlamaTokenizer;
import io.github.bts4j.train.data.ChatEncoder;
import io.github.bts4j.train.data.ChatLines;
import io.github.bts4j.train.data.Datamix;
import io.github.bts4j.train.data.Document;
import io.github.bts4j.train.data.DocumentsEncoder;
import io.github.bts4j.train.data.Domain;
import io.github.bts4j.train.data.JsonLines;
import io.github.bts4j.train.data.SwitchingDomain;
import io.github.bts4j.train.data.TokenCache;
import io.github.bts4j.train.data.TokenDataset;
import io.github.bts4j.train.data.TokenEncoder;
import io.github.bts4j.train.eval.TokenBytes;
import io.github.bts4j.train.eval.WordProblem;
import io.github.bts4j.train.eval.WordProblems;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/** The experiment's text, encoded once: training and held-out text by domain. */
final class Texts {
    static final String SWITCHING = "switching";
    /** Share of the problems that must not occur in training text. */
    static final double TEST_SHARE = 0.1;

    /** One in this many generated problems is held out. */
    static final int HELD_OUT = 10;
    /** Number of segments of a sequence that switches between domains. */
    static final int SEGMENTS = 4;

    private static final String TEXT = "text";
    private static final Pattern JAVA = Pattern.compile("(?m)^package [\\w.]+;");

    private final Map<String, TokenDataset> training = new LinkedHashMap<>();
    private final Map<String, TokenDataset> heldOut = new LinkedHashMap<>();
    private final int segment;
    private final Map<String, Path> heldOutFiles = new LinkedHashMap<>();

    private final TokenBytes tokenBytes;

    private Texts(int segment, TokenBytes tokenBytes) {
        this.segment = segment;
        this.tokenBytes = tokenBytes;
    }

    static Texts read(ExperimentSpec spec, LlamaTokenizer tokenizer) throws IOException {
        TokenCache cache = TokenCache.open(spec.output().resolve("tokens"));
        Texts texts = new Texts(spec.sequenceLength() / SEGMENTS, TokenBytes.of(tokenizer));
        for (Map.Entry<String, ExperimentSpec.DomainSpec> domain : spec.domains().entrySet()) {
            ExperimentSpec.Files files = domain.getValue() instanceof ExperimentSpec.Arithmetic arithmetic
                    ? generated(spec.output().resolve("generated"), domain.getKey(), arithmetic) : (ExperimentSpec.Files) domain.getValue();
            texts.heldOutFiles.put(domain.getKey(), files.heldOut());
            Encoding encoding = Encoding.of(files, spec.tokenizer(), tokenizer);
            texts.training.put(domain.getKey(), encoding.encode(cache, domain.getKey(), files.train()));
            texts.heldOut.put(domain.getKey(), encoding.encode(cache, domain.getKey(), files.heldOut()));
        }
        return texts;
    }

    /** Writes generated problems as files, the same ones at every run. */
    private static ExperimentSpec.Files generated(Path folder, String name, ExperimentSpec.Arithmetic spec) throws IOException {
        Files.createDirectories(folder);
        WordProblems problems = new WordProblems(spec.arithmetic(), 0, TEST_SHARE);
        List<String> training = problems.documents(spec.problems(), spec.perDocument()).stream().map(Document::text).toList();
        List<String> test = problems.test(spec.problems() / HELD_OUT).stream().map(WordProblem::text).toList();
        List<String> heldOut = new ArrayList<>();
        for (int at = 0; at < test.size(); at += spec.perDocument()) {
            heldOut.add(String.join("\n\n", test.subList(at, Math.min(test.size(), at + spec.perDocument()))) + "\n");
        }
        return new ExperimentSpec.Files(lines(folder.resolve(name + ".train.jsonl"), training), lines(folder.resolve(name + ".val.jsonl"), heldOut));
    }

    private static Path lines(Path file, List<String> texts) throws IOException {
        StringBuilder lines = new StringBuilder();
        texts.forEach(text -> lines.append(JsonReader.object().put(TEXT, text)).append('\n'));
        AtomicFiles.write(file, lines.toString());
        return file;
    }

    /** How a domain's files become tokens: as texts, or as conversations of which the assistant's tokens count. */
    private record Encoding(TokenEncoder encoder, String identity) {
        static Encoding of(ExperimentSpec.Files files, Path model, LlamaTokenizer tokenizer) throws IOException {
            boolean chat = ChatLines.areIn(files.train(), TEXT);
            throwIf(chat != ChatLines.areIn(files.heldOut(), TEXT), () -> new IllegalArgumentException(
                    "Of " + files.train() + " and " + files.heldOut() + ", one has conversations and the other one texts: give both in one form"));
            if (!chat) {
                return new Encoding(TokenEncoder.of(tokenizer), TokenEncoder.identity(tokenizer));
            }
            ChatEncoder encoder = new ChatEncoder(ChatTemplate.of(model), tokenizer);
            return new Encoding(encoder, encoder.identity());
        }

        TokenDataset encode(TokenCache cache, String domain, Path file) throws IOException {
            return cache.dataset(domain, encoder.chooses() ? new ChatLines(file) : new JsonLines(file), DocumentsEncoder.parallel(encoder), identity);
        }
    }

    /** Whether a domain has conversations. */
    boolean isChat(String domain) {
        return heldOut.get(domain).isWholeDocuments();
    }

    /** Bytes of each token's text. */
    TokenBytes tokenBytes() {
        return tokenBytes;
    }

    TokenDataset heldOut(String domain) {
        return heldOut.get(domain);
    }

    /** Held-out documents of a domain, as text. */
    List<Document> heldOutDocuments(String domain) {
        try (Stream<Document> documents = new JsonLines(heldOutFiles.get(domain)).documents()) {
            return documents.toList();
        }
    }

    /** Held-out documents of all domains that are Java source, as text. */
    List<Document> javaDocuments() {
        return heldOutFiles.keySet().stream().filter(domain -> !isChat(domain)).flatMap(domain -> heldOutDocuments(domain).stream()).filter(document -> JAVA.matcher(document.text()).find()).toList();
    }

    /** Text that switches its domain every quarter of a sequence. */
    SwitchingDomain switching(List<TokenDataset> members) {
        return new SwitchingDomain(SWITCHING, members, segment);
    }

    /** A mix of domains in which a share of the sequences switches between those of text. */
    Datamix mix(ExperimentSpec.TrainingSpec spec, long seed) {
        List<TokenDataset> members = new ArrayList<>();
        double sum = 0;
        for (Map.Entry<String, Double> weight : spec.mix().entrySet()) {
            members.add(training.get(weight.getKey()));
            sum += weight.getValue();
        }
        Map<String, Double> weights = new LinkedHashMap<>();
        for (Map.Entry<String, Double> weight : spec.mix().entrySet()) {
            weights.put(weight.getKey(), weight.getValue() / sum * (1 - spec.switching()));
        }
        List<Domain> domains = new ArrayList<>(members);
        if (spec.switching() > 0) {
            domains.add(switching(members.stream().filter(each -> !each.isWholeDocuments()).toList()));
            weights.put(SWITCHING, spec.switching());
        }
        return Datamix.of(domains, weights).withSeed(seed);
    }
}
