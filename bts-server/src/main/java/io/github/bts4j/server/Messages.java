package io.github.bts4j.server;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import io.github.bts4j.core.chat.ChatMessage;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;

/** Reads the messages of a chat. */
final class Messages {
    private static final int MOST = 4096;
    private static final Set<String> ROLES = Set.of("system", "user", "assistant");

    private Messages() {}

    static List<ChatMessage> read(Fields fields, PromptLimits limits) {
        JsonNode node = fields.get("messages");
        if (!node.isArray() || node.isEmpty() || node.size() > MOST) {
            throw fields.wrong("messages", node, "a list of 1 to " + MOST + " messages");
        }
        List<ChatMessage> messages = new ArrayList<>();
        for (int i = 0; i < node.size(); i++) {
            messages.add(message(new Fields(node.get(i), "messages[" + i + "].")));
        }
        limits.check("messages", messages.stream().map(ChatMessage::content).toList());
        return messages;
    }

    /** What clients send back of an earlier answer, such as {@code refusal: null}, is accepted where it says nothing. */
    private static ChatMessage message(Fields message) {
        String role = message.text("role").map(name -> name.equals("developer") ? "system" : name).orElse("");
        if (!ROLES.contains(role)) {
            throw message.wrong("role", message.get("role"), "system, user or assistant");
        }
        message.onlyNeutral("tool_calls", JsonNodeFactory.instance.arrayNode());
        message.onlyNeutral("annotations", JsonNodeFactory.instance.arrayNode());
        for (String name : List.of("refusal", "audio", "function_call", "tool_call_id")) {
            message.onlyNeutral(name);
        }
        message.ignored("name");
        ChatMessage read = new ChatMessage(role, content(message));
        message.end();
        return read;
    }

    /** A string, or a list of parts of type text. */
    private static String content(Fields message) {
        JsonNode node = message.get("content");
        if (!node.isArray()) {
            return message.text("content").orElseThrow(() -> message.wrong("content", node, "a string or a list of text parts"));
        }
        StringBuilder text = new StringBuilder();
        for (JsonNode each : node) {
            Fields part = new Fields(each, "messages[].content[].");
            if (!part.text("type").orElse("").equals("text")) {
                throw part.wrong("type", part.get("type"), "text, the only kind of content that this server reads,");
            }
            text.append(part.text("text").orElseThrow(() -> part.wrong("text", part.get("text"), "a string")));
            part.end();
        }
        return text.toString();
    }
}
