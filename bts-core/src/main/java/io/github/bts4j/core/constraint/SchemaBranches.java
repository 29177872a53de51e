package io.github.bts4j.core.constraint;

import com.fasterxml.jackson.databind.JsonNode;
import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;

/**
 * Schemas that hold together, without {@code $ref}, {@code allOf}, {@code anyOf} and {@code oneOf}: the first two are followed, and each choice of the others is a branch, a
 * list of schemas whose other keywords all apply.
 */
final class SchemaBranches {
    private static final int MOST_BRANCHES = 512;
    private static final int MOST_CHAIN = 200;

    private final SchemaPlace root;
    private final Budget budget;
    private final Disjointness disjointness;

    /** Receives what must be disjoint, because {@code oneOf} is read as {@code anyOf}. */
    interface Disjointness {
        void require(SchemaPlace place, SchemaPlace one, SchemaPlace two);
    }

    /** Alternatives, with the schemas that led to them. */
    private record Choice(List<SchemaPlace> alternatives, Set<SchemaPlace> path) {}

    SchemaBranches(SchemaPlace root, Budget budget, Disjointness disjointness) {
        this.root = root;
        this.budget = budget;
        this.disjointness = disjointness;
    }

    /** The branches of schemas that hold together. */
    List<List<SchemaPlace>> of(Collection<SchemaPlace> schemas) {
        List<List<SchemaPlace>> branches = new ArrayList<>();
        Set<SchemaPlace> all = new LinkedHashSet<>();
        List<Choice> choices = new ArrayList<>();
        schemas.forEach(schema -> follow(schema, Set.of(), all, choices));
        branch(all, choices, branches);
        return branches;
    }

    private void branch(Set<SchemaPlace> all, List<Choice> choices, List<List<SchemaPlace>> branches) {
        budget.use(Budget.SCHEMA * (all.size() + 1));
        if (choices.isEmpty()) {
            if (branches.size() >= MOST_BRANCHES) {
                throw root.problem("anyOf", "and others make more than " + MOST_BRANCHES + " combinations");
            }
            branches.add(List.copyOf(all));
            return;
        }
        Choice first = choices.get(0);
        for (SchemaPlace alternative : first.alternatives) {
            Set<SchemaPlace> more = new LinkedHashSet<>(all);
            List<Choice> rest = new ArrayList<>(choices.subList(1, choices.size()));
            follow(alternative, first.path, more, rest);
            branch(more, rest, branches);
        }
    }

    private void follow(SchemaPlace place, Set<SchemaPlace> path, Set<SchemaPlace> all, List<Choice> choices) {
        budget.use(Budget.SCHEMA);
        if (path.contains(place)) {
            throw place.problem("$ref", "leads back to itself without a value between");
        }
        if (path.size() > MOST_CHAIN) {
            throw place.problem("$ref", "is the end of more than " + MOST_CHAIN + " schemas that refer to each other");
        }
        Keywords.check(place);
        if (!all.add(place)) {
            return;
        }
        Set<SchemaPlace> longer = new LinkedHashSet<>(path);
        longer.add(place);
        JsonNode schema = place.schema();
        if (schema.has("$ref")) {
            follow(target(place), longer, all, choices);
        }
        for (int i = 0; i < schema.path("allOf").size(); i++) {
            follow(place.child("allOf", i), longer, all, choices);
        }
        for (String keyword : List.of("anyOf", "oneOf")) {
            if (schema.has(keyword)) {
                choices.add(new Choice(alternatives(place, keyword), longer));
            }
        }
    }

    private List<SchemaPlace> alternatives(SchemaPlace place, String keyword) {
        List<SchemaPlace> alternatives = new ArrayList<>();
        for (int i = 0; i < place.schema().get(keyword).size(); i++) {
            SchemaPlace next = place.child(keyword, i);
            if (keyword.equals("oneOf")) {
                alternatives.forEach(other -> disjointness.require(place, other, next));
            }
            alternatives.add(next);
        }
        return alternatives;
    }

    private SchemaPlace target(SchemaPlace place) {
        String reference = Keywords.text(place, "$ref");
        if (!reference.equals("#") && !reference.startsWith("#/")) {
            throw place.problem("$ref", "must be # or begin with #/: other references are not supported");
        }
        JsonNode at = root.schema();
        String pointer = URLDecoder.decode(reference.replace("+", "%2B").replaceAll("%(?![0-9a-fA-F]{2})", "%25"), StandardCharsets.UTF_8);
        String[] names = pointer.length() <= 1 ? new String[0] : pointer.substring(2).split("/", -1);
        for (String name : names) {
            String key = name.replace("~1", "/").replace("~0", "~");
            at = at.isArray() && key.matches("\\d{1,6}") ? at.path(Integer.parseInt(key)) : at.path(key);
        }
        if (!at.isObject() && !at.isBoolean()) {
            throw place.problem("$ref", "refers to " + (reference.length() > 100 ? reference.substring(0, 100) + ".." : reference) + ", where there is no schema");
        }
        return new SchemaPlace(at, pointer);
    }
}
