package io.github.bts4j.cli;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.fasterxml.jackson.dataformat.yaml.YAMLFactory;
import com.fasterxml.jackson.dataformat.yaml.YAMLGenerator;
import com.fasterxml.jackson.dataformat.yaml.YAMLMapper;
import io.github.bts4j.stitch.BoundCheckpoint;
import io.github.bts4j.stitch.LineageStep;
import io.github.bts4j.stitch.StitchCheckpoint;
import java.io.IOException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;

/**
 * A model card: metadata as the Hub reads them, between two lines of dashes, then text in Markdown.
 *
 * @param name the model's name
 * @param given what only the publisher knows
 * @param bases the base models' names on the Hub by their names in the model; empty names of those that are not there
 * @param stitched the description of a stitched model
 * @param scores files of {@code bts eval --json}
 */
record ModelCard(String name, Given given, Map<String, String> bases, Optional<StitchCheckpoint.Description> stitched, List<JsonNode> scores) {
    private static final YAMLMapper YAML = YAMLMapper.builder(YAMLFactory.builder().disable(YAMLGenerator.Feature.WRITE_DOC_START_MARKER).disable(YAMLGenerator.Feature.SPLIT_LINES).build()).build();

    /**
     * What only the publisher knows.
     *
     * @param license the Hub's identifier of a licence, or empty
     * @param languages ISO codes
     * @param datasets names on the Hub of the data
     */
    record Given(String license, List<String> languages, List<String> datasets) {}

    String text() throws IOException {
        return "---\n" + YAML.writeValueAsString(metadata()) + "---\n\n# " + name + "\n\n" + described() + scoreTable();
    }

    private ObjectNode metadata() {
        ObjectNode card = Outcome.object();
        if (!given.license().isEmpty()) {
            card.put("license", given.license());
        }
        addAll(card, "language", given.languages());
        card.put("library_name", stitched.isPresent() ? "bts4j" : "transformers");
        card.put("pipeline_tag", "text-generation");
        addAll(card, "tags", stitched.isPresent() ? List.of("branch-train-stitch", "bts4j", "arxiv:2502.00075") : List.of("bts4j"));
        List<String> hub = bases.values().stream().filter(base -> !base.isEmpty()).distinct().toList();
        addAll(card, "base_model", hub);
        if (!hub.isEmpty()) {
            card.put("base_model_relation", stitched.isPresent() || hub.size() > 1 ? "merge" : "finetune");
        }
        addAll(card, "datasets", given.datasets());
        if (!scores.isEmpty()) {
            ObjectNode model = card.putArray("model-index").addObject().put("name", name);
            model.putArray("results");
            scores.forEach(file -> file.get("domains").properties().forEach(domain -> addResult(model, domain.getKey(), domain.getValue())));
        }
        return card;
    }

    private static void addAll(ObjectNode card, String key, List<String> values) {
        if (!values.isEmpty()) {
            values.forEach(card.putArray(key)::add);
        }
    }

    private static void addResult(ObjectNode model, String domain, JsonNode scored) {
        ObjectNode result = model.withArray("results").addObject();
        result.putObject("task").put("type", "text-generation").put("name", "Text Generation");
        result.putObject("dataset").put("name", domain).put("type", domain);
        result.putArray("metrics").addObject().put("type", "bits_per_byte").put("name", "bits per byte").put("value", scored.get("bits_per_byte").asDouble());
    }

    private String described() {
        StringBuilder text = new StringBuilder();
        if (stitched.isEmpty()) {
            bases.values().stream().filter(base -> !base.isEmpty()).findFirst().ifPresent(base -> text.append("Made from ").append(link(base)).append(".\n\n"));
            return text.toString();
        }
        StitchCheckpoint.Description model = stitched.get();
        text.append("A hub and ").append(model.models().size() - 1).append(model.models().size() == 2 ? " frozen expert" : " frozen experts").append(", joined by ").append(model.afterLayers().size())
                .append(" trained stitch layers, after layers ").append(model.afterLayers().toString().replaceAll("[\\[\\]]", "")).append(" ([Branch-Train-Stitch](https://arxiv.org/abs/2502.00075)).\n\n")
                .append("| model | on the Hub | SHA-256 of its weights |\n|---|---|---|\n");
        for (BoundCheckpoint.Base base : model.models()) {
            String hub = bases.getOrDefault(base.name(), "");
            text.append("| ").append(cell(base.name())).append(" | ").append(hub.isEmpty() ? "" : link(hub)).append(" | ").append(weights(base.files())).append(" |\n");
        }
        text.append("\nThe stitches' weights: `").append(model.sha256()).append("`\n\n");
        for (LineageStep step : model.lineage()) {
            text.append("* ").append(step.expert()).append(step.change() == LineageStep.Change.REPLACED ? ": replaced a model with the weights " : ": combined from ").append(weights(step.files())).append('\n');
        }
        return text.append(model.lineage().isEmpty() ? "" : "\n").toString();
    }

    private static String weights(Map<String, String> files) {
        Map<String, String> weights = new LinkedHashMap<>(files);
        weights.keySet().removeIf(file -> !file.endsWith(".safetensors") && !file.endsWith(".gguf") || file.startsWith("base/"));
        List<String> hashes = new ArrayList<>();
        weights.values().forEach(hash -> hashes.add("`" + hash + "`"));
        return String.join("<br>", hashes);
    }

    private static String cell(String text) {
        return text.replace("|", "\\|").replaceAll("\\R", " ");
    }

    private static String link(String id) {
        return "[" + id + "](https://huggingface.co/" + id + ")";
    }

    private String scoreTable() {
        StringBuilder text = new StringBuilder();
        for (JsonNode file : scores) {
            text.append("Bits per byte of held-out text, ").append(file.path("scored").asText()).append(":\n\n| text | bits per byte | 95 % interval | bytes |\n|---|---|---|---|\n");
            file.get("domains").properties().forEach(domain -> text.append(String.format(Locale.ROOT, "| %s | %.4f | %s | %,d |%n", cell(domain.getKey()), domain.getValue().get("bits_per_byte").asDouble(),
                    domain.getValue().path("low").isNumber() && domain.getValue().path("high").isNumber() ? String.format(Locale.ROOT, "%.4f - %.4f", domain.getValue().get("low").asDouble(), domain.getValue().get("high").asDouble()) : "",
                    domain.getValue().path("bytes").asLong())));
            text.append('\n');
        }
        return text.toString();
    }
}
