package io.github.bts4j.core.chat;

import com.fasterxml.jackson.databind.JsonNode;
import io.github.bts4j.core.support.JsonReader;
import java.util.Optional;

/** Reads one call, a JSON object with a name and arguments, character by character. */
final class CallScanner {
    private final StringBuilder whole = new StringBuilder();
    private final StringBuilder arguments = new StringBuilder(); // not taken yet
    private final StringBuilder part = new StringBuilder(); // the key or the value that is read
    private String key = "";
    private String name = "";
    private boolean named;
    private boolean sentArguments;
    private boolean quotedArguments; // JSON inside a string
    private int depth;
    private boolean inString;
    private boolean escaped;
    private boolean value;

    /** Takes the next character of an object; its first one is an opening brace. Returns whether it was the last. */
    boolean push(char next) {
        whole.append(next);
        if (inString) {
            append(next);
            inString = escaped || next != '"';
            escaped = !escaped && next == '\\';
            return false;
        }
        if (next == '"') {
            inString = true;
        } else if (depth == 1 && next == ':' && !value) {
            key = unquoted(part.toString());
            part.setLength(0);
            value = true;
            return false;
        } else if (depth == 1 && (next == ',' || next == '}')) {
            endValue();
            depth -= next == '}' ? 1 : 0;
            return depth == 0;
        }
        if (next == '{' || next == '[') {
            depth++;
            if (depth == 1) {
                return false;
            }
        } else if (next == '}' || next == ']') {
            depth--;
        }
        append(next);
        return false;
    }

    private boolean readsArguments() {
        return value && (key.equals("arguments") || key.equals("parameters"));
    }

    private void append(char next) {
        if (!readsArguments()) {
            part.append(next);
        } else if (!arguments.isEmpty() || sentArguments || !Character.isWhitespace(next)) {
            quotedArguments |= !sentArguments && arguments.isEmpty() && next == '"';
            arguments.append(next);
        }
    }

    private void endValue() {
        if (key.equals("name") && !named) {
            name = unquoted(part.toString());
            named = !name.isEmpty();
        } else if (readsArguments() && quotedArguments) {
            String inner = unquoted(arguments.toString());
            arguments.setLength(0);
            arguments.append(inner);
            quotedArguments = false;
        }
        part.setLength(0);
        value = false;
    }

    private static String unquoted(String text) {
        try {
            JsonNode node = JsonReader.LENIENT.line(text.strip());
            return node.isTextual() ? node.textValue() : "";
        } catch (IllegalArgumentException e) {
            return "";
        }
    }

    /** The tool's name, once it and the beginning of the arguments are known. */
    Optional<String> name() {
        return named && (!arguments.isEmpty() || sentArguments) && !quotedArguments ? Optional.of(name) : Optional.empty();
    }

    /** The arguments' text since the last time. */
    String takeArguments() {
        String text = arguments.toString();
        sentArguments |= !text.isEmpty();
        arguments.setLength(0);
        return text;
    }

    /** Whether it is between the object's parts. */
    boolean isAtTop() {
        return depth == 1 && !inString;
    }

    /** Everything that was read. */
    String whole() {
        return whole.toString();
    }

    /** The name, also without arguments; empty if there is none. */
    String nameAtEnd() {
        return name;
    }
}
