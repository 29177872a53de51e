package io.github.bts4j.core.chat.jinja;

import static io.github.bts4j.core.support.Problems.throwIf;

import java.util.ArrayList;
import java.util.List;

/** What is assigned to: a name, a namespace's attribute, or several. */
interface Targets {
    void assign(Run run, Locals locals, Object value);

    /** The value of the names, as they were assigned. */
    Object value(Locals locals);

    static Targets compile(Expression target, Frame frame) {
        if (target instanceof Expression.Name name) {
            return new Single(frame.scope().write(frame.symbols().reference(name.name())));
        }
        if (target instanceof Expression.NamespaceReference reference) {
            return new Attribute(frame.scope().read(frame.symbols().reference(reference.name())), reference);
        }
        return new Several(((Expression.Tuple) target).items().stream().map(item -> compile(item, frame)).toList());
    }

    /** A name. */
    record Single(FunctionScope.Variable variable) implements Targets {
        @Override
        public void assign(Run run, Locals locals, Object value) {
            variable.set(locals, value);
        }

        @Override
        public Object value(Locals locals) {
            return variable.get(locals);
        }
    }

    /** An attribute of a namespace. */
    record Attribute(FunctionScope.Variable variable, Expression.NamespaceReference reference) implements Targets {
        /** Refuses what is no namespace, before anything is computed. */
        void check(Locals locals) {
            throwIf(!(variable.get(locals) instanceof Namespace),
                    () -> Fault.template("cannot assign attribute on non-namespace object").at(reference.place()));
        }

        @Override
        public void assign(Run run, Locals locals, Object value) {
            if (!(variable.get(locals) instanceof Namespace namespace)) {
                throw Fault.type("'" + Types.name(variable.get(locals)) + "' object does not support item assignment").at(reference.place());
            }
            namespace.set(run.budget(), reference.attribute(), value);
        }

        @Override
        public Object value(Locals locals) {
            return null;
        }
    }

    /** Several, to which the elements of an iterable are assigned. */
    record Several(List<Targets> items) implements Targets {
        @Override
        public void assign(Run run, Locals locals, Object value) {
            throwIf(!Types.isIterable(value), () -> Fault.type("cannot unpack non-iterable " + Types.name(value) + " object"));
            List<Object> values = new ArrayList<>();
            for (java.util.Iterator<Object> elements = Types.iterate(run, value); elements.hasNext() && values.size() <= items.size();) {
                run.budget().step();
                values.add(elements.next());
            }
            throwIf(values.size() != items.size(),
                    () -> Fault.value(values.size() > items.size() ? "too many values to unpack (expected " + items.size() + ")"
                            : "not enough values to unpack (expected " + items.size() + ", got " + values.size() + ")"));
            for (int i = 0; i < items.size(); i++) {
                items.get(i).assign(run, locals, values.get(i));
            }
        }

        @Override
        public Object value(Locals locals) {
            List<Object> values = new ArrayList<>();
            items.forEach(item -> values.add(item.value(locals)));
            return new Sequence.PyTuple(values);
        }
    }
}
