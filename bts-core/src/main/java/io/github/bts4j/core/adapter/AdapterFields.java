package io.github.bts4j.core.adapter;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.github.bts4j.core.support.JsonReader;
import io.github.bts4j.core.support.Problems;
import io.github.bts4j.core.support.Quoted;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.Function;

/** The fields of an adapter_config.json by type; null is absent, another type is recorded as a problem. Keeps track of unread fields. Not thread-safe. */
final class AdapterFields {
    private final ObjectNode object;
    private final Problems problems = new Problems();
    private final Set<String> unread = new LinkedHashSet<>();

    AdapterFields(ObjectNode object) {
        this.object = object;
        object.fieldNames().forEachRemaining(unread::add);
    }

    Problems problems() {
        return problems;
    }

    String shown(String key) {
        return object.has(key) ? JsonReader.shown(object.get(key)) : "nothing";
    }

    Optional<JsonNode> peek(String key) {
        return Optional.ofNullable(object.get(key)).filter(node -> !node.isNull());
    }

    Optional<JsonNode> take(String key) {
        unread.remove(key);
        return peek(key);
    }

    static Optional<Integer> asInteger(JsonNode node) {
        return Optional.of(node).filter(each -> each.isIntegralNumber() && each.canConvertToInt()).map(JsonNode::intValue);
    }

    static Optional<Double> asNumber(JsonNode node) {
        return Optional.of(node).filter(JsonNode::isNumber).map(JsonNode::doubleValue);
    }

    private <T> Optional<T> one(String key, String kind, Function<JsonNode, Optional<T>> as) {
        Optional<JsonNode> node = take(key);
        Optional<T> value = node.flatMap(as);
        problems.addIf(node.isPresent() && value.isEmpty(), key + " = " + shown(key) + ": expected " + kind);
        return value;
    }

    Optional<Integer> integer(String key) {
        return one(key, "an integer of 32 bits", AdapterFields::asInteger);
    }

    Optional<Double> number(String key) {
        return one(key, "a number", AdapterFields::asNumber);
    }

    Optional<String> text(String key) {
        return one(key, "a string", node -> Optional.ofNullable(node.textValue()));
    }

    boolean flag(String key) {
        return one(key, "true or false", node -> Optional.of(node).filter(JsonNode::isBoolean).map(JsonNode::booleanValue)).orElse(false);
    }

    /** A string or a list of strings. */
    Optional<List<String>> texts(String key) {
        return one(key, "a list of strings", node -> list(node, each -> Optional.ofNullable(each.textValue())));
    }

    /** An integer or a list of integers. */
    Optional<List<Integer>> integers(String key) {
        return one(key, "a list of integers", node -> list(node, AdapterFields::asInteger));
    }

    private static <T> Optional<List<T>> list(JsonNode node, Function<JsonNode, Optional<T>> as) {
        if (!node.isArray()) {
            return as.apply(node).map(List::of);
        }
        List<T> values = new ArrayList<>();
        for (JsonNode item : node) {
            as.apply(item).ifPresent(values::add);
        }
        return values.size() == node.size() ? Optional.of(values) : Optional.empty();
    }

    /** Refuses every other key with a value. */
    void refuseUnread(Collection<String> harmless) {
        unread.removeAll(harmless);
        unread.stream().filter(key -> !isNothing(object.get(key)))
                .forEach(key -> problems.add("the option " + Quoted.of(key) + " = " + JsonReader.shown(object.get(key)) + " is not supported: only null and false are"));
    }

    private static boolean isNothing(JsonNode value) {
        return value.isNull() || (value.isContainerNode() ? value.isEmpty() : value.isBoolean() && !value.booleanValue());
    }
}
