package io.github.bts4j.train.metrics;

import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Objects;

/** Unmodifiable copies of maps that keep their order, which {@link Map#copyOf} does not. */
final class OrderedMaps {

    private OrderedMaps() {
    }

    static Map<String, Double> copy(String name, Map<String, Double> map) {
        Map<String, Double> copy = new LinkedHashMap<>(map);
        copy.forEach((key, value) -> Objects.requireNonNull(value, () -> name + "['" + key + "']"));
        return Collections.unmodifiableMap(copy);
    }
}
