package io.github.bts4j.train;

import io.github.bts4j.core.torch.KernelChoices;
import io.github.bts4j.train.metrics.MetricsListener;
import java.util.Map;
import java.util.TreeMap;

/** The kernels that a run computes with, in its checkpoints: a resumed run computes with those that it began with, whatever is faster by then. */
final class RunKernels {
    /** The entry among those of {@link RunState#model}. Checkpoints before there was a choice have none: they were computed with the usual kernels. */
    static final String NAME = "kernels";

    private RunKernels() {}

    /** A run's identity with its kernels. */
    static Map<String, String> named(Map<String, String> identity, KernelChoices kernels) {
        Map<String, String> named = new TreeMap<>(identity);
        named.put(NAME, kernels.toString());
        return named;
    }

    /** The identity alone. */
    static Map<String, String> without(Map<String, String> named) {
        Map<String, String> identity = new TreeMap<>(named);
        identity.remove(NAME);
        return identity;
    }

    /** The kernels of a saved run, as far as they exist here. */
    static KernelChoices resumed(RunState state, MetricsListener listener) {
        KernelChoices present = KernelChoices.current();
        String saved = state.model().getOrDefault(NAME, "");
        try {
            KernelChoices begun = KernelChoices.parse(saved);
            KernelChoices possible = begun.possible();
            if (!possible.equals(begun)) {
                listener.onMessage("The run began with kernels that this processor does not have, and does not continue bit by bit: saved " + begun + ", now " + possible);
            } else if (!possible.equals(present)) {
                listener.onMessage("The run keeps the kernels that it began with: " + possible);
            }
            return possible;
        } catch (IllegalArgumentException e) {
            listener.onMessage("The run began with kernels that do not exist here, and does not continue bit by bit: saved " + saved + ", now " + present);
            return present;
        }
    }
}
