package io.github.bts4j.core.constraint;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import java.math.BigDecimal;
import java.util.EnumSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;

/** What the keywords of a branch say together. */
final class SchemaFacts {
    private final List<SchemaPlace> places;
    private final boolean inferred;

    /**
     * Collects the facts.
     *
     * @param inferred whether keywords of one type stand for the type where none is named, and other properties than the declared ones must be asked for
     */
    SchemaFacts(List<SchemaPlace> places, boolean inferred) {
        this.places = places;
        this.inferred = inferred;
    }

    /** Whether one of them is false. */
    boolean isFalse() {
        return places.stream().anyMatch(place -> place.schema().isBoolean() && !place.schema().booleanValue());
    }

    private List<SchemaPlace> having(String keyword) {
        return places.stream().filter(place -> place.schema().has(keyword)).toList();
    }

    Set<JsonType> types() {
        Set<JsonType> types = EnumSet.allOf(JsonType.class);
        boolean named = false;
        for (SchemaPlace place : places) {
            Set<JsonType> own = JsonType.of(place);
            if (own != null) {
                named = true;
                types.retainAll(own);
            }
        }
        return named || !inferred ? types : inferred();
    }

    private Set<JsonType> inferred() {
        Set<JsonType> types = EnumSet.noneOf(JsonType.class);
        Keywords.TYPE_OF.forEach((keyword, type) -> {
            if (!having(keyword).isEmpty()) {
                types.addAll(JsonType.named(type));
            }
        });
        return types.isEmpty() ? EnumSet.allOf(JsonType.class) : types;
    }

    /** The values of an enum or a const, of which each must still be checked; null if there is none. */
    JsonNode values() {
        if (!having("const").isEmpty()) {
            return JsonNodeFactory.instance.arrayNode().add(having("const").get(0).schema().get("const"));
        }
        return having("enum").stream().map(place -> place.schema().get("enum")).findFirst().orElse(null);
    }

    long least(String keyword) {
        return having(keyword).stream().mapToLong(place -> Keywords.count(place, keyword, 0)).max().orElse(0);
    }

    long most(String keyword) {
        return having(keyword).stream().mapToLong(place -> Keywords.count(place, keyword, Long.MAX_VALUE)).min().orElse(Long.MAX_VALUE);
    }

    /** The automaton of the strings; null if all are allowed. */
    CharAutomaton strings(Patterns patterns) {
        CharAutomaton all = null;
        for (String keyword : List.of("pattern", "format")) {
            for (SchemaPlace place : having(keyword)) {
                CharAutomaton one = patterns.of(place, keyword);
                all = all == null ? one : patterns.both(place, all, one);
            }
        }
        long least = least("minLength");
        long most = most("maxLength");
        return all == null || least == 0 && most == Long.MAX_VALUE ? all : patterns.ofLength(having(least > 0 ? "minLength" : "maxLength").get(0), all, least, most);
    }

    /** The rule of numbers; null for numbers of any value. */
    NumberRule numbers(boolean integer) {
        BigDecimal low = null;
        BigDecimal high = null;
        boolean above = false;
        boolean below = false;
        BigDecimal multiple = null;
        for (SchemaPlace place : places) {
            for (String keyword : List.of("minimum", "exclusiveMinimum")) {
                BigDecimal value = Keywords.number(place, keyword);
                boolean excluded = keyword.startsWith("exclusive");
                if (value != null && (low == null || value.compareTo(low) > 0 || value.compareTo(low) == 0 && excluded)) {
                    low = value;
                    above = excluded;
                }
            }
            for (String keyword : List.of("maximum", "exclusiveMaximum")) {
                BigDecimal value = Keywords.number(place, keyword);
                boolean excluded = keyword.startsWith("exclusive");
                if (value != null && (high == null || value.compareTo(high) < 0 || value.compareTo(high) == 0 && excluded)) {
                    high = value;
                    below = excluded;
                }
            }
            multiple = multiple(place, multiple);
        }
        if (low == null && high == null && multiple == null) {
            return null;
        }
        try {
            return new NumberRule(integer, low, above, high, below, multiple);
        } catch (IllegalArgumentException e) {
            throw having("multipleOf").get(0).problem("multipleOf", e.getMessage());
        }
    }

    private static BigDecimal multiple(SchemaPlace place, BigDecimal other) {
        BigDecimal value = Keywords.number(place, "multipleOf");
        if (value != null && value.signum() <= 0) {
            throw place.problem("multipleOf", "must be above 0");
        }
        if (value == null || other == null || other.remainder(value).signum() == 0) {
            return value == null ? other : other == null ? value : other;
        }
        if (value.remainder(other).signum() == 0) {
            return value;
        }
        throw place.problem("multipleOf", "does not go with another one at the same place, of which it is no multiple");
    }

    /** The names of declared and required properties, in order. */
    Set<String> names() {
        Set<String> names = new LinkedHashSet<>();
        having("properties").forEach(place -> names.addAll(Keywords.names(place.schema().get("properties"))));
        names.addAll(required());
        return names;
    }

    Set<String> required() {
        Set<String> names = new LinkedHashSet<>();
        having("required").forEach(place -> place.schema().get("required").forEach(name -> names.add(name.textValue())));
        return names;
    }

    /** The schemas of one property. */
    Set<SchemaPlace> property(String name) {
        Set<SchemaPlace> schemas = new LinkedHashSet<>();
        for (SchemaPlace place : places) {
            if (place.schema().path("properties").has(name)) {
                schemas.add(place.child("properties", name));
            } else if (place.schema().has("additionalProperties")) {
                schemas.add(place.child("additionalProperties"));
            }
        }
        return schemas;
    }

    /** The schemas of other properties; null if there may be none. */
    Set<SchemaPlace> additional() {
        Set<SchemaPlace> schemas = new LinkedHashSet<>();
        having("additionalProperties").forEach(place -> schemas.add(place.child("additionalProperties")));
        return schemas.isEmpty() && inferred && !having("properties").isEmpty() ? null : schemas;
    }

    /** How many items have schemas of their own. */
    int firstItems() {
        return having("prefixItems").stream().mapToInt(place -> place.schema().get("prefixItems").size()).max().orElse(0);
    }

    /** The schemas of an item. */
    Set<SchemaPlace> item(int number) {
        Set<SchemaPlace> schemas = new LinkedHashSet<>();
        for (SchemaPlace place : places) {
            if (number < place.schema().path("prefixItems").size()) {
                schemas.add(place.child("prefixItems", number));
            } else if (place.schema().has("items")) {
                schemas.add(place.child("items"));
            }
        }
        return schemas;
    }
}
