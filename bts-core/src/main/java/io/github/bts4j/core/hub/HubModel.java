package io.github.bts4j.core.hub;

import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * A model repository of the Hub, written {@code hf:owner/name} or {@code hf:owner/name@revision}.
 *
 * @param id owner and name
 * @param revision a branch, a tag, or a commit of 40 hexadecimal digits
 */
public record HubModel(String id, String revision) {
    /** The revision where none is given. */
    public static final String MAIN = "main";

    private static final String PREFIX = "hf:";
    private static final String NAME = "[A-Za-z0-9][A-Za-z0-9._-]{0,95}";
    private static final Pattern TEXT = Pattern.compile(PREFIX + "(" + NAME + "/" + NAME + ")(?:@(.+))?");
    private static final Pattern REVISION = Pattern.compile("(?!.*\\.\\.)[A-Za-z0-9][A-Za-z0-9._/-]{0,199}");
    private static final Pattern COMMIT = Pattern.compile("[0-9a-f]{40}");

    /**
     * Checks the parts.
     *
     * @param id owner and name
     * @param revision the revision
     * @throws IllegalArgumentException if either is malformed
     */
    public HubModel {
        if (!id.matches(NAME + "/" + NAME) || id.contains("..") || id.contains("--")) {
            throw new IllegalArgumentException("'" + id + "' is not the name of a model on the Hub: write hf:OWNER/NAME or hf:OWNER/NAME@REVISION");
        }
        if (!REVISION.matcher(revision).matches() || revision.endsWith("/")) {
            throw new IllegalArgumentException("revision '" + revision + "' of hf:" + id + " is not a branch, a tag or a commit");
        }
    }

    /**
     * Whether a text means a model of the Hub, well-formed or not.
     *
     * @param text any text
     * @return true if it begins with {@code hf:}
     */
    public static boolean isMeant(String text) {
        return text.startsWith(PREFIX);
    }

    /**
     * Reads a text.
     *
     * @param text such as {@code hf:meta-llama/Llama-3.2-1B@main}
     * @return the model
     * @throws IllegalArgumentException if it is malformed
     */
    public static HubModel of(String text) {
        Matcher matcher = TEXT.matcher(text);
        if (!matcher.matches()) {
            throw new IllegalArgumentException("'" + text + "' is not the name of a model on the Hub: write hf:OWNER/NAME or hf:OWNER/NAME@REVISION");
        }
        return new HubModel(matcher.group(1), matcher.group(2) == null ? MAIN : matcher.group(2));
    }

    /** Whether the revision is a commit. */
    boolean isCommit() {
        return isCommit(revision);
    }

    static boolean isCommit(String revision) {
        return COMMIT.matcher(revision).matches();
    }

    @Override
    public String toString() {
        return PREFIX + id + (revision.equals(MAIN) ? "" : "@" + revision);
    }
}
