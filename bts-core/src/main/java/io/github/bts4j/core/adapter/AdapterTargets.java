package io.github.bts4j.core.adapter;

import java.util.List;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Which modules an adapter changes by low-rank matrices.
 *
 * @param modules the modules
 * @param excluded modules that are excluded
 * @param layers numbers of the layers, from 0, to which {@link ModuleNames.Listed listed} modules are limited; empty for all layers
 * @param layersPattern names of the lists of layers, such as {@code layers}; empty for any
 */
public record AdapterTargets(ModuleNames modules, ModuleNames excluded, Optional<List<Integer>> layers, List<String> layersPattern) {
    private static final Pattern NUMBERED = Pattern.compile(".*?\\.([^.]*)\\.(\\d+)\\..*");

    /**
     * Copies the lists.
     *
     * @param modules the modules
     * @param excluded modules that are left out
     * @param layers numbers of the layers
     * @param layersPattern names of the lists of layers
     */
    public AdapterTargets {
        layers = layers.map(List::copyOf);
        layersPattern = List.copyOf(layersPattern);
    }

    /**
     * All modules of a choice.
     *
     * @param modules the modules
     * @return targets without exceptions
     */
    public static AdapterTargets of(ModuleNames modules) {
        return new AdapterTargets(modules, ModuleNames.NONE, Optional.empty(), List.of());
    }

    /**
     * Whether a module is targeted.
     *
     * @param module its full name
     * @return true if it is
     * @throws IllegalArgumentException if a regular expression takes too long
     */
    public boolean contains(String module) {
        return !excluded.contains(module) && modules.contains(module) && isInLayers(module);
    }

    private boolean isInLayers(String module) {
        if (layers.isEmpty() || layers.get().isEmpty() || !(modules instanceof ModuleNames.Listed listed) || listed.names().contains(module)) {
            return true;
        }
        Matcher numbered = NUMBERED.matcher(module);
        return numbered.matches() && (layersPattern.isEmpty() || layersPattern.contains(numbered.group(1))) && numbered.group(2).length() < 10
                && layers.get().contains(Integer.valueOf(numbered.group(2)));
    }
}
