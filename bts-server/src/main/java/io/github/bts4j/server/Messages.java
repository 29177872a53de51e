package io.github.bts4j.server;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.github.bts4j.core.chat.ChatRequest;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** Reads the messages of a chat and the template's other variables. */
final class Messages {
    static final String CONTENT = "content";

    private static final int MOST = 4096;
    private static final Set<String> ROLES = Set.of("system", "user", "assistant", "tool");
    private static final ObjectMapper JSON = new ObjectMapper();

    private Messages() {}

    /** Reads a chat request. */
    static ChatRequest request(Fields fields, PromptLimits limits) {
        ChatRequest request = ChatRequest.of(read(fields, limits));
        boolean goingOn = fields.flag("continue_final_message");
        boolean prompt = fields.flag("add_generation_prompt", !goingOn);
        if (goingOn && prompt) {
            throw ApiException.field("continue_final_message", "continue_final_message = true needs add_generation_prompt = false");
        }
        return withArguments((goingOn ? request.continuingFinalMessage() : request).withGenerationPrompt(prompt), fields);
    }

    /** Adds the template's other variables: {@code documents} and {@code chat_template_kwargs}. */
    static ChatRequest withArguments(ChatRequest messages, Fields fields) {
        ChatRequest request = messages;
        JsonNode documents = fields.get("documents");
        if (!documents.isMissingNode() && !documents.isArray()) {
            throw fields.wrong("documents", documents, "a list of objects");
        }
        if (!documents.isEmpty()) {
            List<Map<String, Object>> list = new ArrayList<>();
            documents.forEach(each -> list.add(map(new Fields(each, "documents[].").object())));
            request = request.withDocuments(list);
        }
        JsonNode arguments = fields.get("chat_template_kwargs");
        if (!arguments.isMissingNode()) {
            for (Map.Entry<String, Object> each : map(new Fields(arguments, "chat_template_kwargs.").object()).entrySet()) {
                request = request.with(each.getKey(), each.getValue());
            }
        }
        return request;
    }

    /** The messages with all fields that a template may use. */
    static List<Map<String, Object>> read(Fields fields, PromptLimits limits) {
        JsonNode node = fields.get("messages");
        if (!node.isArray() || node.isEmpty() || node.size() > MOST) {
            throw fields.wrong("messages", node, "a list of 1 to " + MOST + " messages");
        }
        List<Map<String, Object>> messages = new ArrayList<>();
        for (int i = 0; i < node.size(); i++) {
            messages.add(message(new Fields(node.get(i), "messages[" + i + "].")));
        }
        limits.check("messages", messages.stream().map(message -> String.valueOf(message.getOrDefault(CONTENT, ""))).toList());
        return messages;
    }

    /** Fields that clients send back from an earlier response, such as {@code refusal: null}, are accepted if they are empty. */
    private static Map<String, Object> message(Fields message) {
        String role = message.text("role").map(name -> name.equals("developer") ? "system" : name).orElse("");
        if (!ROLES.contains(role)) {
            throw message.wrong("role", message.get("role"), "system, user, assistant or tool");
        }
        message.onlyNeutral("annotations", JsonNodeFactory.instance.arrayNode());
        for (String name : List.of("refusal", "audio", "function_call")) {
            message.onlyNeutral(name);
        }
        JsonNode calls = message.get("tool_calls");
        if (!calls.isMissingNode() && !calls.isArray() || !calls.isEmpty() && !role.equals("assistant")) {
            throw message.wrong("tool_calls", calls, "a list, in an assistant's message");
        }
        Map<String, Object> map = map(message.object());
        for (String name : List.of("annotations", "refusal", "audio", "function_call", "tool_calls", CONTENT)) {
            map.remove(name);
        }
        map.put("role", role);
        if (!calls.isEmpty()) {
            map.put("tool_calls", calls(message, calls));
        }
        if (calls.isEmpty() || !message.get(CONTENT).isMissingNode()) { // content is optional beside tool calls
            map.put(CONTENT, content(message));
        }
        return map;
    }

    /** Parses the arguments: clients send JSON in a string, templates expect an object. */
    private static List<Object> calls(Fields message, JsonNode calls) {
        List<Object> list = new ArrayList<>();
        for (JsonNode each : calls) {
            ObjectNode call = new Fields(each, "messages[].tool_calls[].").object().deepCopy();
            if (call.path("function").path("arguments").isTextual()) {
                try {
                    ((ObjectNode) call.get("function")).set("arguments", JSON.readTree(call.path("function").path("arguments").textValue()));
                } catch (JsonProcessingException e) {
                    throw message.wrong("tool_calls", call.path("function").path("arguments"), "JSON in the arguments of every call");
                }
            }
            list.add(map(call));
        }
        return list;
    }

    static Map<String, Object> map(JsonNode object) {
        return new LinkedHashMap<>(JSON.convertValue(object, JSON.getTypeFactory().constructMapType(LinkedHashMap.class, String.class, Object.class)));
    }

    /** A string, or a list of parts of type text. */
    private static String content(Fields message) {
        JsonNode node = message.get(CONTENT);
        if (!node.isArray()) {
            return message.text(CONTENT).orElseThrow(() -> message.wrong(CONTENT, node, "a string or a list of text parts"));
        }
        StringBuilder text = new StringBuilder();
        for (JsonNode each : node) {
            Fields part = new Fields(each, "messages[].content[].");
            if (!part.text("type").orElse("").equals("text")) {
                throw part.wrong("type", part.get("type"), "text, the only content type that this server supports");
            }
            text.append(part.text("text").orElseThrow(() -> part.wrong("text", part.get("text"), "a string")));
            part.end();
        }
        return text.toString();
    }
}
