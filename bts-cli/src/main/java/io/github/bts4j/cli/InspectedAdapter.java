package io.github.bts4j.cli;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.github.bts4j.core.adapter.Adapter;
import io.github.bts4j.core.adapter.AdapterConfig;
import io.github.bts4j.core.adapter.ModuleNames;
import io.github.bts4j.core.checkpoint.Checkpoint;
import io.github.bts4j.core.checkpoint.ModelFingerprint;
import io.github.bts4j.core.checkpoint.ModelFormatException;
import io.github.bts4j.core.llama.LlamaConfig;
import io.github.bts4j.core.llama.LlamaTensors;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.text.DecimalFormat;
import java.text.DecimalFormatSymbols;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.TreeSet;
import java.util.stream.Collectors;

/** Describes an adapter and, where its base is known, whether it fits that. */
final class InspectedAdapter {
    private static final int SHOWN_DIGITS = 12;

    private InspectedAdapter() {}

    /** An adapter's configuration, by PEFT's keys; with a base if the adapter names one by a path that leads to a model, whose hash is computed on request. */
    static ObjectNode describe(Path folder, boolean hashes) throws IOException {
        AdapterConfig config = AdapterConfig.read(folder);
        Optional<Path> base = config.base().flatMap(name -> named(folder, name));
        try {
            return base.isPresent() ? describe(folder, base.get(), hashes) : describe(config);
        } catch (ModelFormatException e) {
            return describe(config); // something else is there
        }
    }

    /** The same with a base that the user names. */
    static ObjectNode describe(Path folder, Path base, boolean hashes) throws IOException {
        ObjectNode adapter = describe(AdapterConfig.read(folder));
        ObjectNode found = adapter.putObject("base").put("path", base.toString());
        LlamaConfig model = LlamaConfig.read(base);
        if (hashes) {
            ModelFingerprint.of(base).files().forEach(found.withObjectProperty("sha256")::put);
        }
        try {
            found.put("modules", Adapter.open(folder, LlamaTensors.shapes(model)).modules().size()).put("fits", true);
        } catch (ModelFormatException e) {
            found.put("fits", false).put("reason", e.getMessage());
        }
        return adapter;
    }

    private static ObjectNode describe(AdapterConfig config) {
        ObjectNode adapter = Outcome.object().put("kind", kind(config)).put("r", config.rank()).put("lora_alpha", config.alpha());
        config.rankPattern().forEach(adapter.withObjectProperty("rank_pattern")::put);
        config.alphaPattern().forEach(adapter.withObjectProperty("alpha_pattern")::put);
        adapter.put("scale", config.alpha() / (config.rankStabilized() ? Math.sqrt(config.rank()) : config.rank())).put("target_modules", targets(config.targets().modules()))
                .put("bias", config.biases().json());
        config.modulesToSave().forEach(adapter.putArray("modules_to_save")::add);
        config.base().ifPresent(name -> adapter.put("base_model_name_or_path", name));
        return adapter;
    }

    private static String kind(AdapterConfig config) {
        return config.dora() ? config.rankStabilized() ? "DoRA with the scale of rsLoRA" : "DoRA" : config.rankStabilized() ? "rsLoRA" : "LoRA";
    }

    /** A base that the adapter names by a path, from here or from its own folder. */
    private static Optional<Path> named(Path folder, String name) {
        try {
            return List.of(Path.of(name), folder.resolve(name).normalize()).stream().filter(path -> Checkpoint.isGguf(path) || Files.exists(path.resolve("config.json"))).findFirst();
        } catch (java.nio.file.InvalidPathException e) {
            return Optional.empty(); // a name on the hub
        }
    }

    static String text(JsonNode adapter) {
        List<String> more = new ArrayList<>();
        adapter.path("rank_pattern").properties().forEach(each -> more.add("rank " + each.getValue() + " for " + each.getKey()));
        adapter.path("alpha_pattern").properties().forEach(each -> more.add("alpha " + number(each.getValue()) + " for " + each.getKey()));
        adapter.path("modules_to_save").forEach(each -> more.add(each.asText() + " in full"));
        if (!adapter.path("bias").asText().equals("none")) {
            more.add("biases: " + adapter.path("bias").asText());
        }
        return String.format("%s adapter of rank %s, alpha %s (scale %s), target modules %s%s%nbase: %s", adapter.path("kind").asText(), adapter.path("r"), number(adapter.path("lora_alpha")),
                number(adapter.path("scale")), adapter.path("target_modules").asText(), more.isEmpty() ? "" : "; " + String.join(", ", more), base(adapter));
    }

    private static String number(JsonNode value) {
        return new DecimalFormat("0.####", DecimalFormatSymbols.getInstance(Locale.ROOT)).format(value.asDouble());
    }

    /** Which modules, in a fixed order: PEFT writes sets. */
    private static String targets(ModuleNames modules) {
        return modules instanceof ModuleNames.Listed listed ? String.join(", ", new TreeSet<>(listed.names())) : modules.toString();
    }

    private static String base(JsonNode adapter) {
        String name = adapter.path("base_model_name_or_path").asText("not named");
        JsonNode base = adapter.path("base");
        if (base.isMissingNode()) {
            return name + "; --base DIR shows whether a model fits";
        }
        List<String> hashes = new ArrayList<>();
        base.path("sha256").properties().stream().filter(file -> !file.getKey().endsWith(".json"))
                .forEach(file -> hashes.add(file.getKey() + " " + file.getValue().asText().substring(0, SHOWN_DIGITS) + "..."));
        String found = name + "; " + base.path("path").asText() + (hashes.isEmpty() ? "" : " (" + String.join(", ", hashes) + ")");
        return found + (base.path("fits").asBoolean() ? " fits: " + base.path("modules") + " modules have low-rank matrices" : " does not fit: " + base.path("reason").asText().lines().limit(2).map(String::strip).collect(Collectors.joining(" ")));
    }
}
