package io.github.bts4j.core.adapter;

import io.github.bts4j.core.support.Problems;
import io.github.bts4j.core.support.Quoted;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * The content of PEFT's {@code adapter_config.json}.
 *
 * @param base the base model as the adapter's author named it: a name on the hub, or a path
 * @param rank r, the default number of rows of A; at least 1
 * @param alpha the default numerator of the scale; finite in float32, and not 0 if no pattern gives another; below 0 it takes away what was learned, as in PEFT, which checks nothing
 * @param rankStabilized whether the scale is {@code alpha / sqrt(r)} (rsLoRA) and not {@code alpha / r}
 * @param dora whether each row has a length of its own (DoRA)
 * @param loraBias whether B has a bias
 * @param biases which of the base's biases were trained
 * @param targets the modules with low-rank matrices
 * @param rankPattern other ranks, by regular expressions over the ends of module names; the first that matches counts
 * @param alphaPattern other alphas, in the same way
 * @param modulesToSave ends of the names of modules that were trained in full
 */
public record AdapterConfig(Optional<String> base, int rank, double alpha, boolean rankStabilized, boolean dora, boolean loraBias, TrainedBiases biases,
        AdapterTargets targets, Map<String, Integer> rankPattern, Map<String, Double> alphaPattern, List<String> modulesToSave) {
    /** The file's name. */
    public static final String FILE = "adapter_config.json";

    private static final String USUAL_ALPHA = "; usual are r and 2 r, PEFT's default is 8";

    /**
     * Checks the values.
     *
     * @param base the base model
     * @param rank r
     * @param alpha the default numerator of the scale
     * @param rankStabilized whether it is rsLoRA
     * @param dora whether it is DoRA
     * @param loraBias whether B has a bias
     * @param biases which of the base's biases were trained
     * @param targets the modules with low-rank matrices
     * @param rankPattern other ranks
     * @param alphaPattern other alphas
     * @param modulesToSave ends of the names of modules that were trained in full
     * @throws IllegalArgumentException listing those that are out of range
     */
    public AdapterConfig {
        rankPattern = Collections.unmodifiableMap(new LinkedHashMap<>(rankPattern));
        alphaPattern = Collections.unmodifiableMap(new LinkedHashMap<>(alphaPattern));
        modulesToSave = List.copyOf(modulesToSave);
        Problems problems = new Problems();
        problems.positive("r", rank);
        problems.addIf(!Float.isFinite((float) alpha), "lora_alpha = " + alpha + " must be finite in float32" + USUAL_ALPHA);
        problems.addIf((float) alpha == 0 && alphaPattern.values().stream().allMatch(value -> value.floatValue() == 0),
                "lora_alpha = " + alpha + " leaves the base as it is: it must not be 0 in float32" + USUAL_ALPHA);
        rankPattern.forEach((pattern, value) -> problems.positive("rank_pattern " + Quoted.of(pattern), value));
        alphaPattern.forEach((pattern, value) -> problems.addIf(!Float.isFinite(value.floatValue()), "alpha_pattern " + Quoted.of(pattern) + " = " + value + " must be finite in float32"));
        problems.addIf(dora && loraBias, "use_dora = true with lora_bias = true is not supported: use one of them");
        modulesToSave.forEach(name -> problems.addIf(name.isBlank(), "modules_to_save holds an empty name, which would be every module"));
        problems.throwInOneLine("");
    }

    /**
     * Plain LoRA.
     *
     * @param rank r
     * @param alpha the numerator of the scale
     * @param targets the modules
     * @return the configuration
     * @throws IllegalArgumentException if a value is out of range
     */
    public static AdapterConfig lora(int rank, double alpha, ModuleNames targets) {
        return new AdapterConfig(Optional.empty(), rank, alpha, false, false, false, TrainedBiases.NONE, AdapterTargets.of(targets), Map.of(), Map.of(), List.of());
    }

    /**
     * The same of a base.
     *
     * @param named a name on the hub, or a path
     * @return changed configuration
     */
    public AdapterConfig withBase(String named) {
        return new AdapterConfig(Optional.of(named), rank, alpha, rankStabilized, dora, loraBias, biases, targets, rankPattern, alphaPattern, modulesToSave);
    }

    /**
     * A copy with or without DoRA.
     *
     * @param dora whether it is DoRA
     * @return the copy
     */
    public AdapterConfig withDora(boolean dora) {
        return new AdapterConfig(base, rank, alpha, rankStabilized, dora, loraBias, biases, targets, rankPattern, alphaPattern, modulesToSave);
    }

    /**
     * A copy with another scale.
     *
     * @param rsLora whether it is that of rsLoRA
     * @return the copy
     */
    public AdapterConfig withRankStabilized(boolean rsLora) {
        return new AdapterConfig(base, rank, alpha, rsLora, dora, loraBias, biases, targets, rankPattern, alphaPattern, modulesToSave);
    }

    /**
     * Reads the configuration of an adapter.
     *
     * @param folder a folder with an adapter_config.json
     * @return the configuration
     * @throws IOException if the file cannot be read
     * @throws io.github.bts4j.core.checkpoint.ModelFormatException if it is malformed, or needs unsupported features
     */
    public static AdapterConfig read(Path folder) throws IOException {
        return AdapterConfigReader.read(folder.resolve(FILE));
    }

    /**
     * The rank of a module's matrices.
     *
     * @param module its full name
     * @return r
     * @throws IllegalArgumentException if a regular expression takes too long
     */
    public int rank(String module) {
        return first(rankPattern, module, rank);
    }

    /**
     * The scale of a module's product of matrices.
     *
     * @param module its full name
     * @return {@code alpha / r}, or {@code alpha / sqrt(r)}
     * @throws IllegalArgumentException if a regular expression takes too long
     */
    public double scaling(String module) {
        int r = rank(module);
        return first(alphaPattern, module, alpha) / (rankStabilized ? Math.sqrt(r) : r);
    }

    private static <T> T first(Map<String, T> patterns, String module, T otherwise) {
        for (Map.Entry<String, T> entry : patterns.entrySet()) {
            if (ModulePattern.end(entry.getKey()).matches(module)) {
                return entry.getValue();
            }
        }
        return otherwise;
    }

    /**
     * Whether a module, or one that it is part of, was trained in full.
     *
     * @param module its full name
     * @return true if the adapter holds its tensors themselves
     */
    public boolean saves(String module) {
        for (int end = module.length(); end > 0; end = module.lastIndexOf('.', end - 1)) {
            String outer = module.substring(0, end);
            if (modulesToSave.stream().anyMatch(outer::endsWith)) {
                return true;
            }
        }
        return false;
    }

    /**
     * Whether a module has low-rank matrices.
     *
     * @param module its full name
     * @return true if it is targeted and not trained in full
     * @throws IllegalArgumentException if a regular expression takes too long
     */
    public boolean adapts(String module) {
        return !saves(module) && targets.contains(module);
    }
}
