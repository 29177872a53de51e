package io.github.bts4j.core.chat.jinja;

import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Which variable a name means in a frame, by jinja2's rules (its {@code idtracking}): what a frame assigns is the frame's own, beginning with the outer value;
 * what it only reads is the outer frame's, or the context's.
 */
final class Symbols {
    /** How a variable begins. */
    enum Begin { PARAMETER, RESOLVE, ALIAS, UNDEFINED }

    /** How a variable begins, and from which name or variable. */
    record Load(Begin begin, String from) {}

    private final int level;
    private final Symbols parent;
    private final Map<String, String> references;
    private final Map<String, Load> loads;
    private final Set<String> stores;

    private Symbols(int level, Symbols parent, Map<String, String> references, Map<String, Load> loads, Set<String> stores) {
        this.level = level;
        this.parent = parent;
        this.references = references;
        this.loads = loads;
        this.stores = stores;
    }

    Symbols(Symbols parent) {
        this(parent == null ? 0 : parent.level + 1, parent, new HashMap<>(), new LinkedHashMap<>(), new HashSet<>());
    }

    Symbols copy() {
        return new Symbols(level, parent, new HashMap<>(references), new LinkedHashMap<>(loads), new HashSet<>(stores));
    }

    Map<String, Load> loads() {
        return loads;
    }

    private String define(String name, Load load) {
        String variable = level + " " + name;
        references.put(name, variable);
        loads.put(variable, load);
        return variable;
    }

    /** The variable of a name, null if none is known. */
    String reference(String name) {
        String variable = references.get(name);
        return variable != null || parent == null ? variable : parent.reference(name);
    }

    void store(String name) {
        stores.add(name);
        if (!references.containsKey(name)) {
            String outer = parent == null ? null : parent.reference(name);
            define(name, outer == null ? new Load(Begin.UNDEFINED, null) : new Load(Begin.ALIAS, outer));
        }
    }

    String parameter(String name) {
        stores.add(name);
        return define(name, new Load(Begin.PARAMETER, null));
    }

    void load(String name) {
        if (reference(name) == null) {
            define(name, new Load(Begin.RESOLVE, name));
        }
    }

    /** Takes over what the branches of a condition know. What only some of them assign begins as it is outside. */
    void join(List<Symbols> branches) {
        Set<String> added = new HashSet<>();
        branches.forEach(branch -> added.addAll(branch.stores));
        added.removeAll(stores);
        for (Symbols branch : branches) {
            references.putAll(branch.references);
            loads.putAll(branch.loads);
            stores.addAll(branch.stores);
        }
        for (String name : added) {
            String outer = parent == null ? null : parent.reference(name);
            loads.put(reference(name), outer == null ? new Load(Begin.RESOLVE, name) : new Load(Begin.ALIAS, outer));
        }
    }

    /** Names that this frame or an outer one assigns, and their variables; the innermost first. */
    Map<String, String> assigned() {
        Map<String, String> all = new LinkedHashMap<>();
        for (Symbols each = this; each != null; each = each.parent) {
            each.stores.stream().sorted().forEach(name -> all.putIfAbsent(name, reference(name)));
        }
        return all;
    }
}
