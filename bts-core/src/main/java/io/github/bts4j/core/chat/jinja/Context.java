package io.github.bts4j.core.chat.jinja;

import java.util.HashMap;
import java.util.Map;

/** The names that were passed to the template, and those that it has set at its top level. */
final class Context {
    private final Map<String, Object> given;
    private final Map<String, Object> set = new HashMap<>();

    Context(Map<String, Object> given) {
        this.given = given;
    }

    Object resolve(String name) {
        if (set.containsKey(name)) {
            return set.get(name);
        }
        if (given.containsKey(name)) {
            return given.get(name);
        }
        return Globals.GLOBALS.getOrDefault(name, Arguments.MISSING);
    }

    void set(String name, Object value) {
        set.put(name, value);
    }

    /** One with these names in addition. */
    Context derived(Map<String, Object> more) {
        Map<String, Object> all = new HashMap<>(given);
        all.putAll(set);
        all.putAll(more);
        return new Context(all);
    }
}
