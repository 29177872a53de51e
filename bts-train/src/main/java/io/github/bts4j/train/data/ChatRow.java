package io.github.bts4j.train.data;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.StreamReadConstraints;
import com.fasterxml.jackson.core.type.TypeReference;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.github.bts4j.core.chat.ChatRequest;
import io.github.bts4j.core.support.JsonProblem;
import io.github.bts4j.core.support.JsonReader;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * A conversation to learn from, one row of a data set.
 *
 * <p>Either {@code messages}, a list of objects with {@code role} and what the chat template reads of them ({@code content}, {@code tool_calls}, ..), of which
 * everything that the assistant says is learnt; or {@code prompt} and {@code completion}, two such lists, of which the completion's is learnt. A prompt and a
 * completion that are texts are a message of the user's and the assistant's answer. Beside them there may be {@code tools}, a list of JSON schemas or its JSON as a
 * text, and {@code chat_template_kwargs}, arguments of the template's own. Other fields are not read.
 *
 * @param messages the messages in order, one or more
 * @param from number of the first message that is not the prompt's
 * @param tools what the assistant may call; empty if the row says nothing of tools
 * @param arguments arguments of the template's own
 */
public record ChatRow(List<Map<String, Object>> messages, int from, Optional<List<Map<String, Object>>> tools, Map<String, Object> arguments) {
    private static final ObjectMapper JSON = mapper();
    private static final TypeReference<LinkedHashMap<String, Object>> MAP = new TypeReference<>() { };

    private static ObjectMapper mapper() {
        ObjectMapper json = new ObjectMapper();
        json.getFactory().setStreamReadConstraints(StreamReadConstraints.builder().maxStringLength(Integer.MAX_VALUE).build());
        return json;
    }

    /**
     * Reads a conversation.
     *
     * @param json a JSON object
     * @return the conversation
     * @throws IllegalArgumentException if it is none
     */
    public static ChatRow parse(String json) {
        try {
            return of(JSON.readTree(json));
        } catch (JsonProcessingException e) {
            throw new IllegalArgumentException("not valid JSON: " + JsonProblem.inLine(e), e);
        } catch (BadRowException e) {
            throw new IllegalArgumentException(e.getMessage(), e);
        }
    }

    /**
     * Whether rows are conversations, by their fields.
     *
     * @param fields names of fields
     * @return true for {@code messages}, or {@code prompt} and {@code completion}
     */
    public static boolean isConversation(Collection<String> fields) {
        return fields.contains("messages") || fields.contains("prompt") && fields.contains("completion");
    }

    static ChatRow of(JsonNode row) throws BadRowException {
        JsonNode arguments = row.path("chat_template_kwargs");
        if (!isAbsent(arguments) && !arguments.isObject()) {
            throw new BadRowException("field 'chat_template_kwargs' is " + JsonReader.kind(arguments) + ", not an object");
        }
        List<Map<String, Object>> messages = new ArrayList<>();
        int from = 0;
        if (!isAbsent(row.path("messages"))) {
            messages.addAll(messages(row, "messages"));
        } else if (!isAbsent(row.path("prompt")) && !isAbsent(row.path("completion"))) {
            messages.addAll(messages(row, "prompt"));
            from = messages.size();
            messages.addAll(messages(row, "completion"));
        } else {
            List<String> fields = new ArrayList<>();
            row.fieldNames().forEachRemaining(fields::add);
            throw new BadRowException("neither 'messages' nor 'prompt' and 'completion' (fields: " + String.join(", ", fields) + ")");
        }
        return new ChatRow(messages, from, tools(row.path("tools")), isAbsent(arguments) ? Map.of() : JSON.convertValue(arguments, MAP));
    }

    private static boolean isAbsent(JsonNode node) {
        return node.isMissingNode() || node.isNull();
    }

    private static List<Map<String, Object>> messages(JsonNode row, String field) throws BadRowException {
        JsonNode node = row.path(field);
        if (node.isTextual() && !field.equals("messages")) {
            checkText(node, "'" + field + "'");
            return List.of(message(field.equals("prompt") ? "user" : "assistant", node.textValue()));
        }
        if (!node.isArray() || node.isEmpty()) {
            throw new BadRowException("field '" + field + "' is " + (node.isArray() ? "empty" : JsonReader.kind(node)) + ": a list of messages is needed"
                    + (field.equals("messages") ? "" : ", or a text"));
        }
        List<Map<String, Object>> messages = new ArrayList<>();
        for (JsonNode message : node) {
            String what = "message " + (messages.size() + 1) + " of '" + field + "'";
            if (!message.isObject() || !message.path("role").isTextual()) {
                throw new BadRowException(what + " is no object with a 'role'");
            }
            checkText(message, what);
            messages.add(JSON.convertValue(message, MAP));
        }
        return messages;
    }

    private static Map<String, Object> message(String role, String content) {
        Map<String, Object> message = new LinkedHashMap<>();
        message.put("role", role);
        message.put("content", content);
        return message;
    }

    /** Refuses halves of surrogate pairs, of which no tokens can be made. */
    private static void checkText(JsonNode node, String what) throws BadRowException {
        if (node.isTextual() && Utf8.loneSurrogate(node.textValue()) >= 0) {
            throw new BadRowException("half a surrogate pair in " + what);
        }
        for (JsonNode child : node) {
            checkText(child, what);
        }
    }

    private static Optional<List<Map<String, Object>>> tools(JsonNode node) throws BadRowException {
        JsonNode list = node;
        if (node.isTextual()) {
            try {
                list = JSON.readTree(node.textValue());
            } catch (JsonProcessingException e) {
                throw new BadRowException("field 'tools' is a text that is not JSON: " + JsonProblem.inLine(e));
            }
        }
        if (isAbsent(list)) {
            return Optional.empty();
        }
        List<Map<String, Object>> tools = new ArrayList<>();
        for (JsonNode tool : list) {
            if (!tool.isObject()) {
                throw new BadRowException("field 'tools' holds " + JsonReader.kind(tool) + ": JSON schemas are needed, as objects");
            }
            tools.add(JSON.convertValue(tool, MAP));
        }
        if (!list.isArray()) {
            throw new BadRowException("field 'tools' is " + JsonReader.kind(list) + ", not a list");
        }
        return Optional.of(tools);
    }

    /** What a chat template is given. */
    ChatRequest request() {
        ChatRequest request = ChatRequest.of(messages);
        if (tools.isPresent()) {
            request = request.withTools(tools.get());
        }
        for (Map.Entry<String, Object> argument : arguments.entrySet()) {
            request = request.with(argument.getKey(), argument.getValue());
        }
        return request;
    }
}
