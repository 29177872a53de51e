package io.github.bts4j.server;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;

/**
 * Turns the {@code instructions} and {@code input} of {@code /v1/responses} into the messages of a chat.
 *
 * @param fields the request
 */
record ResponsesInput(Fields fields) {
    private static final JsonNodeFactory JSON = JsonNodeFactory.instance;
    private static final int MOST = 4096;

    ArrayNode messages() {
        ArrayNode messages = JSON.arrayNode();
        fields.text("instructions").ifPresent(text -> messages.addObject().put("role", "system").put(Messages.CONTENT, text));
        JsonNode input = fields.get("input");
        if (input.isTextual()) {
            messages.addObject().put("role", "user").put(Messages.CONTENT, fields.text("input").orElseThrow());
            return messages;
        }
        if (!input.isArray() || input.isEmpty() || input.size() > MOST) {
            throw fields.wrong("input", input, "a string or a list of 1 to " + MOST + " items");
        }
        for (int i = 0; i < input.size(); i++) {
            item(new Fields(input.get(i), "input[" + i + "]."), messages);
        }
        return messages;
    }

    private static void item(Fields item, ArrayNode messages) {
        item.ignored("id", "status");
        String type = item.text("type").orElse("message");
        switch (type) {
            case "message" -> message(item, messages);
            case "function_call" -> call(item, messages);
            case "function_call_output" -> messages.addObject().put("role", "tool").put("tool_call_id", required(item, "call_id")).put(Messages.CONTENT, text(item, "output"));
            default -> throw item.wrong("type", item.get("type"), "message, function_call or function_call_output, the items that this server supports");
        }
        item.end();
    }

    private static void message(Fields item, ArrayNode messages) {
        String role = item.text("role").orElse("");
        if (!role.matches("system|developer|user|assistant")) {
            throw item.wrong("role", item.get("role"), "system, developer, user or assistant");
        }
        messages.addObject().put("role", role).put(Messages.CONTENT, text(item, Messages.CONTENT));
    }

    /** Calls one after the other are of one message, and so is the text before them. */
    private static void call(Fields item, ArrayNode messages) {
        JsonNode last = messages.isEmpty() ? JSON.objectNode() : messages.get(messages.size() - 1);
        ObjectNode message = last.path("role").asText().equals("assistant") ? (ObjectNode) last : messages.addObject().put("role", "assistant").putNull(Messages.CONTENT);
        message.withArray("tool_calls").addObject().put("id", required(item, "call_id")).put("type", "function").putObject("function")
                .put("name", required(item, "name")).put("arguments", required(item, "arguments"));
    }

    private static String required(Fields item, String name) {
        return item.text(name).orElseThrow(() -> item.wrong(name, item.get(name), "a string"));
    }

    /** A string, or a list of texts. */
    private static String text(Fields item, String name) {
        JsonNode node = item.get(name);
        if (!node.isArray()) {
            return required(item, name);
        }
        StringBuilder text = new StringBuilder();
        for (JsonNode each : node) {
            Fields part = new Fields(each, "input[]." + name + "[].");
            if (!part.text("type").orElse("").matches("(input_|output_)?text")) {
                throw part.wrong("type", part.get("type"), "input_text or output_text, the only content that this server supports");
            }
            text.append(required(part, "text"));
            part.ignored("annotations", "logprobs");
            part.end();
        }
        return text.toString();
    }
}
