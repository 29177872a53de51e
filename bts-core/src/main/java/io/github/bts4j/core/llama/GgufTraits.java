package io.github.bts4j.core.llama;

import io.github.bts4j.core.checkpoint.gguf.GgufMetadata;
import io.github.bts4j.core.llama.family.Family;
import io.github.bts4j.core.llama.family.Multipliers;
import io.github.bts4j.core.llama.family.Spec;
import io.github.bts4j.core.llama.family.Traits;
import io.github.bts4j.core.llama.family.Windows;
import io.github.bts4j.core.support.Problems;
import java.util.List;
import java.util.OptionalDouble;
import java.util.OptionalInt;
import java.util.function.IntPredicate;
import java.util.stream.IntStream;

/** What a GGUF file's metadata says of a family's differences from Llama; what it does not say is what llama.cpp takes for granted. */
final class GgufTraits {
    private static final int UNROTATED_INTERVAL = 4;
    private static final int WINDOW_PATTERN = 6;
    private static final double LOCAL_THETA = 10_000;
    private static final int GEMMA_27B_LAYERS = 62;

    /**
     * The sizes that traits depend on.
     *
     * @param layers number of layers
     * @param hidden width of the residual stream
     * @param heads number of query heads
     * @param headDim width of a head
     */
    record Sizes(int layers, int hidden, int heads, int headDim) {}

    private final GgufMetadata metadata;
    private final Spec spec;
    private final int layers;

    private GgufTraits(GgufMetadata metadata, Spec spec, int layers) {
        this.metadata = metadata;
        this.spec = spec;
        this.layers = Math.max(0, Math.min(layers, LlamaConfig.MAX_LAYERS));
    }

    /** The traits; whatever is not computed is a problem. */
    static Traits read(GgufMetadata metadata, Family architecture, Sizes sizes, Problems problems) {
        GgufTraits reader = new GgufTraits(metadata, architecture.spec(), sizes.layers);
        int window = reader.metadata.integer(reader.key("attention.sliding_window")).orElse(0);
        Family family = architecture == Family.LLAMA && window > 0 ? Family.MISTRAL : architecture; // llama.cpp has one name for both
        Windows windows = family.spec().windows();
        boolean known = windows == Windows.EVERY_LAYER || windows == Windows.ALL_BUT_EVERY_SIXTH;
        problems.addIf(window != 0 && !known, reader.key("attention.sliding_window") + " = " + window + " is not computed here");
        int pattern = metadata.integer(reader.key("attention.sliding_window_pattern")).orElse(WINDOW_PATTERN);
        List<Integer> windowed = window <= 0 || !known ? List.of() : reader.where(layer -> windows == Windows.EVERY_LAYER || pattern > 0 && (layer + 1) % pattern != 0);
        List<Integer> unrotated = reader.spec.hasUnrotatedLayers() ? reader.where(layer -> (layer + 1) % UNROTATED_INTERVAL == 0) : List.of();
        double local = reader.spec.hasLocalRotation() ? metadata.number(reader.key("rope.freq_base_swa")).orElse(LOCAL_THETA) : 0;
        problems.addIf(reader.spec.hasLocalRotation() && !(local > 1), reader.key("rope.freq_base_swa") + " = " + local + " must be greater than 1");
        return new Traits(family, windowed.isEmpty() ? 0 : window, windowed, unrotated, reader.rotated(sizes.headDim, problems), local, reader.multipliers(sizes, problems));
    }

    private String key(String name) {
        return spec.ggufArchitecture() + "." + name;
    }

    private List<Integer> where(IntPredicate holds) {
        return IntStream.range(0, layers).filter(holds).boxed().toList();
    }

    private OptionalInt rotated(int headDim, Problems problems) {
        int size = metadata.integer(key("rope.dimension_count")).orElse(headDim);
        problems.addIf(size != headDim && !spec.hasPartialRotation(), key("rope.dimension_count") + " = " + size + " differs from the size of a head, " + headDim);
        return size == headDim ? OptionalInt.empty() : OptionalInt.of(size);
    }

    private Multipliers checked(Problems problems, double embedding, double residual, double attention, double logits) {
        try {
            return new Multipliers(embedding, residual, OptionalDouble.of(attention), logits);
        } catch (IllegalArgumentException e) {
            problems.add(spec.ggufArchitecture() + ": " + e.getMessage());
            return Multipliers.NONE;
        }
    }

    private Multipliers multipliers(Sizes sizes, Problems problems) {
        OptionalDouble scale = metadata.number(key("attention.scale"));
        if (spec.hasMultipliers()) {
            return checked(problems, metadata.number(key("embedding_scale")).orElse(1), metadata.number(key("residual_scale")).orElse(1), scale.orElse(1 / Math.sqrt(Math.max(sizes.headDim, 1))),
                    metadata.number(key("logit_scale")).orElse(1));
        }
        if (spec.hasScaledEmbeddings()) {
            double scores = layers == GEMMA_27B_LAYERS && sizes.heads > 0 ? (double) sizes.hidden / sizes.heads : sizes.headDim; // the 27B's scores are not scaled by its heads' size
            return checked(problems, Math.sqrt(Math.max(sizes.hidden, 1)), 1, scale.orElse(1 / Math.sqrt(Math.max(scores, 1))), 1);
        }
        return Multipliers.NONE;
    }
}
