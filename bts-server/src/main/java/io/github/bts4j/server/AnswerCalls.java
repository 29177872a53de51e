package io.github.bts4j.server;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.github.bts4j.core.chat.ToolCallEvent;
import io.github.bts4j.core.chat.ToolCallParser;
import io.github.bts4j.core.generate.GeneratedToken;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;

/** The calls of tools in one answer, in OpenAI's format. */
final class AnswerCalls {
    private static final JsonNodeFactory JSON = JsonNodeFactory.instance;
    private static final int ID_LENGTH = 9; // Mistral's templates accept no other

    private final ToolCallParser parser;
    private final StringBuilder content = new StringBuilder();
    private final List<Call> calls = new ArrayList<>();

    /** A call. */
    private record Call(String id, String name, StringBuilder arguments) {}

    AnswerCalls(ToolCallParser parser) {
        this.parser = parser;
    }

    /** The changes of the message that a token brings. */
    List<ObjectNode> push(GeneratedToken token) {
        return parser.push(token).stream().map(this::delta).toList();
    }

    /** The changes at the end. */
    List<ObjectNode> end() {
        return parser.end().stream().map(this::delta).toList();
    }

    /** How many calls there were, with those that are not wanted. */
    int count() {
        return parser.calls();
    }

    boolean any() {
        return !calls.isEmpty();
    }

    private ObjectNode delta(ToolCallEvent event) {
        ObjectNode delta = JSON.objectNode();
        if (event instanceof ToolCallEvent.Content text) {
            content.append(text.text());
            return delta.put("content", text.text());
        }
        ObjectNode call = delta.putArray("tool_calls").addObject();
        if (event instanceof ToolCallEvent.Call begun) {
            Call one = new Call(UUID.randomUUID().toString().replace("-", "").substring(0, ID_LENGTH), begun.name(), new StringBuilder());
            calls.add(one);
            call.put("index", begun.index()).put("id", one.id).put("type", "function").putObject("function").put("name", one.name).put("arguments", "");
        } else if (event instanceof ToolCallEvent.Arguments more) {
            calls.get(more.index()).arguments.append(more.text());
            call.put("index", more.index()).putObject("function").put("arguments", more.text());
        }
        return delta;
    }

    /** Completes a whole message. */
    void complete(ObjectNode message) {
        if (any() && content.toString().isBlank()) {
            message.putNull("content");
        } else {
            message.put("content", content.toString());
        }
        message.putNull("refusal");
        if (any()) {
            ArrayNode all = message.putArray("tool_calls");
            calls.forEach(call -> all.addObject().put("id", call.id).put("type", "function").putObject("function").put("name", call.name).put("arguments", call.arguments.toString()));
        }
    }
}
