package io.github.bts4j.core.chat.jinja;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** The local variables of the template's root, of a macro, of a recursive loop or a loop's filter, as Python's functions have them. */
final class FunctionScope {
    private final FunctionScope parent;
    private final Map<String, Integer> slots = new HashMap<>();
    private final List<Variable> variables;

    FunctionScope(FunctionScope parent) {
        this.parent = parent;
        this.variables = parent == null ? new ArrayList<>() : parent.variables;
    }

    int size() {
        return slots.size();
    }

    /** A variable that is read: this function's if it assigns it anywhere, else an outer one's. */
    Variable read(String name) {
        Variable variable = new Variable(this, name);
        variables.add(variable);
        return variable;
    }

    /** A variable that is assigned. */
    Variable write(String name) {
        slots.computeIfAbsent(name, key -> slots.size());
        return read(name);
    }

    /** Once all is compiled: finds the places of all variables. */
    void seal() {
        variables.forEach(Variable::resolve);
    }

    /** A variable as it is used in one place. */
    static final class Variable {
        private final FunctionScope scope;
        private final String name;
        private int hops = -1;
        private int slot;

        private Variable(FunctionScope scope, String name) {
            this.scope = scope;
            this.name = name;
        }

        private void resolve() {
            int up = 0;
            for (FunctionScope each = scope; each != null; each = each.parent, up++) {
                if (each.slots.containsKey(name)) {
                    hops = up;
                    slot = each.slots.get(name);
                    return;
                }
            }
        }

        Object get(Locals locals) {
            return hops < 0 ? Arguments.MISSING : locals.up(hops).get(slot);
        }

        void set(Locals locals, Object value) {
            locals.up(hops).set(slot, value);
        }
    }
}
