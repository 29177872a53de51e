package io.github.bts4j.langchain4j;

import static java.util.Objects.requireNonNullElse;

import dev.langchain4j.agent.tool.ToolExecutionRequest;
import dev.langchain4j.data.message.AiMessage;
import dev.langchain4j.data.message.ChatMessage;
import dev.langchain4j.data.message.SystemMessage;
import dev.langchain4j.data.message.ToolExecutionResultMessage;
import dev.langchain4j.data.message.UserMessage;
import dev.langchain4j.exception.UnsupportedFeatureException;
import dev.langchain4j.model.chat.request.ChatRequest;
import dev.langchain4j.model.chat.response.ChatResponse;
import dev.langchain4j.model.chat.response.StreamingChatResponseHandler;
import dev.langchain4j.model.output.FinishReason;
import dev.langchain4j.model.output.TokenUsage;
import io.github.bts4j.core.generate.GenerationConfig;
import io.github.bts4j.core.generate.GenerationResult;
import io.github.bts4j.core.generate.Penalties;
import io.github.bts4j.core.text.TextModel;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Converts LangChain4j's requests and responses. Options that a request does not have come from a configuration. Thread-safe.
 *
 * @param name the model's name in responses
 * @param model the model, with a chat template
 * @param defaults the default options of requests
 */
record Conversation(String name, TextModel model, GenerationConfig defaults) {
    Conversation {
        model.requireChatTemplate();
    }

    /** Begins the answer; the handler receives what comes of it. Refuses unsupported features. */
    Turn begin(ChatRequest request, StreamingChatResponseHandler handler) {
        if (request.modelName() != null && !request.modelName().equals(name)) {
            throw new IllegalArgumentException("modelName = " + request.modelName() + ": this is " + name);
        }
        RequestedTools tools = RequestedTools.of(request, model);
        io.github.bts4j.core.chat.ChatRequest own = io.github.bts4j.core.chat.ChatRequest.of(messages(request.messages()));
        GenerationConfig config = config(request).withConstraint(tools.constraint());
        return new Turn(model.streamChat(tools.described().isEmpty() ? own : own.withTools(tools.described()), config), tools, model.tokenizer(), handler);
    }

    private GenerationConfig config(ChatRequest request) {
        List<String> stop = request.stopSequences();
        Penalties own = defaults.penalties();
        Penalties penalties = new Penalties(own.repetition(), requireNonNullElse(request.presencePenalty(), own.presence()),
                requireNonNullElse(request.frequencyPenalty(), own.frequency()), own.logitBias());
        return new GenerationConfig(requireNonNullElse(request.maxOutputTokens(), defaults.maxNewTokens()),
                requireNonNullElse(request.temperature(), defaults.temperature()), requireNonNullElse(request.topK(), defaults.topK()),
                requireNonNullElse(request.topP(), defaults.topP()), defaults.minP(), penalties, defaults.seed(), defaults.endTokens(),
                stop == null || stop.isEmpty() ? defaults.stopStrings() : stop, defaults.constraint());
    }

    /** The messages for templates, with the user's name and the model's thoughts if present. */
    private static List<Map<String, Object>> messages(List<ChatMessage> messages) {
        List<Map<String, Object>> own = new ArrayList<>();
        for (ChatMessage message : messages) {
            if (message instanceof SystemMessage system) {
                own.add(message("system", system.text()));
            } else if (message instanceof UserMessage user && user.hasSingleText()) {
                Map<String, Object> said = message("user", user.singleText());
                if (user.name() != null) {
                    said.put("name", user.name());
                }
                own.add(said);
            } else if (message instanceof AiMessage answer && (answer.text() != null || answer.hasToolExecutionRequests())) {
                own.add(answer(answer));
            } else if (message instanceof ToolExecutionResultMessage result && result.hasSingleText()) {
                Map<String, Object> said = message("tool", result.text());
                said.put("name", result.toolName());
                said.put("tool_call_id", result.id());
                own.add(said);
            } else {
                throw new UnsupportedFeatureException("Messages of type " + message.type() + " that are not one text are not supported by this model");
            }
        }
        return own;
    }

    private static Map<String, Object> answer(AiMessage answer) {
        Map<String, Object> said = message("assistant", answer.text());
        if (answer.thinking() != null) {
            said.put("reasoning_content", answer.thinking());
        }
        if (answer.hasToolExecutionRequests()) {
            said.put("tool_calls", answer.toolExecutionRequests().stream().map(Conversation::call).toList());
        }
        return said;
    }

    /** Templates expect the arguments as an object. */
    private static Map<String, Object> call(ToolExecutionRequest request) {
        Map<String, Object> function = new LinkedHashMap<>();
        function.put("name", request.name());
        function.put("arguments", Schemas.values(Schemas.json(request.arguments())));
        Map<String, Object> call = new LinkedHashMap<>();
        call.put("id", request.id());
        call.put("type", "function");
        call.put("function", function);
        return call;
    }

    private static Map<String, Object> message(String role, String content) {
        Map<String, Object> message = new LinkedHashMap<>();
        message.put("role", role);
        message.put("content", content);
        return message;
    }

    /** The response of an answer that has ended. */
    ChatResponse response(Turn turn, GenerationResult result) {
        FinishReason reason = switch (result.stopReason()) {
            case EOS, STOP_STRING, COMPLETE -> turn.hasCalls() ? FinishReason.TOOL_EXECUTION : FinishReason.STOP;
            case MAX_TOKENS, CONTEXT_FULL -> FinishReason.LENGTH;
            case STUCK, CANCELLED -> FinishReason.OTHER;
        };
        return ChatResponse.builder().aiMessage(turn.message()).modelName(name)
                .tokenUsage(new TokenUsage(result.promptTokens(), result.tokens().size())).finishReason(reason).build();
    }
}
