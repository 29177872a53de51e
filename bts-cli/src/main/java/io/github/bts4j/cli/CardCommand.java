package io.github.bts4j.cli;

import com.fasterxml.jackson.databind.JsonNode;
import io.github.bts4j.core.DataException;
import io.github.bts4j.core.OutputException;
import io.github.bts4j.core.checkpoint.AtomicFiles;
import io.github.bts4j.core.checkpoint.ModelFingerprint;
import io.github.bts4j.core.support.JsonReader;
import io.github.bts4j.stitch.BoundCheckpoint;
import io.github.bts4j.stitch.StitchCheckpoint;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

@Command(name = "card", description = "Write a model card with the metadata of the Hugging Face Hub: base models, licence, datasets, and scores from the results of eval.",
        footer = {"", "Example:",
            "  bts card stitched --license apache-2.0 --base hub=owner/seed --scores scores.json --out README.md"})
final class CardCommand extends OutputCommand {
    private static final String NAME = "[A-Za-z0-9][A-Za-z0-9._-]*";
    private static final Pattern CACHED = Pattern.compile("models--(" + NAME + "?)--(" + NAME + ")");

    @Parameters(paramLabel = "MODEL", description = "The folder of a stitched model or of a checkpoint.")
    private Path model;

    @Option(names = "--out", paramLabel = "FILE", required = true, description = "The card, usually README.md.")
    private Path out;

    @Option(names = "--name", paramLabel = "TEXT", description = "The model's name (default: that of its folder).")
    private String name;

    @Option(names = "--license", paramLabel = "ID", defaultValue = "", description = "The licence's identifier on the Hub, such as apache-2.0 or llama3.2.")
    private String license;

    @Option(names = "--language", paramLabel = "CODE", description = "An ISO code of a language, or code; repeat for each.")
    private List<String> languages = List.of();

    @Option(names = "--base", paramLabel = "NAME=OWNER/MODEL", description = "The name on the Hub of a base model: of hub or an expert, or base for a checkpoint. Models in the Hub's cache are known.")
    private List<String> bases = List.of();

    @Option(names = "--dataset", paramLabel = "OWNER/DATASET", description = "The name on the Hub of a training set; repeat for each.")
    private List<String> datasets = List.of();

    @Option(names = "--scores", paramLabel = "FILE", description = "Results of bts eval --json; repeat for each.")
    private List<Path> scores = List.of();

    @Option(names = "--force", description = "Replace a card that is there.")
    private boolean force;

    @Mixin
    private Outcome outcome;

    @Override
    public Integer call() throws IOException {
        if (Files.isDirectory(out) || Files.exists(out) && !force) {
            throw new OutputException(out, "--out " + out + (Files.isDirectory(out) ? " is a folder: give the name of a file" : " exists: give another name, or --force to replace it"));
        }
        Optional<StitchCheckpoint.Description> stitched = Models.isStitched(model) ? Optional.of(StitchCheckpoint.describe(model)) : Optional.empty();
        if (stitched.isEmpty()) {
            ModelFingerprint.of(model); // a whole model
        }
        List<JsonNode> read = new ArrayList<>();
        for (Path file : scores) {
            read.add(scores(file));
        }
        for (String dataset : datasets) {
            requireId("--dataset", dataset, dataset);
        }
        String title = title();
        ModelCard card = new ModelCard(title, new ModelCard.Given(license, languages, datasets), bases(stitched.map(StitchCheckpoint.Description::models).orElse(List.of())), stitched, read);
        Path file = out.toAbsolutePath().normalize();
        Files.createDirectories(file.getParent());
        AtomicFiles.write(file, card.text());
        outcome.print("Wrote " + out, Outcome.object().put("out", out.toString()).put("bytes", Files.size(out)));
        return 0;
    }

    private String title() throws IOException {
        String title = name == null ? model.toRealPath().getFileName().toString() : name;
        if (title.isBlank() || title.chars().anyMatch(Character::isISOControl)) {
            throw new IllegalArgumentException("--name '" + title.replaceAll("\\p{Cntrl}+", " ") + "' is empty, or has a line break or another control character: give the name on one line");
        }
        return title;
    }

    /** The Hub's names by those of a stitched model's models; of any other model, of {@code base}. */
    private Map<String, String> bases(List<BoundCheckpoint.Base> models) {
        Map<String, String> known = new LinkedHashMap<>();
        models.forEach(base -> known.put(base.name(), cached(base)));
        if (models.isEmpty()) {
            known.put("base", "");
        }
        for (String each : bases) {
            String[] pair = Models.pair("--base", each);
            requireId("--base", each, pair[1]);
            if (known.replace(pair[0], pair[1]) == null) {
                throw new IllegalArgumentException("--base " + each + ": there is no model '" + pair[0] + "', only " + known.keySet());
            }
        }
        return known;
    }

    /** The Hub's name of a model whose folder is in its cache. */
    private static String cached(BoundCheckpoint.Base base) {
        for (String part : base.path().split("/")) {
            Matcher matcher = CACHED.matcher(part);
            if (matcher.matches()) {
                return matcher.group(1) + "/" + matcher.group(2);
            }
        }
        return "";
    }

    private static void requireId(String option, String given, String id) {
        if (!id.matches("(" + NAME + "/)?" + NAME)) {
            throw new IllegalArgumentException(option + " " + given + ": '" + id + "' is not a name on the Hub, which is OWNER/NAME");
        }
    }

    private static JsonNode scores(Path file) throws IOException {
        JsonNode scores = JsonReader.STRICT.object(file, DataException::new);
        boolean whole = scores.path("domains").isObject() && !scores.path("domains").isEmpty();
        for (JsonNode domain : scores.path("domains")) {
            whole &= domain.path("bits_per_byte").isNumber();
        }
        if (!whole) {
            throw new DataException(file, "--scores " + file + " is not a result of bts eval --json: it has no domains with bits_per_byte");
        }
        return scores;
    }
}
