package io.github.bts4j.langchain4j;

import dev.langchain4j.model.chat.Capability;
import dev.langchain4j.model.chat.StreamingChatModel;
import dev.langchain4j.model.chat.request.ChatRequest;
import dev.langchain4j.model.chat.response.StreamingChatResponseHandler;
import io.github.bts4j.core.generate.GenerationConfig;
import io.github.bts4j.core.text.TextModel;
import java.util.Set;
import java.util.concurrent.Executor;

/**
 * A LangChain4j streaming chat model for a model in this process, see {@link BtsChatModel}. The handler is called on the executor's thread; an exception that
 * it throws ends the generation and is passed to its {@code onError}. Thread-safe. It does not close the model.
 */
public final class BtsStreamingChatModel implements StreamingChatModel {
    private final Conversation conversation;
    private final Executor executor;

    /**
     * Wraps a model.
     *
     * @param name its name in responses
     * @param model the model, with a chat template
     * @param defaults the default options of requests; its end tokens apply to every request
     * @param executor executor of generations; {@code Runnable::run} for the caller's thread
     */
    public BtsStreamingChatModel(String name, TextModel model, GenerationConfig defaults, Executor executor) {
        this.conversation = new Conversation(name, model, defaults);
        this.executor = executor;
    }

    @Override
    public void doChat(ChatRequest request, StreamingChatResponseHandler handler) {
        executor.execute(() -> {
            try (Turn turn = conversation.begin(request, handler)) {
                handler.onCompleteResponse(conversation.response(turn, turn.toEnd().result()));
            } catch (RuntimeException e) {
                handler.onError(e);
            }
        });
    }

    /** Typed results come by the response format. */
    @Override
    public Set<Capability> supportedCapabilities() {
        return Set.of(Capability.RESPONSE_FORMAT_JSON_SCHEMA);
    }
}
