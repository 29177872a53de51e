package io.github.bts4j.langchain4j;

import dev.langchain4j.model.chat.ChatModel;
import dev.langchain4j.model.chat.request.ChatRequest;
import dev.langchain4j.model.chat.response.ChatResponse;
import io.github.bts4j.core.generate.GenerationConfig;
import io.github.bts4j.core.generate.TokenStream;
import io.github.bts4j.core.text.TextModel;

/**
 * LangChain4j's chat model over a model in this process: one Llama, a stitched model, an ensemble. Texts only; tools, images and JSON formats are refused by name.
 * Thread-safe. It does not close the model.
 */
public final class BtsChatModel implements ChatModel {
    private final Conversation conversation;

    /**
     * Wraps a model.
     *
     * @param name what responses call it
     * @param model the model, with a chat template
     * @param defaults the options where a request has none; its end tokens apply to every request
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
