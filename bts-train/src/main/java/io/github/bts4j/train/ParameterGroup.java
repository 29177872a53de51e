package io.github.bts4j.train;

import io.github.bts4j.train.optim.AdamWConfig;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeSet;
import java.util.regex.Pattern;

/**
 * Trained tensors with constants of their own, as torch.optim's parameter groups are.
 *
 * @param names regular expression that must match a tensor's whole name, such as {@code stitch[.][0-9]+[.]gate[.].*}
 * @param optimizer their constants; the weight decay holds for every tensor of the group, vectors too
 * @param learningRateFactor what the schedule's learning rate is multiplied by, not negative
 */
public record ParameterGroup(String names, AdamWConfig optimizer, double learningRateFactor) {
    /**
     * Checks the values.
     *
     * @param names regular expression for whole names
     * @param optimizer constants
     * @param learningRateFactor what the schedule's learning rate is multiplied by
     * @throws IllegalArgumentException if the factor is negative or not a number, or the expression is none
     */
    public ParameterGroup {
        Pattern.compile(names);
        if (!(learningRateFactor >= 0 && learningRateFactor < Double.POSITIVE_INFINITY)) {
            throw new IllegalArgumentException("learningRateFactor = " + learningRateFactor + " of group '" + names + "' is negative or not a number");
        }
    }

    /**
     * Whether a tensor belongs to the group, unless to an earlier one.
     *
     * @param name the tensor's name
     * @return true if the expression matches
     */
    public boolean holds(String name) {
        return name.matches(names);
    }

    /** The first group that a name belongs to. */
    static Optional<ParameterGroup> of(String name, List<ParameterGroup> groups) {
        return groups.stream().filter(group -> group.holds(name)).findFirst();
    }

    static void check(List<ParameterGroup> groups, Map<String, ?> parameters) {
        for (ParameterGroup group : groups) {
            if (parameters.keySet().stream().noneMatch(name -> of(name, groups).filter(group::equals).isPresent())) {
                throw new IllegalArgumentException("Parameter group '" + group.names + "' has no tensor of its own; the names are "
                        + new TreeSet<>(parameters.keySet()));
            }
        }
    }
}
