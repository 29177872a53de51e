package io.github.bts4j.core.llama;

import io.github.bts4j.core.llama.rope.LongRope;
import io.github.bts4j.core.llama.rope.RopeScaling;
import io.github.bts4j.core.support.Problems;
import java.util.List;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.function.Supplier;

/** Reads one {@code rope_scaling} or {@code rope_parameters}. Absent values have transformers' defaults. */
final class RopeScalingReader {
    static final String KNOWN = "default, linear, dynamic, llama3, yarn, longrope";

    private final JsonFields fields;
    private final Problems problems;
    private final int context;
    private final int original;
    private final int problemsBefore;

    private RopeScalingReader(JsonFields fields, int context, int original) {
        this.fields = fields;
        this.problems = fields.problems();
        this.context = context;
        this.original = original;
        this.problemsBefore = problems.count();
    }

    /**
     * Reads one such object.
     *
     * @param fields the object
     * @param context the model's context in tokens
     * @param original the trained length, if the object does not have it
     * @return the scaling; the default type if a problem was recorded
     */
    static RopeScaling read(JsonFields fields, int context, int original) {
        return new RopeScalingReader(fields, context, original).read();
    }

    private RopeScaling read() {
        fields.take(ConfigKey.ROPE_THETA.json()); // the caller's
        fields.take(ConfigKey.PARTIAL_ROTARY_FACTOR.json());
        Optional<String> type = type();
        if (type.isEmpty()) {
            return RopeScaling.none();
        }
        RopeScaling scaling = scaling(type.get());
        for (String key : fields.unread()) {
            problems.add(fields.name(key) + " = " + fields.shown(key) + " is not known for rope type '" + type.get() + "'");
        }
        return scaling;
    }

    /** The type; empty if a problem was recorded. */
    private Optional<String> type() {
        boolean present = fields.has(ConfigKey.ROPE_TYPE) || fields.has(ConfigKey.OLD_ROPE_TYPE);
        Optional<String> type = fields.text(ConfigKey.ROPE_TYPE);
        Optional<String> old = fields.text(ConfigKey.OLD_ROPE_TYPE);
        if (type.isPresent() && old.isPresent() && !type.equals(old)) {
            problems.add(name(ConfigKey.ROPE_TYPE) + " = \"" + type.get() + "\" contradicts " + name(ConfigKey.OLD_ROPE_TYPE) + " = \""
                    + old.get() + "\"");
            return Optional.empty();
        }
        return present ? type.or(() -> old) : Optional.of("default");
    }

    private RopeScaling scaling(String type) {
        return switch (type) {
            case "default" -> RopeScaling.none();
            case "linear" -> linear();
            case "dynamic" -> dynamic();
            case "llama3" -> llama3();
            case "yarn" -> yarn();
            case "longrope", "su" -> longRope();
            default -> {
                fields.unread().forEach(fields::take);
                problems.add("rope type '" + type + "' is not supported: it must be one of " + KNOWN);
                yield RopeScaling.none();
            }
        };
    }

    private RopeScaling linear() {
        fields.take(ConfigKey.ORIGINAL_MAX.json()); // dividing all frequencies does not depend on it
        double factor = required(ConfigKey.FACTOR);
        return checked(() -> new RopeScaling.Linear(factor));
    }

    private RopeScaling dynamic() {
        fields.take(ConfigKey.ORIGINAL_MAX.json()); // ignored: transformers starts at max_position_embeddings
        double factor = required(ConfigKey.FACTOR);
        return checked(() -> new RopeScaling.Dynamic(factor));
    }

    private RopeScaling llama3() {
        double factor = required(ConfigKey.FACTOR);
        double low = required(ConfigKey.LOW_FREQ_FACTOR);
        double high = required(ConfigKey.HIGH_FREQ_FACTOR);
        int original = fields.integer(ConfigKey.ORIGINAL_MAX).orElse(context);
        return checked(() -> new RopeScaling.Llama3(factor, low, high, original));
    }

    private RopeScaling yarn() {
        fields.take("finetuned"); // how the checkpoint was trained, not how it is computed
        int original = fields.integer(ConfigKey.ORIGINAL_MAX).orElse(context);
        boolean implied = fields.mentions(ConfigKey.FACTOR) && !fields.has(ConfigKey.FACTOR); // null means the ratio of the contexts; without the key transformers refuses
        double factor = implied ? (double) context / original : required(ConfigKey.FACTOR);
        double fast = fields.nonZero(ConfigKey.BETA_FAST).orElse(RopeScaling.Yarn.BETA_FAST);
        double slow = fields.nonZero(ConfigKey.BETA_SLOW).orElse(RopeScaling.Yarn.BETA_SLOW);
        OptionalDouble mscale = fields.nonZero(ConfigKey.MSCALE);
        OptionalDouble mscaleAllDim = fields.nonZero(ConfigKey.MSCALE_ALL_DIM);
        OptionalDouble attention = fields.number(ConfigKey.ATTENTION_FACTOR);
        boolean truncate = fields.flag(ConfigKey.TRUNCATE).orElse(true);
        return checked(() -> new RopeScaling.Yarn(factor, original, fast, slow, mscale, mscaleAllDim, attention, truncate));
    }

    private RopeScaling longRope() {
        List<Double> shorter = requiredList(ConfigKey.SHORT_FACTOR);
        List<Double> longer = requiredList(ConfigKey.LONG_FACTOR);
        int trained = fields.integer(ConfigKey.ORIGINAL_MAX).orElse(original);
        double factor = fields.number(ConfigKey.FACTOR).orElse((double) context / trained);
        double attention = fields.number(ConfigKey.ATTENTION_FACTOR).orElse(LongRope.attentionFactor(factor, trained));
        return checked(() -> new LongRope(shorter, longer, trained, attention));
    }

    private List<Double> requiredList(ConfigKey key) {
        problems.addIf(!fields.has(key), name(key) + " is missing: expected a list of numbers");
        return fields.numbers(key);
    }

    /** A required number; if it is missing, 1 and a recorded problem. */
    private double required(ConfigKey key) {
        problems.addIf(!fields.has(key), name(key) + " is missing: expected a number");
        return fields.number(key).orElse(1);
    }

    private RopeScaling checked(Supplier<RopeScaling> scaling) {
        if (problems.count() > problemsBefore) {
            return RopeScaling.none();
        }
        try {
            return scaling.get();
        } catch (IllegalArgumentException e) {
            problems.add(ConfigKey.inJsonNames(e.getMessage()));
            return RopeScaling.none();
        }
    }

    private String name(ConfigKey key) {
        return fields.name(key.json());
    }
}
