package io.github.bts4j.core.constraint;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.BooleanNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Deque;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Compiles a JSON schema (2020-12) to a grammar whose texts are JSON values that fit it. A rule belongs to a set of schemas that hold together. Not every value that fits
 * has such a text: properties come in the schema's order, numbers have up to 15 digits, and others than the declared properties only where the schema asks for them.
 */
final class SchemaCompiler {
    private static final int MOST_RULES = 5_000;
    private static final int MOST_PROPERTIES = 1_000;
    private static final int MOST_FIRST_ITEMS = 1_000;

    /** Marks rules that are only to show whether any value fits: there keywords do not stand for types. */
    private static final SchemaPlace ALL_TYPES = new SchemaPlace(BooleanNode.TRUE, "all types");

    private final Budget budget = new Budget();
    private final Patterns patterns = new Patterns(budget);
    private final SchemaPlace root;
    private final SchemaBranches branches;
    private final SchemaValues values;
    private final Map<Set<SchemaPlace>, Alternatives> rules = new HashMap<>();
    private final Deque<Map.Entry<Set<SchemaPlace>, Alternatives>> todo = new ArrayDeque<>();
    private final List<Composite> composites = new ArrayList<>();
    private final List<Disjoint> disjoint = new ArrayList<>();
    private final Set<String> compared = new HashSet<>();
    private final Node space = new WhiteSpace();
    private final JsonRules json = new JsonRules();

    /** Alternatives of {@code oneOf} that no value may fit together. */
    private record Disjoint(SchemaPlace place, SchemaPlace one, SchemaPlace two, Alternatives both) {}

    private SchemaCompiler(JsonNode schema) {
        root = new SchemaPlace(schema, "#");
        branches = new SchemaBranches(root, budget, this::disjoint);
        values = new SchemaValues(branches, patterns, budget);
    }

    /**
     * Compiles a schema.
     *
     * @throws IllegalArgumentException naming what is not supported and its place, or why no value fits
     */
    static Node compile(JsonNode schema) {
        SchemaCompiler compiler = new SchemaCompiler(schema);
        try {
            return compiler.compile();
        } catch (IllegalArgumentException e) {
            throw e.getMessage().startsWith("schema: ") ? e : new IllegalArgumentException("schema: " + e.getMessage(), e);
        }
    }

    private Node compile() {
        Alternatives whole = rule(Set.of(root));
        while (!todo.isEmpty()) {
            Map.Entry<Set<SchemaPlace>, Alternatives> next = todo.remove();
            fill(next.getKey(), next.getValue());
        }
        findProductive();
        for (Disjoint each : disjoint) {
            if (each.both.isProductive()) {
                throw each.place.problem("oneOf", "is supported where no value fits two of its schemas; one may fit " + each.one.pointer() + " and " + each.two.pointer() + ": use anyOf");
            }
        }
        if (!whole.isProductive()) {
            throw new IllegalArgumentException("schema: no value fits it");
        }
        return whole;
    }

    private void disjoint(SchemaPlace place, SchemaPlace one, SchemaPlace two) {
        if (compared.add(one.pointer() + " " + two.pointer())) {
            Set<SchemaPlace> both = new LinkedHashSet<>(List.of(ALL_TYPES, one, two));
            if (place.schema().has("type")) {
                both.add(new SchemaPlace(JsonNodeFactory.instance.objectNode().set("type", place.schema().get("type")), place.pointer() + " type"));
            }
            disjoint.add(new Disjoint(place, one, two, rule(both)));
        }
    }

    private void findProductive() {
        boolean more = true;
        while (more) {
            more = false;
            for (int i = composites.size() - 1; i >= 0; i--) {
                Composite each = composites.get(i);
                if (!each.isProductive() && each.canEnd()) {
                    each.productive();
                    more = true;
                }
            }
            budget.use(composites.size());
        }
    }

    private <T extends Composite> T made(T rule) {
        composites.add(rule);
        return rule;
    }

    /** The rule of schemas that hold together; an empty set means any value. */
    private Alternatives rule(Set<SchemaPlace> schemas) {
        Alternatives known = rules.get(schemas);
        if (known == null) {
            if (rules.size() >= MOST_RULES) {
                throw new IllegalArgumentException("it has more than " + MOST_RULES + " different parts");
            }
            known = made(new Alternatives());
            rules.put(Set.copyOf(schemas), known);
            todo.add(Map.entry(schemas, known));
        }
        return known;
    }

    private void fill(Set<SchemaPlace> schemas, Alternatives rule) {
        boolean allTypes = schemas.contains(ALL_TYPES);
        for (List<SchemaPlace> branch : branches.of(schemas)) {
            SchemaFacts facts = new SchemaFacts(branch, !allTypes);
            JsonNode listed = facts.values();
            if (facts.isFalse()) {
                continue;
            }
            if (listed != null) {
                list(branch, listed, rule);
                continue;
            }
            Set<JsonType> types = facts.types();
            for (JsonType type : types) {
                if (type != JsonType.INTEGER || !types.contains(JsonType.FRACTION)) {
                    add(rule, type, facts, allTypes);
                }
            }
        }
    }

    private void list(List<SchemaPlace> branch, JsonNode listed, Alternatives rule) {
        List<String> texts = new ArrayList<>();
        for (JsonNode value : listed) {
            JsonRules.requireValid(branch, value);
            if (values.fits(value, listed, branch)) {
                texts.add(value.toString());
            }
        }
        if (!texts.isEmpty()) {
            rule.add(literals(texts));
        }
    }

    private Literals literals(Collection<String> texts) {
        texts.forEach(text -> budget.use(Budget.LITERAL_BYTE * text.length()));
        return new Literals(texts);
    }

    private void add(Alternatives rule, JsonType type, SchemaFacts facts, boolean allTypes) {
        Node node = switch (type) {
            case OBJECT -> object(facts, allTypes);
            case ARRAY -> array(facts, allTypes);
            case STRING -> string(facts);
            case INTEGER, FRACTION -> number(facts, type == JsonType.INTEGER);
            case BOOLEAN -> json.booleans();
            case NULL -> json.nulls();
        };
        if (node != null) {
            rule.add(node);
        }
    }

    private Node string(SchemaFacts facts) {
        CharAutomaton strings = facts.strings(patterns);
        if (strings != null) {
            return strings.isEmpty() ? null : StringRule.of(strings);
        }
        long least = facts.least("minLength");
        long most = facts.most("maxLength");
        return least > most ? null : least == 0 && most == Long.MAX_VALUE ? json.strings() : StringRule.ofLength(least, most);
    }

    private Node number(SchemaFacts facts, boolean integer) {
        NumberRule rule = facts.numbers(integer);
        return rule == null ? json.numbers(integer) : rule.isEmpty() ? null : rule;
    }

    private Alternatives child(Set<SchemaPlace> schemas, boolean allTypes) {
        Set<SchemaPlace> all = new LinkedHashSet<>(schemas);
        if (allTypes) {
            all.add(ALL_TYPES);
        }
        return rule(all);
    }

    private Node array(SchemaFacts facts, boolean allTypes) {
        int own = facts.firstItems();
        if (own > MOST_FIRST_ITEMS) {
            throw root.problem("prefixItems", "has more than " + MOST_FIRST_ITEMS + " schemas");
        }
        List<Node> first = new ArrayList<>();
        for (int i = 0; i < own; i++) {
            first.add(child(facts.item(i), allTypes));
        }
        ArrayRule rule = made(new ArrayRule(space, first, child(facts.item(own), allTypes), facts.least("minItems"), facts.most("maxItems")));
        rule.helpers().forEach(this::helper);
        return rule;
    }

    private void helper(Node node) {
        if (node instanceof Composite composite) {
            composites.add(composite);
        }
    }

    private Node object(SchemaFacts facts, boolean allTypes) {
        Set<String> names = facts.names();
        if (names.size() > MOST_PROPERTIES) {
            throw root.problem("properties", "and required have more than " + MOST_PROPERTIES + " names");
        }
        Set<String> required = facts.required();
        List<ObjectRule.Property> properties = new ArrayList<>();
        List<String> declared = new ArrayList<>();
        for (String name : names) {
            JsonNode key = JsonNodeFactory.instance.textNode(name);
            JsonRules.requireValid(List.of(root), key);
            Sequence entry = made(new Sequence(literals(List.of(key + ":")), space, child(facts.property(name), allTypes)));
            properties.add(new ObjectRule.Property(entry, required.contains(name)));
            declared.add(new String(name.getBytes(StandardCharsets.UTF_8), StandardCharsets.ISO_8859_1));
        }
        Set<SchemaPlace> others = facts.additional();
        Node additional = others == null ? made(new Alternatives()) : child(others, allTypes);
        ObjectRule rule = made(new ObjectRule(space, properties, Names.of(declared), additional, facts.least("minProperties"), facts.most("maxProperties")));
        rule.helpers().forEach(this::helper);
        return rule;
    }
}
