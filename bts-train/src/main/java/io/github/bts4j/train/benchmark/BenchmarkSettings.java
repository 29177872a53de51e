package io.github.bts4j.train.benchmark;

import static io.github.bts4j.core.support.Problems.throwIf;

import java.util.List;

/**
 * What to measure.
 *
 * @param shape shape of the hub and of each expert
 * @param types element types, one after the other
 * @param experts number of experts
 * @param stitches number of stitch layers
 * @param batch sequences of a training step
 * @param sequence tokens of each
 * @param prompt tokens of a prompt
 * @param seconds time to measure for; models are written and loaded beside it
 */
public record BenchmarkSettings(BenchmarkShape shape, List<BenchmarkType> types, int experts, int stitches, int batch, int sequence, int prompt, double seconds) {
    /**
     * Checks the counts.
     *
     * @param shape shape of the hub and of each expert
     * @param types element types, one after the other
     * @param experts number of experts
     * @param stitches number of stitch layers
     * @param batch sequences of a training step
     * @param sequence tokens of each
     * @param prompt tokens of a prompt
     * @param seconds time to measure for; models are written and loaded beside it
     */
    public BenchmarkSettings {
        types = List.copyOf(types);
        throwIf(types.isEmpty(), () -> new IllegalArgumentException("types is empty: give at least one"));
        throwIf(experts < 1 || batch < 1 || sequence < 1 || prompt < 1, () -> new IllegalArgumentException(
                "experts = " + experts + ", batch = " + batch + ", sequence = " + sequence + ", prompt = " + prompt + ": each is at least 1"));
        throwIf(stitches < 1 || stitches > shape.config().numLayers(), () -> new IllegalArgumentException(
                "stitches = " + stitches + " must be from 1 to the " + shape.config().numLayers() + " layers of shape " + shape.label()));
        throwIf(Math.max(sequence, prompt) > shape.config().maxPositionEmbeddings(), () -> new IllegalArgumentException(
                "sequence = " + sequence + ", prompt = " + prompt + ": a model has " + shape.config().maxPositionEmbeddings() + " positions"));
    }

    /**
     * The usual settings: three experts, four stitch layers, steps of 2 x 256 tokens, prompts of 512; of {@link BenchmarkShape#XS} an eighth of the tokens.
     *
     * @param shape shape of the models
     * @param types element types
     * @param seconds time to measure for
     * @return the settings
     */
    public static BenchmarkSettings of(BenchmarkShape shape, List<BenchmarkType> types, double seconds) {
        int part = shape == BenchmarkShape.XS ? 8 : 1;
        return new BenchmarkSettings(shape, types, 3, 4, 2, 256 / part, 512 / part, seconds);
    }

    /**
     * A copy with other stitched models.
     *
     * @param count number of experts
     * @param layers number of stitch layers
     * @return the changed copy
     */
    public BenchmarkSettings withExperts(int count, int layers) {
        return new BenchmarkSettings(shape, types, count, layers, batch, sequence, prompt, seconds);
    }
}
