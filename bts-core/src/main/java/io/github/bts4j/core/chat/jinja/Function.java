package io.github.bts4j.core.chat.jinja;

/** What a template can call: a method, a global function, a macro. */
interface Function {
    /** Python's name of its type. */
    default String typeName() {
        return "builtin_function_or_method";
    }

    /** How it prints. */
    default String repr() {
        return "<" + typeName() + ">";
    }

    Object call(Run run, Arguments arguments);
}
