package io.github.bts4j.langchain4j;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ai.djl.Device;
import dev.langchain4j.agent.tool.ToolSpecification;
import dev.langchain4j.data.message.AiMessage;
import dev.langchain4j.data.message.SystemMessage;
import dev.langchain4j.data.message.UserMessage;
import dev.langchain4j.exception.UnsupportedFeatureException;
import dev.langchain4j.model.chat.ChatModel;
import dev.langchain4j.model.chat.request.ChatRequest;
import dev.langchain4j.model.chat.response.ChatResponse;
import dev.langchain4j.model.chat.response.StreamingChatResponseHandler;
import dev.langchain4j.model.output.FinishReason;
import io.github.bts4j.core.chat.ChatMessage;
import io.github.bts4j.core.chat.ChatTemplate;
import io.github.bts4j.core.generate.GenerationConfig;
import io.github.bts4j.core.generate.Generator;
import io.github.bts4j.core.generate.TokenStream;
import io.github.bts4j.core.llama.LlamaConfig;
import io.github.bts4j.core.text.TextModel;
import io.github.bts4j.core.tokenizer.LlamaTokenizer;
import io.github.bts4j.train.ExpertTraining;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** Answers through LangChain4j against the generator's own. */
class BtsChatModelTest {
    private static final GenerationConfig GREEDY = GenerationConfig.greedy(40);

    private static TextModel model;
    private static ChatModel chat;

    @BeforeAll
    static void open() {
        LlamaTokenizer tokenizer = LlamaTokenizer.open(Path.of(System.getProperty("bts4j.testData")).resolve("tokenizer"));
        LlamaConfig small = LlamaConfig.builder().vocabSize(2048).hiddenSize(48).intermediateSize(96).numLayers(2).numHeads(4).numKvHeads(2)
                .maxPositionEmbeddings(256).build();
        try (ExpertTraining random = ExpertTraining.fromScratch(small, 0.4, 3, Device.cpu())) {
            model = TextModel.of(random.freeze("tiny"), tokenizer).withChatTemplate(ChatTemplate.llama2());
        }
        chat = new BtsChatModel("tiny", model, GREEDY);
    }

    @AfterAll
    static void close() {
        model.close();
    }

    private static String expected(GenerationConfig config, ChatMessage... messages) {
        try (TokenStream stream = new Generator(model.model(), model.tokenizer()).stream(ChatTemplate.llama2().encode(model.tokenizer(), List.of(messages), true), config)) {
            return stream.toEnd().text();
        }
    }

    @Test
    void conversationsAndOptions() {
        assertEquals(expected(GREEDY, ChatMessage.user("Hello")), chat.chat("Hello"));
        ChatResponse response = chat.chat(ChatRequest.builder().messages(SystemMessage.from("Be brief."), UserMessage.from("Hello"), AiMessage.from("Hi."), UserMessage.from("Why?"))
                .maxOutputTokens(12).temperature(0.0).build());
        assertEquals(expected(GREEDY.withMaxNewTokens(12), ChatMessage.system("Be brief."), ChatMessage.user("Hello"), ChatMessage.assistant("Hi."), ChatMessage.user("Why?")),
                response.aiMessage().text());
        assertEquals(12, response.tokenUsage().outputTokenCount());
        assertEquals(FinishReason.LENGTH, response.finishReason());
        assertEquals("tiny", response.modelName());
        String whole = expected(GREEDY, ChatMessage.user("Hello"));
        String stop = whole.substring(10, 13);
        ChatResponse stopped = chat.chat(ChatRequest.builder().messages(UserMessage.from("Hello")).stopSequences(List.of(stop)).build());
        assertEquals(whole.substring(0, whole.indexOf(stop)), stopped.aiMessage().text());
        assertEquals(FinishReason.STOP, stopped.finishReason());
    }

    @Test
    void whatIsNotSupportedIsRefused() {
        assertThrows(UnsupportedFeatureException.class,
                () -> chat.chat(ChatRequest.builder().messages(UserMessage.from("x")).toolSpecifications(ToolSpecification.builder().name("f").build()).build()));
        assertThrows(IllegalArgumentException.class, () -> chat.chat(ChatRequest.builder().messages(UserMessage.from("x")).presencePenalty(Double.NaN).build()));
        assertThrows(IllegalArgumentException.class, () -> chat.chat(ChatRequest.builder().messages(UserMessage.from("x")).modelName("other").build()));
    }

    /** What a handler was told. */
    private static class Told implements StreamingChatResponseHandler {
        final List<String> parts = new ArrayList<>();
        final List<ChatResponse> ends = new ArrayList<>();
        final List<Throwable> errors = new ArrayList<>();

        @Override
        public void onPartialResponse(String part) {
            parts.add(part);
        }

        @Override
        public void onCompleteResponse(ChatResponse response) {
            ends.add(response);
        }

        @Override
        public void onError(Throwable error) {
            errors.add(error);
        }
    }

    @Test
    void namesAndThoughtsReachTheTemplate() {
        ChatTemplate template = ChatTemplate.jinja("{% for m in messages %}{{ m.name }}{{ m.reasoning_content }}{{ m.content }}{% endfor %}", "<s>", "</s>");
        BtsChatModel own = new BtsChatModel("tiny", model.withChatTemplate(template), GREEDY);
        ChatResponse response = own.chat(ChatRequest.builder().messages(UserMessage.from("well", "so"), AiMessage.builder().text("views").thinking("man").build(), UserMessage.from("wife")).build());
        assertEquals(model.tokenizer().encode("wellsomanviewswife", false).length, response.tokenUsage().inputTokenCount());
    }

    @Test
    void streams() {
        BtsStreamingChatModel streaming = new BtsStreamingChatModel("tiny", model, GREEDY, Runnable::run);
        Told told = new Told();
        streaming.chat("Hello", told);
        assertTrue(told.parts.size() > 5, told.parts.toString());
        assertEquals(expected(GREEDY, ChatMessage.user("Hello")), String.join("", told.parts));
        assertEquals(String.join("", told.parts), told.ends.get(0).aiMessage().text());
        assertEquals(List.of(), told.errors);
        Told failed = new Told();
        streaming.chat(ChatRequest.builder().messages(UserMessage.from("x")).modelName("other").build(), failed);
        assertInstanceOf(IllegalArgumentException.class, failed.errors.get(0));
        Told broken = new Told() {
            @Override
            public void onPartialResponse(String part) {
                throw new IllegalStateException("the handler");
            }
        };
        streaming.chat("Hello", broken);
        assertEquals("the handler", broken.errors.get(0).getMessage());
        assertEquals(List.of(), broken.ends);
    }
}
