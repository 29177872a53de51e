package io.github.bts4j.train.optim;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.github.bts4j.core.support.JsonReader;
import io.github.bts4j.core.support.Problems;
import java.util.Set;
import java.util.TreeSet;

/** The JSON form of a {@link LearningRate}. */
final class LearningRateJson {

    private static final String HEADING = "Learning rate: ";
    private static final String TYPE = "lr_scheduler_type";
    private static final String PEAK = "learning_rate";
    private static final String WARMUP = "warmup_steps";
    private static final String TOTAL = "max_steps";
    private static final String FLOOR = "min_lr";
    private static final String FLOOR_FRACTION = "min_lr_rate";
    private static final String LINEAR = "linear";
    private static final String COSINE = "cosine_with_min_lr";
    private static final String CONSTANT = "constant_with_warmup";

    private final JsonNode node;
    private final Problems problems = new Problems();

    private LearningRateJson(JsonNode node) {
        this.node = node;
    }

    static String write(LearningRate rate) {
        ObjectNode out = JsonReader.object();
        if (rate instanceof LearningRate.WarmupLinear linear) {
            out.put(TYPE, LINEAR).put(PEAK, linear.peak()).put(WARMUP, linear.warmupSteps())
                    .put(TOTAL, linear.totalSteps()).put(FLOOR, linear.floor());
        } else if (rate instanceof LearningRate.WarmupCosine cosine) {
            out.put(TYPE, COSINE).put(PEAK, cosine.peak()).put(WARMUP, cosine.warmupSteps())
                    .put(TOTAL, cosine.totalSteps()).put(FLOOR_FRACTION, cosine.floorFraction());
        } else if (rate instanceof LearningRate.Constant constant) {
            out.put(TYPE, CONSTANT).put(PEAK, constant.peak()).put(WARMUP, constant.warmupSteps());
        }
        return out.toString();
    }

    static LearningRate read(String json) {
        JsonNode node;
        try {
            node = JsonReader.STRICT.line(json);
        } catch (IllegalArgumentException e) {
            throw new IllegalArgumentException("Learning rate is " + e.getMessage(), e);
        }
        if (!node.isObject()) {
            throw new IllegalArgumentException("Learning rate must be a JSON object, not " + JsonReader.kind(node));
        }
        return new LearningRateJson(node).schedule();
    }

    private LearningRate schedule() {
        String type = node.path(TYPE).asText("");
        return switch (type) {
            case LINEAR -> linear();
            case COSINE -> cosine();
            case CONSTANT -> constant();
            default -> throw new IllegalArgumentException("Learning rate: " + TYPE + " = " + node.path(TYPE)
                    + " is unknown: use \"" + LINEAR + "\", \"" + COSINE + "\" or \"" + CONSTANT + "\"");
        };
    }

    private LearningRate linear() {
        refuseUnknown(Set.of(TYPE, PEAK, WARMUP, TOTAL, FLOOR));
        double peak = number(PEAK, true);
        long warmup = count(WARMUP, false);
        long total = count(TOTAL, true);
        double floor = number(FLOOR, false);
        problems.throwInOneLine(HEADING);
        return new LearningRate.WarmupLinear(peak, warmup, total, floor);
    }

    private LearningRate cosine() {
        refuseUnknown(Set.of(TYPE, PEAK, WARMUP, TOTAL, FLOOR_FRACTION));
        double peak = number(PEAK, true);
        long warmup = count(WARMUP, false);
        long total = count(TOTAL, true);
        double fraction = number(FLOOR_FRACTION, false);
        problems.throwInOneLine(HEADING);
        return new LearningRate.WarmupCosine(peak, warmup, total, fraction);
    }

    private LearningRate constant() {
        refuseUnknown(Set.of(TYPE, PEAK, WARMUP));
        double peak = number(PEAK, true);
        long warmup = count(WARMUP, false);
        problems.throwInOneLine(HEADING);
        return new LearningRate.Constant(peak, warmup);
    }

    private void refuseUnknown(Set<String> known) {
        node.fieldNames().forEachRemaining(key -> {
            problems.addIf(!known.contains(key), "unknown key '" + key + "' (known: " + String.join(", ", new TreeSet<>(known)) + ")");
        });
    }

    private double number(String key, boolean required) {
        JsonNode value = node.path(key);
        problems.addIf(!value.isNumber() && (required || !value.isMissingNode()),
                value.isMissingNode() ? key + " is missing" : key + " = " + value + " must be a number");
        return value.asDouble(0);
    }

    private long count(String key, boolean required) {
        JsonNode value = node.path(key);
        boolean whole = value.isIntegralNumber() && value.canConvertToLong();
        problems.addIf(!whole && (required || !value.isMissingNode()),
                value.isMissingNode() ? key + " is missing" : key + " = " + value + " must be a whole number");
        return value.asLong(0);
    }
}
