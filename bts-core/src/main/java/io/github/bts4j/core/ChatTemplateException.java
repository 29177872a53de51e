package io.github.bts4j.core;

/** A chat template cannot render a conversation: it is malformed, it fails, it exceeds its limits, or it refuses the conversation. */
public final class ChatTemplateException extends MismatchException {
    private static final long serialVersionUID = 1;

    /** The line in the template, from 1. */
    private final int line;
    /** The column in the template, from 1. */
    private final int column;

    /**
     * An error in a template.
     *
     * @param reason the error, to follow "The chat template"
     * @param line the line in the template, from 1
     * @param column the column in the template, from 1
     */
    public ChatTemplateException(String reason, int line, int column) {
        super("The chat template, line " + line + ", column " + column + ": " + reason);
        this.line = line;
        this.column = column;
    }

    /** {@return the line of the error in the template, from 1} */
    public int line() {
        return line;
    }

    /** {@return the column of the error in the template, from 1} */
    public int column() {
        return column;
    }
}
