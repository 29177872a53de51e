package io.github.bts4j.stitch;

import static io.github.bts4j.core.support.Problems.throwIf;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.github.bts4j.core.Lifetime;
import io.github.bts4j.core.torch.llama.LlamaModel;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

/**
 * The models and their stitch weights, which are replaced when an expert is added or removed. Thread-safe.
 *
 * @param model the lifetime of the stitched model
 * @param members names and folders of the models, hub first
 * @param models the models, hub first
 * @param config the layout of the stitch layers
 * @param weights the stitch weights, owned by this
 * @param lineage what happened to experts' places
 * @param lifetime depends on the lifetimes of the models and of the stitched model
 * @param streams the models as the kernels see them
 */
record StitchParts(Lifetime model, List<Member> members, List<LlamaModel> models, StitchConfig config, StitchWeights weights, List<LineageStep> lineage, Lifetime lifetime, Streams streams) {
    /** Takes ownership of the weights. */
    static StitchParts of(Lifetime model, List<Member> members, List<LlamaModel> models, StitchConfig config, StitchWeights weights, List<LineageStep> lineage) {
        Lifetime lifetime = Lifetime.shared("model", Stream.concat(Stream.of(model), models.stream().map(LlamaModel::lifetime)).toArray(Lifetime[]::new));
        return new StitchParts(model, List.copyOf(members), List.copyOf(models), config, weights, List.copyOf(lineage), lifetime, new Streams(models)); // refused above, nothing native is left behind
    }

    /** A copy with other stitch weights, which are copied. */
    StitchParts withWeights(NDManager owner, Map<String, NDArray> values, List<LineageStep> steps) {
        StitchTensorCheck.check(values, weights.tensors());
        return of(owner, members, models, values, steps);
    }

    /** A copy with another model in an expert's place, with the same stitch weights. */
    StitchParts replaced(NDManager owner, String name, Member member, LlamaModel other, Map<String, String> before) {
        int index = expertIndex(name);
        return of(owner, with(members, index, member), with(models, index, other), weights.tensors(), with(lineage, new LineageStep(LineageStep.Change.REPLACED, name, before)));
    }

    /** A copy without an expert. */
    StitchParts without(NDManager owner, String name) {
        int index = expertIndex(name);
        throwIf(models.size() == 2,
                () -> new IllegalArgumentException("'" + name + "' is the last expert: only the hub would be left; load the hub instead"));
        try (NDManager scope = owner.newSubManager()) {
            return of(owner, without(members, index), without(models, index), ExpertSlices.without(scope, weights.layers(), index), lineage);
        }
    }

    /** A copy with one more expert, which has a new name. */
    StitchParts with(NDManager owner, Member member, LlamaModel added) {
        throwIf(members.stream().anyMatch(each -> each.name().equals(member.name())),
                () -> new IllegalArgumentException("two models are called '" + member.name() + "': give each its own name"));
        try (NDManager scope = owner.newSubManager()) {
            return of(owner, with(members, member), with(models, added), ExpertSlices.with(scope, weights.layers()), lineage);
        }
    }

    private StitchParts of(NDManager owner, List<Member> otherMembers, List<LlamaModel> otherModels, Map<String, NDArray> values, List<LineageStep> steps) {
        StitchWeights copied = StitchWeights.of(owner, config, otherModels.size() - 1, values);
        try {
            return of(model, otherMembers, otherModels, config, copied, steps);
        } catch (RuntimeException e) {
            copied.close();
            throw e;
        }
    }

    private static <T> List<T> with(List<T> list, T one) {
        return Stream.concat(list.stream(), Stream.of(one)).toList();
    }

    private static <T> List<T> with(List<T> list, int index, T one) {
        List<T> changed = new ArrayList<>(list);
        changed.set(index, one);
        return changed;
    }

    private static <T> List<T> without(List<T> list, int index) {
        List<T> rest = new ArrayList<>(list);
        rest.remove(index);
        return rest;
    }

    /** The expert's index among the models; the hub has 0. */
    int expertIndex(String name) {
        List<String> names = members.stream().map(Member::name).toList();
        int index = names.indexOf(name);
        throwIf(index < 1,
                () -> new IllegalArgumentException("No expert is called '" + name + "'; the experts are " + names.subList(1, names.size())));
        return index;
    }

    int contextLength() {
        return models.stream().mapToInt(LlamaModel::contextLength).min().orElseThrow();
    }

    StitchGates gates() {
        return new StitchGates(members.stream().map(Member::name).toList(), config);
    }

    /** Keeps the models, which other parts may use. */
    void free() {
        streams.close();
        weights.close();
    }
}
