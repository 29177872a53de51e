package io.github.bts4j.core.chat.jinja;

/** An error of Python's while a template is rendered: its kind decides whether jinja2 catches it, its place is where the innermost expression begins. */
final class Fault extends RuntimeException {
    /** Python's exception classes, as far as jinja2 distinguishes them. */
    enum Kind {
        TYPE, VALUE, LOOKUP, ATTRIBUTE, ARITHMETIC, OVERFLOW, UNDEFINED, SECURITY, TEMPLATE, RAISED, STOP, SYNTAX, LIMIT
    }

    private static final long serialVersionUID = 1;

    private final Kind kind;
    private int line;
    private int column;

    Fault(Kind kind, String message) {
        super(message, null, false, false);
        this.kind = kind;
    }

    static Fault type(String message) {
        return new Fault(Kind.TYPE, message);
    }

    static Fault value(String message) {
        return new Fault(Kind.VALUE, message);
    }

    static Fault lookup(String message) {
        return new Fault(Kind.LOOKUP, message);
    }

    static Fault overflow(String message) {
        return new Fault(Kind.OVERFLOW, message);
    }

    static Fault template(String message) {
        return new Fault(Kind.TEMPLATE, message);
    }

    static Fault limit(String message) {
        return new Fault(Kind.LIMIT, message);
    }

    static Fault syntax(String message, Place place) {
        return new Fault(Kind.SYNTAX, message).at(place);
    }

    /** Sets the place if none is known yet. */
    Fault at(Place place) {
        if (line == 0) {
            line = place.line();
            column = place.column();
        }
        return this;
    }

    Kind kind() {
        return kind;
    }

    int line() {
        return line;
    }

    int column() {
        return column;
    }
}
