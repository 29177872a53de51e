package io.github.bts4j.train.metrics;

import java.util.Map;

/**
 * Measurements of each trained tensor after a step: Adam's diagnostics.
 *
 * @param step optimizer steps done
 * @param byTensor name of the tensor to name of the number to the number; not copied
 */
public record TensorMetrics(long step, Map<String, Map<String, Double>> byTensor) {}
