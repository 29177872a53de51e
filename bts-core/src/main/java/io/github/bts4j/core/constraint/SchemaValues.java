package io.github.bts4j.core.constraint;

import com.fasterxml.jackson.databind.JsonNode;
import java.math.BigDecimal;
import java.util.List;
import java.util.Set;

/** Whether given values, those of an enum, fit the schemas beside them. */
final class SchemaValues {
    private final SchemaBranches branches;
    private final Patterns patterns;
    private final Budget budget;
    private JsonNode source; // the enum that a value comes from

    SchemaValues(SchemaBranches branches, Patterns patterns, Budget budget) {
        this.branches = branches;
        this.patterns = patterns;
        this.budget = budget;
    }

    private boolean fitsAll(JsonNode value, Set<SchemaPlace> schemas) {
        return branches.of(schemas).stream().anyMatch(branch -> fits(value, branch));
    }

    /** Whether a value of an enum fits all schemas of a branch. */
    boolean fits(JsonNode value, JsonNode list, List<SchemaPlace> branch) {
        source = list;
        return fits(value, branch);
    }

    /** Whether a value fits all schemas of a branch. */
    private boolean fits(JsonNode value, List<SchemaPlace> branch) {
        budget.use(Budget.SCHEMA * (branch.size() + 1));
        SchemaFacts facts = new SchemaFacts(branch, false);
        JsonType type = JsonType.of(value);
        if (facts.isFalse() || !facts.types().contains(type) || !branch.stream().allMatch(place -> listed(value, place.schema()))) {
            return false;
        }
        return switch (type) {
            case OBJECT -> object(value, facts);
            case ARRAY -> array(value, facts);
            case STRING -> string(value.textValue(), facts);
            case INTEGER, FRACTION -> branch.stream().allMatch(place -> number(value.decimalValue(), place));
            default -> true;
        };
    }

    @SuppressWarnings("ReferenceEquality") // the list that the values come from, not an equal one
    private boolean listed(JsonNode value, JsonNode schema) {
        if (schema.has("const") && !same(value, schema.get("const"))) {
            return false;
        }
        boolean found = !schema.has("enum");
        if (schema.path("enum") == source) {
            return true;
        }
        for (JsonNode each : schema.path("enum")) {
            budget.use(Budget.EDGE);
            found |= same(value, each);
        }
        return found;
    }

    /** Equality of JSON values: 1 is 1.0. */
    private static boolean same(JsonNode one, JsonNode two) {
        return one.equals((a, b) -> a.isNumber() && b.isNumber() ? a.decimalValue().compareTo(b.decimalValue()) : a.equals(b) ? 0 : 1, two);
    }

    private boolean object(JsonNode value, SchemaFacts facts) {
        if (value.size() < facts.least("minProperties") || value.size() > facts.most("maxProperties") || !facts.required().stream().allMatch(value::has)) {
            return false;
        }
        return Keywords.names(value).stream().allMatch(name -> fitsAll(value.get(name), facts.property(name)));
    }

    private boolean array(JsonNode value, SchemaFacts facts) {
        if (value.size() < facts.least("minItems") || value.size() > facts.most("maxItems")) {
            return false;
        }
        for (int i = 0; i < value.size(); i++) {
            if (!fitsAll(value.get(i), facts.item(i))) {
                return false;
            }
        }
        return true;
    }

    private boolean string(String text, SchemaFacts facts) {
        int length = text.codePointCount(0, text.length());
        if (length < facts.least("minLength") || length > facts.most("maxLength")) {
            return false;
        }
        CharAutomaton strings = facts.strings(patterns);
        return strings == null || strings.matches(text);
    }

    private static boolean number(BigDecimal value, SchemaPlace place) {
        BigDecimal low = Keywords.number(place, "minimum");
        BigDecimal above = Keywords.number(place, "exclusiveMinimum");
        BigDecimal high = Keywords.number(place, "maximum");
        BigDecimal below = Keywords.number(place, "exclusiveMaximum");
        BigDecimal multiple = Keywords.number(place, "multipleOf");
        return (low == null || value.compareTo(low) >= 0) && (above == null || value.compareTo(above) > 0) && (high == null || value.compareTo(high) <= 0)
                && (below == null || value.compareTo(below) < 0) && (multiple == null || multiple.signum() > 0 && value.remainder(multiple).signum() == 0);
    }
}
