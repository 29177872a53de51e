package io.github.bts4j.server;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;

/** The response object around an answer's items: what was asked for, the state, the tokens. */
final class ResponsesEnvelope {
    private static final JsonNodeFactory JSON = JsonNodeFactory.instance;

    private final ResponsesRequest request;
    private final String model;
    private final String id = "resp_" + ResponsesItem.random();
    private final long created = System.currentTimeMillis() / 1000;
    private int outputTokens;
    private int cachedTokens;

    ResponsesEnvelope(ResponsesRequest request, String model) {
        this.request = request;
        this.model = model;
    }

    void generated() {
        outputTokens++;
    }

    void cached(int tokens) {
        cachedTokens = tokens;
    }

    /** The response; with its usage unless it is in progress. */
    ObjectNode response(String status, ArrayNode output) {
        ObjectNode response = JSON.objectNode().put("id", id).put("object", "response").put("created_at", created).put("status", status).put("background", false).putNull("error");
        response.set("incomplete_details", status.equals("incomplete") ? JSON.objectNode().put("reason", "max_output_tokens") : JSON.nullNode());
        response.set("instructions", asked("instructions", JSON.nullNode()));
        response.set("max_output_tokens", asked("max_output_tokens", JSON.nullNode()));
        response.put("model", model).set("output", output);
        response.set("parallel_tool_calls", asked("parallel_tool_calls", JSON.booleanNode(true)));
        response.putNull("previous_response_id").putObject("reasoning").putNull("effort").putNull("summary");
        response.put("store", false);
        response.set("temperature", asked("temperature", JSON.numberNode(1.0)));
        response.set("text", asked("text", JSON.objectNode().set("format", JSON.objectNode().put("type", "text"))));
        response.set("tool_choice", asked("tool_choice", JSON.textNode("auto")));
        response.set("tools", asked("tools", JSON.arrayNode()));
        response.set("top_logprobs", asked("top_logprobs", JSON.numberNode(0)));
        response.set("top_p", asked("top_p", JSON.numberNode(1.0)));
        response.put("truncation", "disabled").set("usage", status.equals("in_progress") ? JSON.nullNode() : usage());
        response.set("user", asked("user", JSON.nullNode()));
        return response.set("metadata", asked("metadata", JSON.objectNode()));
    }

    /** What the request says, or else the default. */
    private JsonNode asked(String name, JsonNode otherwise) {
        JsonNode value = request.fields().path(name);
        return value.isMissingNode() || value.isNull() ? otherwise : value;
    }

    private ObjectNode usage() {
        int input = request.chat().promptTokens();
        ObjectNode usage = JSON.objectNode().put("input_tokens", input);
        usage.putObject("input_tokens_details").put("cached_tokens", cachedTokens);
        usage.put("output_tokens", outputTokens).putObject("output_tokens_details").put("reasoning_tokens", 0);
        return usage.put("total_tokens", input + outputTokens);
    }

    /** Adds each model's share to the usage. */
    void shares(ObjectNode response, Account account) {
        ObjectNode byModel = response.withObject("/usage").putObject("gate_shares");
        account.shares().forEach((name, share) -> byModel.put(name, AnswerGates.rounded(share)));
    }
}
