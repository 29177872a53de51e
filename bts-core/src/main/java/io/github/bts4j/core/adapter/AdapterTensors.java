package io.github.bts4j.core.adapter;

import io.github.bts4j.core.checkpoint.ModelFormatException;
import io.github.bts4j.core.checkpoint.TensorEntry;
import io.github.bts4j.core.support.ElementType;
import io.github.bts4j.core.support.Problems;
import io.github.bts4j.core.support.Quoted;
import java.nio.file.Path;
import java.util.Collections;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;

/** Sorts the tensors of an adapter's file by their role, and collects all inconsistencies between file, configuration and base. */
final class AdapterTensors {
    static final String PREFIX = "base_model.model.";
    static final String MAGNITUDE = "lora_magnitude_vector";
    static final String LORA_A = "lora_A.weight";
    static final String LORA_B = "lora_B.weight";
    static final String LORA_B_BIAS = "lora_B.bias";
    static final String EMBEDDING_A = "lora_embedding_A";
    static final String EMBEDDING_B = "lora_embedding_B";
    private static final String BASE_LAYER = ".base_layer.";
    private static final String LM_HEAD = "lm_head";
    private static final String EMBED_TOKENS = "model.embed_tokens";
    private static final List<String> PARTS = List.of(LORA_A, LORA_B, LORA_B_BIAS, EMBEDDING_A, EMBEDDING_B, MAGNITUDE);
    private static final Set<ElementType> TYPES = Set.of(ElementType.FLOAT32, ElementType.FLOAT16, ElementType.BFLOAT16);

    private final Path file;
    private final AdapterConfig config;
    private final Map<String, List<Long>> base;
    private final Problems problems = new Problems();
    private final Map<String, Map<String, TensorEntry>> parts = new TreeMap<>();
    private final Map<String, TensorEntry> whole = new TreeMap<>();

    AdapterTensors(Path file, AdapterConfig config, Map<String, List<Long>> base) {
        this.file = file;
        this.config = config;
        this.base = new HashMap<>(base);
        this.base.putIfAbsent(LM_HEAD + ".weight", base.get(EMBED_TOKENS + ".weight")); // a tied head can be trained separately
    }

    Adapter read(Path folder, List<TensorEntry> entries) {
        entries.forEach(this::sort);
        Map<String, LowRank<TensorEntry>> modules = new LinkedHashMap<>();
        try {
            parts.forEach((module, own) -> lowRank(module, own).ifPresent(found -> modules.put(module, found)));
            whole.forEach(this::checkWhole);
            base.keySet().stream().filter(name -> name.endsWith(".weight")).map(AdapterTensors::module).sorted().forEach(this::checkPresent);
        } catch (IllegalArgumentException e) {
            problems.add(e.getMessage()); // of a regular expression
        }
        problems.addIf(parts.isEmpty() && whole.isEmpty(), "the file holds no tensor");
        if (!problems.isEmpty()) {
            String summary = "does not fit " + AdapterConfig.FILE + " and the base";
            throw problems.count() == 1 ? new ModelFormatException(file, problems.message(summary)) : ModelFormatException.listing(file, summary, problems.all());
        }
        return new Adapter(folder, config, Collections.unmodifiableMap(modules), Collections.unmodifiableMap(whole));
    }

    private void sort(TensorEntry entry) {
        String shown = "tensor " + Quoted.of(entry.name());
        if (!entry.name().startsWith(PREFIX)) {
            problems.add(shown + " does not begin with " + PREFIX + ", as PEFT's do");
            return;
        }
        problems.addIf(!TYPES.contains(entry.type()), shown + " has type " + entry.type() + ": adapters are F32, F16 or BF16");
        String name = entry.name().substring(PREFIX.length());
        for (String part : PARTS) {
            if (name.endsWith("." + part)) {
                parts.computeIfAbsent(name.substring(0, name.length() - part.length() - 1), any -> new TreeMap<>()).put(part, entry);
                return;
            }
        }
        String own = name.replace(BASE_LAYER, ".");
        problems.addIf(whole.put(own, entry) != null, shown + " occurs twice, with and without base_layer");
    }

    private static String module(String tensor) {
        return tensor.substring(0, Math.max(0, tensor.lastIndexOf('.')));
    }

    /** The parts of one module, if they are all there. */
    private Optional<LowRank<TensorEntry>> lowRank(String module, Map<String, TensorEntry> own) {
        String shown = "module " + Quoted.of(module);
        List<Long> weight = base.get(module + ".weight");
        if (weight == null || weight.size() != 2) {
            problems.add(shown + " is not a linear module of the base");
            return Optional.empty();
        }
        if (!config.adapts(module)) {
            problems.add(shown + " has low-rank matrices, but is not among target_modules");
            return Optional.empty();
        }
        boolean table = module.equals(EMBED_TOKENS);
        TensorEntry a = own.remove(table ? EMBEDDING_A : LORA_A);
        TensorEntry b = own.remove(table ? EMBEDDING_B : LORA_B);
        Optional<TensorEntry> magnitude = Optional.ofNullable(own.remove(MAGNITUDE));
        Optional<TensorEntry> bias = Optional.ofNullable(own.remove(LORA_B_BIAS));
        own.values().forEach(extra -> problems.add("tensor " + Quoted.of(extra.name()) + " does not belong to " + (table ? "an embedding" : "a linear module")));
        if (a == null || b == null) {
            problems.add(shown + " has no " + (a == null ? table ? EMBEDDING_A : LORA_A : table ? EMBEDDING_B : LORA_B));
            return Optional.empty();
        }
        problems.addIf(magnitude.isPresent() != config.dora(), shown + " has " + (magnitude.isPresent() ? "a" : "no") + " " + MAGNITUDE + ", use_dora = " + config.dora());
        problems.addIf(bias.isPresent() != config.loraBias(), shown + " has " + (bias.isPresent() ? "a " : "no ") + LORA_B_BIAS + ", lora_bias = " + config.loraBias());
        long out = weight.get(table ? 1 : 0);
        checkShape(a, (long) config.rank(module), weight.get(table ? 0 : 1));
        checkShape(b, out, (long) config.rank(module));
        magnitude.ifPresent(entry -> checkShape(entry, out));
        bias.ifPresent(entry -> checkShape(entry, out));
        return Optional.of(new LowRank<>(a, b, magnitude, bias, config.scaling(module), table));
    }

    private void checkShape(TensorEntry entry, Long... expected) {
        problems.addIf(!entry.shape().equals(List.of(expected)), "tensor " + Quoted.of(entry.name()) + " has shape " + entry.shape() + ", base and " + AdapterConfig.FILE + " imply "
                + List.of(expected));
    }

    private void checkWhole(String name, TensorEntry entry) {
        List<Long> shape = base.get(name);
        String shown = "tensor " + Quoted.of(entry.name());
        if (shape == null) {
            problems.add(shown + " is neither of an adapter nor of the base");
            return;
        }
        boolean trained = config.saves(module(name)) || name.endsWith(".bias") && (config.biases() == TrainedBiases.ALL || config.biases() == TrainedBiases.LORA_ONLY && config.adapts(module(name)));
        boolean copied = entry.name().contains(BASE_LAYER) && List.of(EMBED_TOKENS, LM_HEAD).contains(module(name));
        problems.addIf(!trained && !copied, shown + " is a tensor of the base, but neither modules_to_save nor bias includes it");
        problems.addIf(!entry.shape().equals(shape), shown + " has shape " + entry.shape() + ", the base has " + shape
                + (entry.shape().size() == 2 ? ": was the vocabulary resized? Resize the base first" : ""));
    }

    /** Checks that a module has the tensors that the configuration requires. */
    private void checkPresent(String module) {
        boolean saved = config.saves(module);
        problems.addIf(saved && !whole.containsKey(module + ".weight"), "module '" + module + "' is in modules_to_save, but has no tensor");
        problems.addIf(!saved && base.get(module + ".weight").size() == 2 && !parts.containsKey(module) && config.adapts(module),
                "module '" + module + "' is among target_modules, but has no low-rank matrices");
    }
}
