package io.github.bts4j.server;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.fasterxml.jackson.databind.node.TextNode;
import java.util.List;
import java.util.Map;

/**
 * A request to {@code /v1/responses}, which is answered like the chat that it describes.
 *
 * @param fields the request as it was sent
 * @param chat the chat
 */
record ResponsesRequest(ObjectNode fields, ApiRequest chat) {
    private static final JsonNodeFactory JSON = JsonNodeFactory.instance;
    private static final String LOGPROBS = "message.output_text.logprobs";

    /** Fields that mean the same in a chat, by their names there; the others are this server's. */
    private static final Map<String, String> NAMES = Map.of("max_completion_tokens", "max_output_tokens", "messages", "input", "response_format", "text.format");
    private static final List<String> SAME = List.of("model", "temperature", "top_p", "stream", "parallel_tool_calls", "top_k", "min_p", "seed", "stop", "repetition_penalty", "presence_penalty",
            "frequency_penalty", "logit_bias", "experts", "experts_off", "gates", "documents", "chat_template_kwargs");

    /** Parses and validates a request. */
    static ResponsesRequest of(byte[] body, Terms terms) {
        Fields fields = Fields.parse(body);
        ObjectNode chat = JSON.objectNode();
        checkState(fields);
        SAME.forEach(name -> copy(fields, name, chat, name));
        copy(fields, "max_output_tokens", chat, "max_completion_tokens");
        chat.set("messages", new ResponsesInput(fields).messages());
        tools(fields, chat);
        format(fields, chat);
        logprobs(fields, chat);
        fields.end();
        try {
            return new ResponsesRequest((ObjectNode) fields.object(), ApiRequest.chat(new Fields(chat, ""), body.length, terms));
        } catch (ApiException e) {
            throw renamed(e);
        }
    }

    /** What needs a memory is refused; what changes nothing is accepted. */
    private static void checkState(Fields fields) {
        fields.onlyNeutral("previous_response_id");
        fields.onlyNeutral("conversation");
        fields.onlyNeutral("prompt");
        fields.onlyNeutral("store", JSON.booleanNode(false));
        fields.onlyNeutral("background", JSON.booleanNode(false));
        fields.onlyNeutral("truncation", TextNode.valueOf("disabled"));
        fields.onlyNeutral("reasoning", JSON.objectNode());
        fields.onlyNeutral("max_tool_calls");
        fields.onlyNeutral("context_management", JSON.arrayNode());
        fields.onlyNeutral("moderation");
        fields.ignored("user", "metadata", "service_tier", "safety_identifier", "prompt_cache_key", "prompt_cache_options", "prompt_cache_retention", "stream_options");
    }

    private static void copy(Fields fields, String from, ObjectNode chat, String to) {
        JsonNode value = fields.get(from);
        if (!value.isMissingNode()) {
            chat.set(to, value);
        }
    }

    /** A tool is flat here, and nested in chats. */
    private static void tools(Fields fields, ObjectNode chat) {
        JsonNode tools = fields.get("tools");
        if (!tools.isMissingNode()) {
            chat.set("tools", tools.isArray() ? nested(tools) : tools);
        }
        JsonNode choice = fields.get("tool_choice");
        if (choice.isObject() && choice.path("type").asText().equals("function")) {
            chat.putObject("tool_choice").put("type", "function").set("function", JSON.objectNode().set("name", choice.path("name")));
        } else if (!choice.isMissingNode()) {
            chat.set("tool_choice", choice);
        }
    }

    private static JsonNode nested(JsonNode tools) {
        var all = JSON.arrayNode();
        for (JsonNode tool : tools) {
            if (tool.path("type").asText().equals("function")) {
                ObjectNode function = tool.deepCopy();
                function.remove("type");
                all.addObject().put("type", "function").set("function", function);
            } else {
                all.add(tool); // refused there
            }
        }
        return all;
    }

    private static void format(Fields fields, ObjectNode chat) {
        JsonNode node = fields.get("text");
        if (node.isMissingNode()) {
            return;
        }
        Fields text = new Fields(node, "text.");
        text.onlyNeutral("verbosity", TextNode.valueOf("medium"));
        JsonNode format = text.get("format");
        text.end();
        if (format.path("type").asText().equals("json_schema")) {
            ObjectNode schema = format.deepCopy();
            schema.remove("type");
            chat.putObject("response_format").put("type", "json_schema").set("json_schema", schema);
        } else if (!format.isMissingNode()) {
            chat.set("response_format", format);
        }
    }

    private static void logprobs(Fields fields, ObjectNode chat) {
        List<String> included = fields.texts("include", 16);
        for (String name : included) {
            if (!name.equals(LOGPROBS) && !name.equals("reasoning.encrypted_content")) { // there is no reasoning
                throw ApiException.of(400, "unsupported_value", "include", "include = " + Fields.shortened(name) + " is not supported by this server, only " + LOGPROBS);
            }
        }
        if (included.contains(LOGPROBS)) {
            chat.put("logprobs", true);
            copy(fields, "top_logprobs", chat, "top_logprobs");
        } else if (fields.whole("top_logprobs", 0, Integer.MAX_VALUE).orElse(0L) > 0) {
            throw ApiException.field("top_logprobs", "top_logprobs needs include = [\"" + LOGPROBS + "\"]");
        }
    }

    /** In the words of this request. */
    private static ApiException renamed(ApiException e) {
        String field = e.field().orElse("");
        for (Map.Entry<String, String> name : NAMES.entrySet()) {
            if (field.startsWith(name.getKey())) {
                return ApiException.of(e.status(), e.code(), field.replace(name.getKey(), name.getValue()), e.getMessage().replace(name.getKey(), name.getValue()));
            }
        }
        return e;
    }
}
