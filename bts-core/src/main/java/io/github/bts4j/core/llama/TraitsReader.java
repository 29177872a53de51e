package io.github.bts4j.core.llama;

import io.github.bts4j.core.llama.family.Family;
import io.github.bts4j.core.llama.family.Multipliers;
import io.github.bts4j.core.llama.family.Spec;
import io.github.bts4j.core.llama.family.Traits;
import io.github.bts4j.core.llama.family.Windows;
import java.util.List;
import java.util.OptionalDouble;
import java.util.OptionalInt;
import java.util.function.IntPredicate;
import java.util.stream.IntStream;

/** Reads what {@code config.json} says of a family's differences from Llama. */
final class TraitsReader {
    private static final int MISTRAL_WINDOW = 4096; // transformers' value where the key is absent
    private static final int QWEN_WINDOWED_FROM = 28;
    private static final int GEMMA_PATTERN = 6;
    private static final int UNROTATED_INTERVAL = 4;
    private static final int GEMMA_SCORES = 256;
    private static final String SLIDING = "sliding_attention";
    private static final String FULL = "full_attention";

    private final JsonFields fields;
    private final Spec spec;
    private final int layers;

    private TraitsReader(JsonFields fields, Spec spec, int layers) {
        this.fields = fields;
        this.spec = spec;
        this.layers = Math.max(0, Math.min(layers, LlamaConfig.MAX_LAYERS));
    }

    static Traits read(JsonFields fields, Family family, int layers, int hidden, int headDim, RopeReader.Found rope) {
        TraitsReader reader = new TraitsReader(fields, family.spec(), layers);
        List<Integer> unrotated = reader.unrotated();
        int window = reader.window();
        List<Integer> windowed = reader.windowed(unrotated, window);
        OptionalInt rotated = rope.part() == 1 ? OptionalInt.empty() : OptionalInt.of((int) (headDim * rope.part()));
        return new Traits(family, windowed.isEmpty() ? 0 : window, windowed, unrotated, rotated, rope.localTheta(), reader.multipliers(hidden));
    }

    private List<Integer> where(IntPredicate holds) {
        return IntStream.range(0, layers).filter(holds).boxed().toList();
    }

    /** Layers for which the list has 0; without a list, each so-many-th. */
    private List<Integer> unrotated() {
        if (!spec.hasUnrotatedLayers()) {
            return List.of();
        }
        List<Integer> list = fields.integers(ConfigKey.NO_ROPE_LAYERS);
        int interval = fields.integer(ConfigKey.NO_ROPE_LAYER_INTERVAL).orElse(UNROTATED_INTERVAL);
        fields.problems().addIf(interval < 1, "'no_rope_layer_interval' = " + interval + " must be at least 1");
        if (list.isEmpty()) {
            return where(layer -> interval > 0 && (layer + 1) % interval == 0);
        }
        fields.problems().addIf(list.size() < layers, "'no_rope_layers' has " + list.size() + " numbers, num_hidden_layers is " + layers);
        return where(layer -> layer < list.size() && list.get(layer) == 0);
    }

    /** Tokens; 0 for no window. */
    private int window() {
        boolean used = switch (spec.windows()) {
            case NONE -> false;
            case UPPER_LAYERS, UNROTATED_LAYERS -> fields.flag(ConfigKey.USE_SLIDING_WINDOW).orElse(false);
            case EVERY_LAYER, ALL_BUT_EVERY_SIXTH -> true;
        };
        if (spec.windows() == Windows.NONE) {
            return 0;
        }
        boolean isNull = fields.mentions(ConfigKey.SLIDING_WINDOW) && !fields.has(ConfigKey.SLIDING_WINDOW);
        int window = fields.integer(ConfigKey.SLIDING_WINDOW).orElse(isNull || spec.hasPartialRotation() ? 0 : MISTRAL_WINDOW);
        fields.problems().addIf(used && window < 0, "'sliding_window' = " + window + " must be at least 1, or null");
        return used ? Math.max(window, 0) : 0;
    }

    private List<Integer> windowed(List<Integer> unrotated, int window) {
        int from = spec.windows() == Windows.UPPER_LAYERS ? fields.integer(ConfigKey.MAX_WINDOW_LAYERS).orElse(QWEN_WINDOWED_FROM) : 0;
        int pattern = spec.windows() == Windows.ALL_BUT_EVERY_SIXTH ? pattern() : 0;
        List<String> types = spec.windows() == Windows.NONE ? List.of() : fields.texts(ConfigKey.LAYER_TYPES);
        if (!types.isEmpty()) {
            fields.problems().addIf(types.size() != layers, "'layer_types' has " + types.size() + " entries, num_hidden_layers is " + layers);
            types.stream().filter(type -> !type.equals(SLIDING) && !type.equals(FULL)).distinct()
                    .forEach(type -> fields.problems().add("'layer_types' holds \"" + type + "\": only \"" + FULL + "\" and \"" + SLIDING + "\" are supported"));
            fields.problems().addIf(window == 0 && types.contains(SLIDING), "'layer_types' holds \"" + SLIDING + "\" without a 'sliding_window' in use");
            fields.problems().addIf(spec.windows() == Windows.EVERY_LAYER && types.contains(window > 0 ? FULL : SLIDING),
                    "'layer_types' = " + fields.shown(ConfigKey.LAYER_TYPES.json()) + " is not supported: every layer of this family has the 'sliding_window', or none has");
            return where(layer -> layer < types.size() && types.get(layer).equals(SLIDING));
        }
        return window == 0 ? List.of() : switch (spec.windows()) {
            case NONE -> List.<Integer>of();
            case EVERY_LAYER -> where(layer -> true);
            case UPPER_LAYERS -> where(layer -> layer >= from);
            case UNROTATED_LAYERS -> where(unrotated::contains);
            case ALL_BUT_EVERY_SIXTH -> where(layer -> (layer + 1) % pattern != 0);
        };
    }

    private int pattern() {
        OptionalInt own = fields.integer(ConfigKey.SLIDING_WINDOW_PATTERN);
        int pattern = own.orElse(fields.integer(ConfigKey.SAVED_SLIDING_WINDOW_PATTERN).orElse(GEMMA_PATTERN));
        fields.problems().addIf(pattern < 1, "'sliding_window_pattern' = " + pattern + " must be at least 1");
        return Math.max(1, pattern);
    }

    private Multipliers multipliers(int hidden) {
        if (spec.hasMultipliers()) {
            return factors(positive(ConfigKey.EMBEDDING_MULTIPLIER), positive(ConfigKey.RESIDUAL_MULTIPLIER), positive(ConfigKey.ATTENTION_MULTIPLIER), positive(ConfigKey.LOGITS_SCALING));
        }
        if (spec.hasScaledEmbeddings()) {
            double scores = fields.number(ConfigKey.QUERY_PRE_ATTN_SCALAR).orElse(GEMMA_SCORES);
            float factor = (float) Math.pow(scores, -0.5);
            fields.problems().addIf(!(factor > 0) || Float.isInfinite(factor), "'query_pre_attn_scalar' = " + scores + " must be greater than 0, and its root finite in float32");
            return factors(Math.sqrt(Math.max(hidden, 1)), 1, Math.pow(scores, -0.5), 1);
        }
        return Multipliers.NONE;
    }

    private double positive(ConfigKey key) {
        double value = fields.number(key).orElse(1);
        fields.problems().positiveFloat("'" + key.json() + "'", value);
        return value;
    }

    private Multipliers factors(double embedding, double residual, double attention, double logits) {
        return fields.problems().isEmpty() ? new Multipliers(embedding, residual, OptionalDouble.of(attention), logits) : Multipliers.NONE;
    }

    /** What {@code layer_types} says of the layers, for a writer. */
    static List<String> layerTypes(Traits traits, int layers) {
        return IntStream.range(0, layers).mapToObj(layer -> traits.windowedLayers().contains(layer) ? SLIDING : FULL).toList();
    }
}
