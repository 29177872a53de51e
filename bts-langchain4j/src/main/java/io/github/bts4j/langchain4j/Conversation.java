package io.github.bts4j.langchain4j;

import dev.langchain4j.data.message.AiMessage;
import dev.langchain4j.data.message.ChatMessage;
import dev.langchain4j.data.message.SystemMessage;
import dev.langchain4j.data.message.UserMessage;
import dev.langchain4j.exception.UnsupportedFeatureException;
import dev.langchain4j.model.chat.request.ChatRequest;
import dev.langchain4j.model.chat.request.ResponseFormatType;
import dev.langchain4j.model.chat.response.ChatResponse;
import dev.langchain4j.model.output.FinishReason;
import dev.langchain4j.model.output.TokenUsage;
import io.github.bts4j.core.generate.GenerationConfig;
import io.github.bts4j.core.generate.GenerationResult;
import io.github.bts4j.core.generate.TokenStream;
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

    /** Refuses unsupported features. */
    TokenStream begin(ChatRequest request) {
        if (request.toolSpecifications() != null && !request.toolSpecifications().isEmpty()) {
            throw new UnsupportedFeatureException("Tools are not supported by this model");
        }
        if (request.responseFormat() != null && request.responseFormat().type() != ResponseFormatType.TEXT) {
            throw new UnsupportedFeatureException("Response formats other than text are not supported by this model");
        }
        if (request.modelName() != null && !request.modelName().equals(name)) {
            throw new IllegalArgumentException("modelName = " + request.modelName() + ": this is " + name);
        }
        return model.streamChat(io.github.bts4j.core.chat.ChatRequest.of(messages(request.messages())), config(request));
    }

    private GenerationConfig config(ChatRequest request) {
        GenerationConfig.Builder config = defaults.toBuilder();
        if (request.maxOutputTokens() != null) {
            config.maxNewTokens(request.maxOutputTokens());
        }
        if (request.temperature() != null) {
            config.temperature(request.temperature());
        }
        if (request.topP() != null) {
            config.topP(request.topP());
        }
        if (request.topK() != null) {
            config.topK(request.topK());
        }
        if (request.presencePenalty() != null) {
            config.penalties(config.build().penalties().withPresence(request.presencePenalty()));
        }
        if (request.frequencyPenalty() != null) {
            config.penalties(config.build().penalties().withFrequency(request.frequencyPenalty()));
        }
        if (request.stopSequences() != null && !request.stopSequences().isEmpty()) {
            config.stopStrings(request.stopSequences());
        }
        return config.build();
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
            } else if (message instanceof AiMessage answer && answer.text() != null && !answer.hasToolExecutionRequests()) {
                Map<String, Object> said = message("assistant", answer.text());
                if (answer.thinking() != null) {
                    said.put("reasoning_content", answer.thinking());
                }
                own.add(said);
            } else {
                throw new UnsupportedFeatureException("Messages of type " + message.type() + " that are not one text are not supported by this model");
            }
        }
        return own;
    }

    private static Map<String, Object> message(String role, String content) {
        Map<String, Object> message = new LinkedHashMap<>();
        message.put("role", role);
        message.put("content", content);
        return message;
    }

    ChatResponse response(GenerationResult result) {
        FinishReason reason = switch (result.stopReason()) {
            case EOS, STOP_STRING, COMPLETE -> FinishReason.STOP;
            case MAX_TOKENS, CONTEXT_FULL -> FinishReason.LENGTH;
            case CANCELLED -> FinishReason.OTHER;
        };
        return ChatResponse.builder().aiMessage(AiMessage.from(result.text())).modelName(name)
                .tokenUsage(new TokenUsage(result.promptTokens(), result.tokens().size())).finishReason(reason).build();
    }
}
