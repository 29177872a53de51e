package io.github.bts4j.langchain4j;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.MissingNode;
import dev.langchain4j.agent.tool.ToolSpecification;
import dev.langchain4j.exception.UnsupportedFeatureException;
import dev.langchain4j.model.chat.request.ChatRequest;
import dev.langchain4j.model.chat.request.ResponseFormat;
import dev.langchain4j.model.chat.request.ResponseFormatType;
import dev.langchain4j.model.chat.request.ToolChoice;
import io.github.bts4j.core.chat.ToolFormat;
import io.github.bts4j.core.constraint.CallableTool;
import io.github.bts4j.core.constraint.Constraint;
import io.github.bts4j.core.constraint.ConstraintCache;
import io.github.bts4j.core.support.JsonReader;
import io.github.bts4j.core.text.TextModel;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * The tools of a request, and what its answer must be.
 *
 * @param described the tools for the chat template
 * @param format how the model writes calls; empty without tools
 * @param constraint what the answer must be
 */
record RequestedTools(List<Map<String, Object>> described, Optional<ToolFormat> format, Constraint constraint) {
    private static final JsonNode ANY_OBJECT = JsonNodeFactory.instance.objectNode().put("type", "object");
    private static final ConstraintCache KEPT = new ConstraintCache(16);

    static RequestedTools of(ChatRequest request, TextModel model) {
        List<ToolSpecification> tools = request.toolSpecifications() == null || request.toolChoice() == ToolChoice.NONE ? List.of() : request.toolSpecifications();
        JsonNode answer = answer(request.responseFormat());
        if (tools.isEmpty()) {
            Constraint constraint = answer.isMissingNode() ? Constraint.NONE : KEPT.get(answer.toString(), () -> Constraint.jsonSchema(answer));
            return new RequestedTools(List.of(), Optional.empty(), constraint);
        }
        ToolFormat format = model.requireChatTemplate().toolFormat().orElseThrow(() -> new UnsupportedFeatureException(
                "Tools are not supported by this model: its chat template has none, or writes calls in another way than Llama 3, Qwen, Hermes and Mistral"));
        return new RequestedTools(tools.stream().map(RequestedTools::described).toList(), Optional.of(format), constraint(tools, request.toolChoice() == ToolChoice.REQUIRED, answer, format, model));
    }

    private static Constraint constraint(List<ToolSpecification> tools, boolean must, JsonNode answer, ToolFormat format, TextModel model) {
        if (!must && answer.isMissingNode() && tools.stream().noneMatch(tool -> Boolean.TRUE.equals(tool.strict()))) {
            return Constraint.NONE;
        }
        List<CallableTool> callable = tools.stream()
                .map(tool -> new CallableTool(tool.name(), must || Boolean.TRUE.equals(tool.strict()) || !answer.isMissingNode() ? JsonReader.tree(parameters(tool)) : ANY_OBJECT)).toList();
        String key = format + " " + must + model.tokenizer().sha256() + answer + callable;
        return KEPT.get(key, () -> must || answer.isMissingNode() ? Constraint.toolCalls(format.syntax(), model.tokenizer(), callable, must, true)
                : Constraint.toolCallsOr(format.syntax(), model.tokenizer(), callable, true, answer));
    }

    /** The schema of an answer that is no call; missing for any text. */
    private static JsonNode answer(ResponseFormat format) {
        if (format == null || format.type() == ResponseFormatType.TEXT) {
            return MissingNode.getInstance();
        }
        return format.jsonSchema() == null ? ANY_OBJECT : JsonReader.tree(Schemas.map(format.jsonSchema().rootElement()));
    }

    private static Map<String, Object> parameters(ToolSpecification tool) {
        return tool.parameters() == null ? Map.of("type", "object", "properties", Map.of()) : Schemas.map(tool.parameters());
    }

    private static Map<String, Object> described(ToolSpecification tool) {
        Map<String, Object> function = new LinkedHashMap<>();
        function.put("name", tool.name());
        if (tool.description() != null) {
            function.put("description", tool.description());
        }
        function.put("parameters", parameters(tool));
        Map<String, Object> described = new LinkedHashMap<>();
        described.put("type", "function");
        described.put("function", function);
        return described;
    }
}
