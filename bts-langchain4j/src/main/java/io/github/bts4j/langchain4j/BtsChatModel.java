package io.github.bts4j.langchain4j;

import dev.langchain4j.model.chat.ChatModel;
import dev.langchain4j.model.chat.request.ChatRequest;
import dev.langchain4j.model.chat.response.ChatResponse;
import io.github.bts4j.core.generate.GenerationConfig;
import io.github.bts4j.core.generate.TokenStream;
import io.github.bts4j.core.text.TextModel;

/**
 * A LangChain4j chat model for a model in this process: a Llama, a stitched model or an ensemble. Only text is supported; tools, images and JSON formats are refused.
 * Thread-safe. It does not close the model.
 */
public final class BtsChatModel implements ChatModel {
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
        try (TokenStream stream = conversation.begin(request)) {
            return conversation.response(stream.toEnd());
        }
    }
}
