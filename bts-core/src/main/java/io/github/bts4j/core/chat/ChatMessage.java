package io.github.bts4j.core.chat;

import static io.github.bts4j.core.support.Problems.throwIf;

import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Objects;

/**
 * One turn of a conversation.
 *
 * @param role the speaker: {@code system}, {@code user}, {@code assistant}, or another role of the template; letters, digits, {@code _} and {@code -}
 * @param content the text, untrusted
 */
public record ChatMessage(String role, String content) {
    /**
     * Checks the components.
     *
     * @param role the speaker
     * @param content the text
     * @throws IllegalArgumentException if the role is empty or has other characters
     */
    public ChatMessage {
        Objects.requireNonNull(content, "content");
        throwIf(!role.matches("[A-Za-z0-9_-]+"),
                () -> new IllegalArgumentException("role = '" + role + "', must be letters, digits, _ and -, such as system, user or assistant"));
    }

    /**
     * The system message.
     *
     * @param content the text
     * @return the message
     */
    public static ChatMessage system(String content) {
        return new ChatMessage("system", content);
    }

    /**
     * A message of the user.
     *
     * @param content the text
     * @return the message
     */
    public static ChatMessage user(String content) {
        return new ChatMessage("user", content);
    }

    /**
     * A message of the model.
     *
     * @param content the text
     * @return the message
     */
    public static ChatMessage assistant(String content) {
        return new ChatMessage("assistant", content);
    }

    /** The message in the form for templates. */
    Map<String, Object> toMap() {
        Map<String, Object> map = new LinkedHashMap<>();
        map.put("role", role);
        map.put("content", content);
        return map;
    }
}
