package io.github.bts4j.core.chat;

import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Objects;

/**
 * One turn of a conversation.
 *
 * @param role who speaks: {@code system}, {@code user}, {@code assistant}, or what the template knows; letters, digits, {@code _} and {@code -}
 * @param content what is said, written by anybody
 */
public record ChatMessage(String role, String content) {
    /**
     * Checks the components.
     *
     * @param role who speaks
     * @param content what is said
     * @throws IllegalArgumentException if the role holds other characters or none
     */
    public ChatMessage {
        Objects.requireNonNull(content, "content");
        if (!role.matches("[A-Za-z0-9_-]+")) {
            throw new IllegalArgumentException("role = '" + role + "', must be letters, digits, _ and -, such as system, user or assistant");
        }
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
     * What the user says.
     *
     * @param content the text
     * @return the message
     */
    public static ChatMessage user(String content) {
        return new ChatMessage("user", content);
    }

    /**
     * What the model said.
     *
     * @param content the text
     * @return the message
     */
    public static ChatMessage assistant(String content) {
        return new ChatMessage("assistant", content);
    }

    /** The message as templates see it. */
    Map<String, Object> toMap() {
        Map<String, Object> map = new LinkedHashMap<>();
        map.put("role", role);
        map.put("content", content);
        return map;
    }
}
