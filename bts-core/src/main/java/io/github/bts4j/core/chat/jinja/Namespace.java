package io.github.bts4j.core.chat.jinja;

/** {@code namespace(..)}: the one object whose attributes a template can set. */
record Namespace(PyDict attributes) {
    void set(Budget budget, String name, Object value) {
        requireName(name);
        attributes.put(budget, name, value);
    }

    static void requireName(Object name) {
        if (name instanceof String text && text.startsWith("_")) {
            throw new Fault(Fault.Kind.SECURITY, "Chat templates cannot store underscore-prefixed attributes on a namespace, but got " + Repr.text(text)
                    + ". Please rename the attribute.");
        }
    }
}
