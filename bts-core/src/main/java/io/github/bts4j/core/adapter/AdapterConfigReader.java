package io.github.bts4j.core.adapter;

import static io.github.bts4j.core.support.Problems.throwIf;

import com.fasterxml.jackson.databind.JsonNode;
import io.github.bts4j.core.checkpoint.ModelFormatException;
import io.github.bts4j.core.support.JsonReader;
import java.io.IOException;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Function;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Reads {@code adapter_config.json}. Options that are neither supported nor known to have no effect are refused by name. */
final class AdapterConfigReader {
    private static final Logger LOG = LoggerFactory.getLogger(AdapterConfigReader.class);
    private static final int DEFAULT_RANK = 8;
    private static final double DEFAULT_ALPHA = 8;

    /** Keys for training and loading, which do not change the trained adapter's computation. */
    private static final List<String> HARMLESS = List.of("auto_mapping", "peft_version", "revision", "inference_mode", "lora_dropout", "megatron_core", "qalora_group_size",
            "runtime_config", "loftq_config", "eva_config", "corda_config", "lora_ga_config");

    /** Initialisations that move a part of the base's weights into the adapter, so that the named base is not the one it belongs to. */
    private static final Set<String> CHANGE_THE_BASE = Set.of("pissa", "olora", "corda", "loftq", "lora_ga");

    private final AdapterFields fields;

    private AdapterConfigReader(AdapterFields fields) {
        this.fields = fields;
    }

    static AdapterConfig read(Path file) throws IOException {
        AdapterConfigReader reader = new AdapterConfigReader(new AdapterFields(JsonReader.STRICT.object(file, ModelFormatException::new)));
        reader.checkKind();
        reader.warnOfInitialisation(file);
        Optional<AdapterConfig> config = reader.config();
        reader.fields.refuseUnread(HARMLESS);
        throwIf(config.isEmpty() || !reader.fields.problems().isEmpty(),
                () -> new ModelFormatException(file, reader.fields.problems().message("not an adapter that bts4j can load")));
        return config.get();
    }

    private void checkKind() {
        String kind = fields.text("peft_type").orElse("");
        fields.problems().addIf(!kind.equals("LORA"), "peft_type = " + fields.shown("peft_type") + " is not supported: only \"LORA\" is");
        fields.text("task_type").filter(task -> !task.equals("CAUSAL_LM"))
                .ifPresent(task -> fields.problems().add("task_type = " + fields.shown("task_type") + " is not supported: only \"CAUSAL_LM\" is"));
    }

    private void warnOfInitialisation(Path file) {
        fields.take("init_lora_weights").filter(JsonNode::isTextual).map(JsonNode::textValue)
                .filter(name -> CHANGE_THE_BASE.stream().anyMatch(name.toLowerCase(java.util.Locale.ROOT)::startsWith))
                .ifPresent(name -> LOG.warn("{}: init_lora_weights = {} moves a part of the base's weights into the adapter: unless it was converted to plain LoRA when it was"
                        + " saved, it fits the changed base alone", file, fields.shown("init_lora_weights")));
    }

    /** Empty if a value cannot be had. */
    private Optional<AdapterConfig> config() {
        Optional<String> base = fields.text("base_model_name_or_path");
        int rank = fields.integer("r").orElse(DEFAULT_RANK);
        double alpha = fields.number("lora_alpha").orElse(DEFAULT_ALPHA);
        boolean rankStabilized = fields.flag("use_rslora");
        boolean dora = fields.flag("use_dora");
        boolean loraBias = fields.flag("lora_bias");
        TrainedBiases biases = biases();
        AdapterTargets targets = targets();
        Map<String, Integer> ranks = patterns("rank_pattern", "an integer", AdapterFields::asInteger);
        Map<String, Double> alphas = patterns("alpha_pattern", "a number", AdapterFields::asNumber);
        List<String> saved = fields.texts("modules_to_save").orElse(List.of());
        boolean ties = fields.flag("ensure_weight_tying");
        try {
            AdapterConfig config = new AdapterConfig(base, rank, alpha, rankStabilized, dora, loraBias, biases, targets, ranks, alphas, saved);
            boolean tied = ties && List.of("model.embed_tokens", "lm_head").stream().anyMatch(module -> config.saves(module) || config.adapts(module));
            fields.problems().addIf(tied, "ensure_weight_tying = true with trained embeddings or head is not supported: only false is");
            return Optional.of(config);
        } catch (IllegalArgumentException e) {
            fields.problems().add(e.getMessage());
            return Optional.empty();
        }
    }

    private TrainedBiases biases() {
        String name = fields.text("bias").orElse(TrainedBiases.NONE.json());
        for (TrainedBiases biases : TrainedBiases.values()) {
            if (biases.json().equals(name)) {
                return biases;
            }
        }
        fields.problems().add("bias = " + fields.shown("bias") + " is not supported: only \"none\", \"all\" and \"lora_only\" are");
        return TrainedBiases.NONE;
    }

    private AdapterTargets targets() {
        ModuleNames modules = names("target_modules");
        ModuleNames excluded = names("exclude_modules");
        Optional<List<Integer>> layers = fields.integers("layers_to_transform");
        List<String> pattern = fields.texts("layers_pattern").orElse(List.of());
        pattern.stream().filter(name -> !name.matches("\\w+"))
                .forEach(name -> fields.problems().add("layers_pattern = " + fields.shown("layers_pattern") + " is not supported: only names such as \"layers\" are"));
        boolean limited = layers.isPresent() || !pattern.isEmpty();
        fields.problems().addIf(limited && !(modules instanceof ModuleNames.Listed), "layers_to_transform and layers_pattern limit a list of modules, and target_modules = "
                + fields.shown("target_modules") + " is none: PEFT refuses that too; list the modules, or name the layers in the expression");
        fields.problems().addIf(modules.equals(ModuleNames.NONE), "target_modules = " + fields.shown("target_modules") + " names no module: what does the adapter change?");
        return new AdapterTargets(modules, excluded, layers, pattern);
    }

    private ModuleNames names(String key) {
        Optional<String> text = fields.peek(key).filter(JsonNode::isTextual).map(JsonNode::textValue);
        if (text.isEmpty()) {
            return new ModuleNames.Listed(fields.texts(key).orElse(List.of()));
        }
        fields.take(key);
        if (key.equals("target_modules") && text.get().equalsIgnoreCase(ModuleNames.ALL_LINEAR)) {
            return new ModuleNames.AllLinear();
        }
        try {
            return new ModuleNames.Matching(ModulePattern.whole(text.get()));
        } catch (IllegalArgumentException e) {
            fields.problems().add(key + ": " + e.getMessage());
            return ModuleNames.NONE;
        }
    }

    private <T> Map<String, T> patterns(String key, String kind, Function<JsonNode, Optional<T>> value) {
        Map<String, T> patterns = new LinkedHashMap<>();
        fields.take(key).ifPresent(node -> {
            fields.problems().addIf(!node.isObject(), key + " = " + fields.shown(key) + ": expected an object, found " + JsonReader.kind(node));
            node.properties().forEach(entry -> {
                try {
                    ModulePattern.end(entry.getKey());
                    value.apply(entry.getValue()).ifPresentOrElse(found -> patterns.put(entry.getKey(), found), () -> fields.problems()
                            .add(key + ": expected " + kind + ", found " + JsonReader.shown(entry.getValue())));
                } catch (IllegalArgumentException e) {
                    fields.problems().add(key + ": " + e.getMessage());
                }
            });
        });
        return patterns;
    }
}
