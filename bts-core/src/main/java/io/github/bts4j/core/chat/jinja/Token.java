package io.github.bts4j.core.chat.jinja;

/**
 * One token of the lexer.
 *
 * @param kind its kind
 * @param text its text: of a string without quotes and escapes, of an operator as it is written
 * @param value a number's value, else none
 * @param place where it begins
 */
record Token(Kind kind, String text, Object value, Place place) {
    /** Token types of the parser; operators are distinguished by their text. */
    enum Kind {
        DATA("template data / text"), BLOCK_BEGIN("begin of statement block"), BLOCK_END("end of statement block"),
        VARIABLE_BEGIN("begin of print statement"), VARIABLE_END("end of print statement"), NAME("name"), STRING("string"), INTEGER("integer"),
        FLOAT("float"), OPERATOR("operator"), EOF("end of template");

        private final String label;

        Kind(String label) {
            this.label = label;
        }

        String label() {
            return label;
        }
    }

    boolean is(Kind other) {
        return kind == other;
    }

    boolean isName(String name) {
        return kind == Kind.NAME && text.equals(name);
    }

    boolean isOperator(String operator) {
        return kind == Kind.OPERATOR && text.equals(operator);
    }

    String describe() {
        return kind == Kind.NAME || kind == Kind.OPERATOR ? text : kind.label();
    }
}
