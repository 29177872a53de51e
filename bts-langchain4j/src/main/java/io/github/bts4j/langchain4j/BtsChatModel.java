package io.github.bts4j.langchain4j;

import dev.langchain4j.model.chat.Capability;
import dev.langchain4j.model.chat.ChatModel;
import dev.langchain4j.model.chat.request.ChatRequest;
import dev.langchain4j.model.chat.response.ChatResponse;
import dev.langchain4j.model.chat.response.StreamingChatResponseHandler;
import io.github.bts4j.core.generate.GenerationConfig;
import io.github.bts4j.core.text.TextModel;
import java.util.Set;

/**
 * A LangChain4j chat model for a model in this process: a Llama, a stitched model or an ensemble. Tools and JSON formats constrain what is
 * generated, so that their calls and values fit the schemas; images are refused.
 * Thread-safe. It does not close the model.
 */
public final class BtsChatModel implements ChatModel {
    private static final StreamingChatResponseHandler UNTOLD = new StreamingChatResponseHandler() {
        @Override
        public void onCompleteResponse(ChatResponse response) {}

        @Override
        public void onError(Throwable error) {}
    };

    private final Conversation conversation;

    /**
     * Wraps a model.
     *
     * @param name its name in responses
     * @param model the model, with a chat template
     * @param defaults the default options of requests; its end tokens apply to every request
     */
    public BtsChatModel(String name, TextModel model, GenerationConfig defaults) {
        this.conversation = new Conversation(name, model, defaults);
    }

    @Override
    public ChatResponse doChat(ChatRequest request) {
        try (Turn turn = conversation.begin(request, UNTOLD)) {
            return conversation.response(turn, turn.toEnd().result());
        }
    }

    /** Typed results come by the response format. */
    @Override
    public Set<Capability> supportedCapabilities() {
        return Set.of(Capability.RESPONSE_FORMAT_JSON_SCHEMA);
    }
}
