package io.github.bts4j.langchain4j;

import dev.langchain4j.model.chat.ChatModel;
import dev.langchain4j.model.chat.request.ChatRequest;
import dev.langchain4j.model.chat.response.ChatResponse;
import io.github.bts4j.core.CausalLm;
import io.github.bts4j.core.chat.ChatTemplate;
import io.github.bts4j.core.generate.GenerationConfig;
import io.github.bts4j.core.generate.TokenStream;
import io.github.bts4j.core.tokenizer.LlamaTokenizer;

/**
 * LangChain4j's chat model over a model in this process: one Llama, a stitched model, an ensemble. Texts only; tools, images and JSON formats are refused by name.
 * Thread-safe. It closes neither the model nor the tokenizer.
 */
public final class BtsChatModel implements ChatModel {
    private final Conversation conversation;

    /**
     * Wraps a model.
     *
     * @param name what responses call it
     * @param model the model
     * @param tokenizer its tokenizer
     * @param chat how conversations become prompts
     * @param defaults the options where a request has none; its end tokens apply to every request
     */
    public BtsChatModel(String name, CausalLm model, LlamaTokenizer tokenizer, ChatTemplate chat, GenerationConfig defaults) {
        this.conversation = Conversation.of(name, model, tokenizer, chat, defaults);
    }

    @Override
    public ChatResponse doChat(ChatRequest request) {
        try (TokenStream stream = conversation.begin(request)) {
            while (stream.hasNext()) {
                stream.next();
            }
            return conversation.response(stream.result());
        }
    }
}
