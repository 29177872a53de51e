package io.github.bts4j.core.chat.jinja;

/** A method of some value. */
record BoundMethod(String name, Body body) implements Function {
    /** What it does. */
    interface Body {
        Object call(Run run, Arguments arguments);
    }

    @Override
    public String repr() {
        return "<built-in method " + name + ">";
    }

    @Override
    public Object call(Run run, Arguments arguments) {
        return body.call(run, arguments);
    }
}
