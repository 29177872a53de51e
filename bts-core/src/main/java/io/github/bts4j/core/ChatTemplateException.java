package io.github.bts4j.core;

/** A chat template and what is to be rendered do not fit: it is no template, it fails, it takes too much, or it refuses the conversation. */
public final class ChatTemplateException extends MismatchException {
    private static final long serialVersionUID = 1;

    /** The line in the template, from 1. */
    private final int line;
    /** The column in the template, from 1. */
    private final int column;

    /**
     * An error in a template.
     *
     * @param reason what is wrong, as it follows "The chat template"
     * @param line the line in the template, from 1
     * @param column the column in the template, from 1
     */
    public ChatTemplateException(String reason, int line, int column) {
        super("The chat template, line " + line + ", column " + column + ": " + reason);
        this.line = line;
        this.column = column;
    }

    /**
     * Where the error is.
     *
     * @return the line in the template, from 1
     */
    public int line() {
        return line;
    }

    /**
     * Where the error is.
     *
     * @return the column in the template, from 1
     */
    public int column() {
        return column;
    }
}
