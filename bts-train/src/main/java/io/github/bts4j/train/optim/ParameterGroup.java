package io.github.bts4j.train.optim;

import java.io.Serializable;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeSet;
import java.util.regex.Pattern;

/**
 * Trained tensors with separate constants, like torch.optim's parameter groups.
 *
 * @param names regular expression that must match a tensor's whole name, such as {@code stitch[.][0-9]+[.]gate[.].*}
 * @param optimizer their constants; the weight decay applies to every tensor of the group, including vectors
 * @param learningRateFactor factor on the schedule's learning rate, not negative
 * @serial exclude
 */
public record ParameterGroup(String names, AdamWConfig optimizer, double learningRateFactor) implements Serializable {
    /**
     * Checks the values.
     *
     * @param names regular expression for whole names
     * @param optimizer constants
     * @param learningRateFactor factor on the schedule's learning rate
     * @throws IllegalArgumentException if the factor is negative or not a number, or the expression is invalid
     */
    public ParameterGroup {
        Pattern.compile(names);
        if (!(learningRateFactor >= 0 && learningRateFactor < Double.POSITIVE_INFINITY)) {
            throw new IllegalArgumentException("learningRateFactor = " + learningRateFactor + " of group '" + names + "' is negative or not a number");
        }
    }

    /**
     * Whether a tensor's name matches the group.
     *
     * @param name the tensor's name
     * @return true if the expression matches
     */
    public boolean holds(String name) {
        return name.matches(names);
    }

    /** The first group that matches a name. */
    static Optional<ParameterGroup> of(String name, List<ParameterGroup> groups) {
        return groups.stream().filter(group -> group.holds(name)).findFirst();
    }

    static void check(List<ParameterGroup> groups, Map<String, ?> parameters) {
        for (ParameterGroup group : groups) {
            if (parameters.keySet().stream().noneMatch(name -> of(name, groups).filter(group::equals).isPresent())) {
                throw new IllegalArgumentException("Parameter group '" + group.names + "' matches no tensor that an earlier group does not; the names are "
                        + new TreeSet<>(parameters.keySet()));
            }
        }
    }
}
