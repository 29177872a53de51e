package io.github.bts4j.core.llama;

import io.github.bts4j.core.llama.family.Spec;
import io.github.bts4j.core.llama.rope.RopeScaling;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.stream.Stream;

/** Reads the rotary embedding, in either spelling; both must agree if both are present. */
final class RopeReader {
    private static final double DEFAULT_LOCAL_THETA = 10_000;

    private final JsonFields fields;
    private final Spec spec;
    private final int context;
    private final int original;
    private final List<Double> thetas = new ArrayList<>();
    private final List<Double> localThetas = new ArrayList<>();
    private final List<Double> parts = new ArrayList<>();
    private final List<RopeScaling> scalings = new ArrayList<>();

    /**
     * What was found.
     *
     * @param theta the base
     * @param scaling how it is stretched
     * @param part how much of each head is rotated, up to 1
     * @param localTheta the base in layers with a window; 0 if it is the same
     */
    record Found(double theta, RopeScaling scaling, double part, double localTheta) {}

    private RopeReader(JsonFields fields, Spec spec, int context) {
        this.fields = fields;
        this.spec = spec;
        this.context = context;
        this.original = spec.hasPartialRotation() ? fields.integer(ConfigKey.ORIGINAL_MAX).orElse(context) : context;
    }

    static Found read(JsonFields fields, Spec spec, int context) {
        return new RopeReader(fields, spec, context).read();
    }

    private Found read() {
        fields.number(ConfigKey.ROPE_THETA).ifPresent(thetas::add);
        if (spec.hasLocalRotation()) {
            fields.number(ConfigKey.ROPE_LOCAL_BASE_FREQ).ifPresent(localThetas::add);
        }
        if (spec.hasPartialRotation()) {
            fields.number(ConfigKey.PARTIAL_ROTARY_FACTOR).ifPresent(parts::add);
        }
        fields.fields(ConfigKey.ROPE_SCALING).ifPresent(this::scaling);
        fields.fields(ConfigKey.ROPE_PARAMETERS).ifPresent(this::parameters);
        double local = spec.hasLocalRotation() ? only("rope_local_base_freq", localThetas, DEFAULT_LOCAL_THETA) : 0;
        fields.problems().addIf(spec.hasLocalRotation() && !(local > 1), "'rope_local_base_freq' = " + local + " must be greater than 1");
        fields.problems().addIf(scalings.stream().distinct().count() > 1, "'rope_scaling' and 'rope_parameters' contradict each other: " + scalings);
        return new Found(only("rope_theta", thetas, spec.defaults().theta()), scalings.isEmpty() ? RopeScaling.none() : scalings.get(0),
                only("partial_rotary_factor", parts, 1), local);
    }

    private double only(String key, List<Double> values, double otherwise) {
        fields.problems().addIf(values.stream().distinct().count() > 1, "'" + key + "' is given more than once, as " + values);
        return values.isEmpty() ? otherwise : values.get(0);
    }

    /** One form for all layers, or one for each kind of layer. */
    private void parameters(JsonFields form) {
        if (!spec.hasLocalRotation()) {
            scaling(form);
            return;
        }
        form.fields(ConfigKey.FULL_ATTENTION).ifPresent(this::scaling);
        Optional<JsonFields> local = form.fields(ConfigKey.SLIDING_ATTENTION);
        local.ifPresent(own -> {
            own.number(ConfigKey.ROPE_THETA).ifPresent(localThetas::add);
            RopeScaling stretched = RopeScalingReader.read(own, context, original);
            own.problems().addIf(!(stretched instanceof RopeScaling.Default), own.name(ConfigKey.ROPE_TYPE.json()) + " = " + stretched.ropeType() + " is not supported: only default is");
        });
        Stream.of(form.unread()).flatMap(List::stream).forEach(key -> form.problems().add(form.name(key) + " is not known: only full_attention and sliding_attention are"));
    }

    private void scaling(JsonFields form) {
        form.number(ConfigKey.ROPE_THETA).ifPresent(thetas::add);
        OptionalDouble part = form.number(ConfigKey.PARTIAL_ROTARY_FACTOR);
        if (spec.hasPartialRotation()) {
            part.ifPresent(parts::add);
        } else {
            form.problems().addIf(part.orElse(1) != 1, form.name(ConfigKey.PARTIAL_ROTARY_FACTOR.json()) + " = " + part.orElse(1) + " is not supported: only 1 is");
        }
        scalings.add(RopeScalingReader.read(form, context, original));
    }
}
