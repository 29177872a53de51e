package io.github.bts4j.core.chat.jinja;

import java.util.Arrays;

/** The values of one function's local variables during one call. */
final class Locals {
    private final Locals parent;
    private final Context context;
    private final Object[] values;

    Locals(FunctionScope scope, Locals parent, Context context) {
        this.parent = parent;
        this.context = context;
        this.values = new Object[scope.size()];
        Arrays.fill(values, Arguments.MISSING);
    }

    Locals up(int hops) {
        Locals locals = this;
        for (int i = 0; i < hops; i++) {
            locals = locals.parent;
        }
        return locals;
    }

    Context context() {
        return context;
    }

    Object get(int slot) {
        return values[slot];
    }

    void set(int slot, Object value) {
        values[slot] = value;
    }
}
