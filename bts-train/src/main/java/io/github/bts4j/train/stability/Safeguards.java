package io.github.bts4j.train.stability;

import io.github.bts4j.core.support.Problems;
import io.github.bts4j.train.optim.TensorClipping;
import io.github.bts4j.train.optim.ZClip;
import java.io.Serializable;
import java.util.List;
import java.util.Optional;

/**
 * Detection of divergence, and reactions to it. {@link #OFF} only stops at the first loss or gradient that is not finite. Immutable.
 *
 * @param measureEvery steps between measurements of Adam's diagnostics; 0 never measures and costs nothing
 * @param reactions what to do when a loss spike begins, in order
 * @param reactToAlarms whether an ALARM of {@link StabilityMonitor} counts as a spike
 * @param maxReactions maximum number of reactions
 * @param maxNonFinite how many steps with a loss or gradient that is not finite to skip before the run stops
 * @param skipBatches batches of the data to skip
 * @param zClip the z-score above which {@link ZClip} clips the global gradient norm; infinite for never
 * @param tensorClipping whether and how each tensor's gradient is clipped separately
 * @serial exclude
 */
public record Safeguards(int measureEvery, List<Reaction> reactions, boolean reactToAlarms, int maxReactions, int maxNonFinite, BatchRanges skipBatches,
        double zClip, TensorClipping tensorClipping) implements Serializable {
    /** No measurement, no reaction. */
    public static final Safeguards OFF = new Safeguards(0, List.of(), false, 10, 0, BatchRanges.NONE, Double.POSITIVE_INFINITY,
            TensorClipping.OFF);

    /**
     * Copies and checks.
     *
     * @param measureEvery steps between measurements
     * @param reactions what to do when a loss spike begins
     * @param reactToAlarms whether an ALARM counts as a spike
     * @param maxReactions maximum number of reactions
     * @param maxNonFinite how many steps that are not finite to skip
     * @param skipBatches batches of the data to skip
     * @param zClip the z-score above which the gradient norm is clipped
     * @param tensorClipping whether and how each tensor's gradient is clipped separately
     * @throws IllegalArgumentException listing every value outside its range
     */
    public Safeguards {
        reactions = List.copyOf(reactions);
        Problems problems = new Problems();
        problems.addIf(measureEvery < 0 || maxReactions < 0 || maxNonFinite < 0,
                "measureEvery = " + measureEvery + ", maxReactions = " + maxReactions + ", maxNonFinite = " + maxNonFinite + ": none may be negative");
        problems.addIf(!(zClip > 0), "zClip = " + zClip + " is not positive; Double.POSITIVE_INFINITY turns it off");
        problems.addIf(reactToAlarms && measureEvery == 0, "reactToAlarms needs measurements: set measureEvery");
        problems.addIf(reactions.stream().filter(Reaction.Rewind.class::isInstance).count() > 1, "reactions contain more than one Rewind");
        problems.throwInOneLine("Safeguards: ");
    }

    /**
     * A copy with measurements.
     *
     * @param every steps between them, 0 for never
     * @return the copy
     */
    public Safeguards withMeasurements(int every) {
        return new Safeguards(every, reactions, reactToAlarms, maxReactions, maxNonFinite, skipBatches, zClip, tensorClipping);
    }

    /**
     * A copy with reactions to loss spikes.
     *
     * @param toSpikes what to do, in order
     * @return the copy
     */
    public Safeguards withReactions(Reaction... toSpikes) {
        return new Safeguards(measureEvery, List.of(toSpikes), reactToAlarms, maxReactions, maxNonFinite, skipBatches, zClip, tensorClipping);
    }

    /** {@return a copy that also reacts to alarms of the diagnostics} */
    public Safeguards withAlarms() {
        return new Safeguards(measureEvery, reactions, true, maxReactions, maxNonFinite, skipBatches, zClip, tensorClipping);
    }

    /**
     * A copy that skips steps that are not finite.
     *
     * @param most maximum number of them before the run stops
     * @return a changed copy
     */
    public Safeguards withNonFiniteSteps(int most) {
        return new Safeguards(measureEvery, reactions, reactToAlarms, maxReactions, most, skipBatches, zClip, tensorClipping);
    }

    /**
     * A copy that skips some batches of the data.
     *
     * @param ranges numbers of batches, such as {@code 100-200,350}; batch 0 is the first of the run
     * @return a changed copy
     * @throws IllegalArgumentException if the text is not such a list
     */
    public Safeguards withSkippedBatches(String ranges) {
        return new Safeguards(measureEvery, reactions, reactToAlarms, maxReactions, maxNonFinite, BatchRanges.parse(ranges), zClip, tensorClipping);
    }

    /**
     * A copy with {@link ZClip} before the limit on the global norm.
     *
     * @param threshold the z-score above which a norm is clipped; the authors' is {@link ZClip#THRESHOLD}
     * @return the copy
     */
    public Safeguards withZClip(double threshold) {
        return new Safeguards(measureEvery, reactions, reactToAlarms, maxReactions, maxNonFinite, skipBatches, threshold, tensorClipping);
    }

    /**
     * A copy with clipping by tensor, which replaces the limit on the global norm after its warm-up.
     *
     * @param how the constants, such as {@link TensorClipping#ADAGC}
     * @return the copy
     */
    public Safeguards withTensorClipping(TensorClipping how) {
        return new Safeguards(measureEvery, reactions, reactToAlarms, maxReactions, maxNonFinite, skipBatches, zClip, how);
    }

    /** {@return the rewind among the reactions; empty if there is none} */
    public Optional<Reaction.Rewind> rewind() {
        return reactions.stream().filter(Reaction.Rewind.class::isInstance).map(Reaction.Rewind.class::cast).findFirst();
    }
}
