package io.github.bts4j.core.chat.jinja;

/** A value that is not there: it can be printed (as nothing), iterated and tested, and nothing else. */
final class Undefined {
    private final Fault.Kind kind;
    private final String message;

    private Undefined(Fault.Kind kind, String message) {
        this.kind = kind;
        this.message = message;
    }

    static Undefined name(String name) {
        return new Undefined(Fault.Kind.UNDEFINED, Repr.text(name) + " is undefined");
    }

    static Undefined because(String message) {
        return new Undefined(Fault.Kind.UNDEFINED, message);
    }

    /** What an object does not have: an attribute if {@code name} is a text, else an element. */
    static Undefined member(Object object, Object name) {
        String owner = object == null ? "None" : object instanceof Undefined ? "Undefined" : Types.name(object) + " object";
        return name instanceof String text ? because("'" + owner + "' has no attribute " + Repr.text(text)) : because(owner + " has no element " + (name instanceof java.math.BigInteger ? name : "of this key"));
    }

    static Undefined unsafe(Object object, String name) {
        return new Undefined(Fault.Kind.SECURITY, "access to attribute " + Repr.text(name) + " of '" + Types.name(object) + "' object is unsafe.");
    }

    /** Refuses an undefined value where a defined one is needed. */
    static void refuse(Object value) {
        if (value instanceof Undefined undefined) {
            throw new Fault(undefined.kind, undefined.message);
        }
    }
}
