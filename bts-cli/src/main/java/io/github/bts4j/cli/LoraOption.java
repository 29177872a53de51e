package io.github.bts4j.cli;

import io.github.bts4j.core.adapter.AdapterConfig;
import io.github.bts4j.core.adapter.ModuleNames;
import java.util.List;
import java.util.Optional;
import picocli.CommandLine.Option;

/** Chooses what is trained: all weights, or an adapter. */
final class LoraOption {
    private static final String FORM = "rank=R,alpha=A[,targets=q_proj+v_proj][,rslora][,dora]";

    @Option(names = "--lora", paramLabel = "SPEC", description = "Train an adapter instead of the model's weights: " + FORM
            + ". Targets are linear modules of the layers (default: all). OUT is in PEFT's format.")
    private String spec;

    /** The adapter to train, if there is one. */
    Optional<AdapterConfig> config() {
        return spec == null ? Optional.empty() : Optional.of(parsed());
    }

    private AdapterConfig parsed() {
        Integer rank = null;
        Double alpha = null;
        ModuleNames targets = new ModuleNames.AllLinear();
        boolean rankStabilized = false;
        boolean dora = false;
        for (String part : spec.split(",", -1)) {
            String key = part.contains("=") ? part.substring(0, part.indexOf('=')) : part;
            String value = part.substring(Math.min(part.length(), key.length() + 1));
            switch (key) {
                case "rank" -> rank = rank(value);
                case "alpha" -> alpha = Models.number("--lora", spec, value);
                case "targets" -> targets = targets(value);
                case "rslora" -> rankStabilized = flag(part, key);
                case "dora" -> dora = flag(part, key);
                default -> throw wrong("'" + part + "' is not known");
            }
        }
        if (rank == null) {
            throw wrong("rank is missing");
        }
        return AdapterConfig.lora(rank, alpha == null ? 2.0 * rank : alpha, targets).withRankStabilized(rankStabilized).withDora(dora);
    }

    private int rank(String value) {
        if (!value.matches("[1-9]\\d{0,5}")) {
            throw wrong("rank = '" + value + "' is no number from 1 to 999999");
        }
        return Integer.parseInt(value);
    }

    private ModuleNames targets(String value) {
        if (value.equals(ModuleNames.ALL_LINEAR)) {
            return new ModuleNames.AllLinear();
        }
        List<String> names = List.of(value.split("\\+", -1));
        List<String> known = List.of("q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj");
        names.stream().filter(name -> !known.contains(name)).findFirst().ifPresent(name -> {
            throw wrong("target '" + name + "' is none of " + String.join(", ", known));
        });
        return new ModuleNames.Listed(names);
    }

    private boolean flag(String part, String key) {
        if (!part.equals(key)) {
            throw wrong(key + " takes no value");
        }
        return true;
    }

    private IllegalArgumentException wrong(String what) {
        return new IllegalArgumentException("--lora " + spec + ": " + what + "; the form is " + FORM);
    }
}
