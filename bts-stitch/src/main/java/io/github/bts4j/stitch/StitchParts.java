package io.github.bts4j.stitch;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.github.bts4j.core.Lifetime;
import io.github.bts4j.core.torch.llama.LlamaModel;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

/** The models and their stitch weights, which are replaced when an expert is added or removed. Thread-safe. */
final class StitchParts {
    private final List<Member> members;
    private final List<LlamaModel> models;
    private final StitchConfig config;
    private final StitchWeights weights;
    private final Streams streams;
    private final Lifetime model;
    private final Lifetime lifetime;

    /** Takes ownership of the weights. Depends on the lifetimes of the models and of the stitched model. */
    StitchParts(Lifetime model, List<Member> members, List<LlamaModel> models, StitchConfig config, StitchWeights weights) {
        this.model = model;
        this.members = List.copyOf(members);
        this.models = List.copyOf(models);
        this.config = config;
        this.weights = weights;
        this.lifetime = Lifetime.shared("model", Stream.concat(Stream.of(model), models.stream().map(LlamaModel::lifetime)).toArray(Lifetime[]::new));
        this.streams = new Streams(this.models); // last: refused above, nothing native is left behind
    }

    /** A copy with other stitch weights, which are copied. */
    StitchParts withWeights(NDManager owner, Map<String, NDArray> values) {
        StitchTensorCheck.check(values, weights.tensors());
        return of(owner, members, models, values);
    }

    /** A copy without an expert. */
    StitchParts without(NDManager owner, String name) {
        int index = expertIndex(name);
        if (models.size() == 2) {
            throw new IllegalArgumentException("'" + name + "' is the last expert: only the hub would be left; load the hub instead");
        }
        try (NDManager scope = owner.newSubManager()) {
            return of(owner, without(members, index), without(models, index), ExpertSlices.without(scope, weights.layers(), index));
        }
    }

    /** A copy with one more expert, which has a new name. */
    StitchParts with(NDManager owner, Member member, LlamaModel added) {
        if (members.stream().anyMatch(each -> each.name().equals(member.name()))) {
            throw new IllegalArgumentException("two models are called '" + member.name() + "': give each its own name");
        }
        try (NDManager scope = owner.newSubManager()) {
            return of(owner, with(members, member), with(models, added), ExpertSlices.with(scope, weights.layers()));
        }
    }

    private StitchParts of(NDManager owner, List<Member> otherMembers, List<LlamaModel> otherModels, Map<String, NDArray> values) {
        StitchWeights copied = StitchWeights.of(owner, config, otherModels.size() - 1, values);
        try {
            return new StitchParts(model, otherMembers, otherModels, config, copied);
        } catch (RuntimeException e) {
            copied.close();
            throw e;
        }
    }

    private static <T> List<T> with(List<T> list, T one) {
        return Stream.concat(list.stream(), Stream.of(one)).toList();
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
        if (index < 1) {
            throw new IllegalArgumentException("No expert is called '" + name + "'; the experts are " + names.subList(1, names.size()));
        }
        return index;
    }

    List<Member> members() {
        return members;
    }

    List<LlamaModel> models() {
        return models;
    }

    int contextLength() {
        return models.stream().mapToInt(LlamaModel::contextLength).min().orElseThrow();
    }

    StitchGates gates() {
        return new StitchGates(members.stream().map(Member::name).toList(), config);
    }

    StitchConfig config() {
        return config;
    }

    StitchWeights weights() {
        return weights;
    }

    Streams streams() {
        return streams;
    }

    Lifetime lifetime() {
        return lifetime;
    }

    /** Keeps the models, which other parts may use. */
    void free() {
        streams.close();
        weights.close();
    }
}
