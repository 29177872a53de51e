package io.github.bts4j.langchain4j;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ai.djl.Device;
import dev.langchain4j.agent.tool.P;
import dev.langchain4j.agent.tool.Tool;
import dev.langchain4j.agent.tool.ToolExecutionRequest;
import dev.langchain4j.agent.tool.ToolSpecification;
import dev.langchain4j.data.message.UserMessage;
import dev.langchain4j.model.chat.request.ChatRequest;
import dev.langchain4j.model.chat.request.ToolChoice;
import dev.langchain4j.model.chat.request.json.JsonObjectSchema;
import dev.langchain4j.model.chat.response.ChatResponse;
import dev.langchain4j.model.chat.response.CompleteToolCall;
import dev.langchain4j.model.chat.response.PartialToolCall;
import dev.langchain4j.model.chat.response.StreamingChatResponseHandler;
import dev.langchain4j.model.output.FinishReason;
import dev.langchain4j.service.AiServices;
import io.github.bts4j.core.DecodeSession;
import io.github.bts4j.core.ForwardingLm;
import io.github.bts4j.core.ForwardingSession;
import io.github.bts4j.core.chat.ChatTemplate;
import io.github.bts4j.core.generate.GenerationConfig;
import io.github.bts4j.core.llama.LlamaConfig;
import io.github.bts4j.core.text.TextModel;
import io.github.bts4j.core.tokenizer.LlamaTokenizer;
import io.github.bts4j.train.ExpertTraining;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** Tools and typed results by LangChain4j's services, with a model of random weights and with one that follows a script. */
class ToolsAndTypesTest {
    private static final Path DATA = Path.of(System.getProperty("bts4j.testData"));
    private static final GenerationConfig CONFIG = GenerationConfig.greedy(400).withTemperature(0.7).withSeed(3);

    private static TextModel model;
    private static ChatTemplate template;

    @BeforeAll
    static void open() throws IOException {
        LlamaTokenizer tokenizer = LlamaTokenizer.open(DATA.resolve("tokenizer"));
        LlamaConfig small = LlamaConfig.builder().vocabSize(2048).hiddenSize(48).intermediateSize(96).numLayers(2).numHeads(4).numKvHeads(2).maxPositionEmbeddings(4096).build();
        template = ChatTemplate.jinja(Files.readString(DATA.resolve("chat/templates/trl/qwen2_5.jinja")), "<s>", "</s>");
        try (ExpertTraining random = ExpertTraining.fromScratch(small, 0.4, 3, Device.cpu())) {
            model = TextModel.of(random.freeze("tiny"), tokenizer).withChatTemplate(template);
        }
    }

    @AfterAll
    static void close() {
        model.close();
    }

    /** Where to. */
    enum City { OSLO, ROME }

    /** A typed result. */
    record Trip(City city, int days, boolean open) {}

    /** A service. */
    interface Planner {
        Trip plan(String question);
    }

    /** A tool, and what it was asked. */
    static final class Weather {
        final List<String> asked = new ArrayList<>();

        @Tool("The weather of a city")
        String weather(@P(name = "city", value = "the city") City city, @P(name = "days", value = "how many days") int days) {
            asked.add(city + " " + days);
            return "rain";
        }
    }

    @Test
    void aRandomModelGivesTypedResults() {
        Planner planner = AiServices.create(Planner.class, new BtsChatModel("tiny", model, CONFIG));
        for (String question : List.of("Where to?", "And then?", "Why?")) {
            assertTrue(Set.of(City.values()).contains(planner.plan(question).city()));
        }
    }

    @Test
    void aRandomModelThatMustCallCalls() {
        ToolSpecification tool = ToolSpecification.builder().name("visit").description("Visits")
                .parameters(JsonObjectSchema.builder().addEnumProperty("city", List.of("Oslo", "Rome")).addIntegerProperty("days").required("city", "days").build()).build();
        ChatRequest request = ChatRequest.builder().messages(UserMessage.from("Go")).toolSpecifications(tool).toolChoice(ToolChoice.REQUIRED).build();
        GenerationConfig once = CONFIG;
        ChatResponse response = new BtsChatModel("tiny", model, once).chat(request);
        ToolExecutionRequest call = response.aiMessage().toolExecutionRequests().get(0);
        assertEquals("visit", call.name());
        assertTrue(call.arguments().matches("(?s)\\{\\s*\"city\":\\s*\"(Oslo|Rome)\",\\s*\"days\":\\s*-?\\d{1,15}\\s*}"), call.arguments());
        List<String> told = new ArrayList<>();
        StringBuilder partial = new StringBuilder();
        new BtsStreamingChatModel("tiny", model, once, Runnable::run).chat(request, new StreamingChatResponseHandler() {
            @Override
            public void onPartialToolCall(PartialToolCall more) {
                partial.append(more.index() == 0 ? more.partialArguments() : "");
            }

            @Override
            public void onCompleteToolCall(CompleteToolCall complete) {
                told.add(complete.toolExecutionRequest().arguments());
            }

            @Override
            public void onCompleteResponse(ChatResponse end) {
                told.add(end.finishReason().toString());
            }

            @Override
            public void onError(Throwable error) {
                told.add(error.toString());
            }
        });
        assertEquals(call.arguments(), partial.toString());
        assertEquals(call.arguments(), told.get(0));
        assertEquals(response.finishReason().toString(), told.get(told.size() - 1));
        assertTrue(response.finishReason() == FinishReason.TOOL_EXECUTION || response.finishReason() == FinishReason.LENGTH);
    }

    /** Gives one text after the other, whatever it is asked. */
    private static final class Scripted extends ForwardingLm {
        private final List<int[]> scripts = new ArrayList<>();
        private int turn;

        Scripted(String... texts) {
            super(model.model());
            for (String text : texts) {
                int[] ids = model.tokenizer().encodeOrdinary(text);
                int[] script = Arrays.copyOf(ids, ids.length + 1);
                script[ids.length] = model.tokenizer().eosTokenId().orElseThrow();
                scripts.add(script);
            }
        }

        @Override
        public DecodeSession newSession(int capacity) {
            int[] script = scripts.get(turn++);
            return new ForwardingSession(super.newSession(capacity)) {
                private int at;

                @Override
                public float[] append(int... ids) {
                    at = ids.length == 1 && at < script.length && ids[0] == script[at] ? at + 1 : 0;
                    float[] logits = super.append(ids);
                    logits[script[Math.min(at, script.length - 1)]] = 1000;
                    return logits;
                }
            };
        }

        @Override
        public void close() {}
    }

    @Test
    void aServiceCallsAToolAndReturnsAType() {
        Scripted script = new Scripted("<tool_call>\n{\"name\": \"weather\", \"arguments\": {\"city\": \"ROME\", \"days\": 3}}\n</tool_call>", "{\"city\": \"OSLO\", \"days\": 2, \"open\": true}");
        TextModel text = TextModel.of(script, model.tokenizer()).withEndTokens(Set.of(model.tokenizer().eosTokenId().orElseThrow())).withChatTemplate(template);
        Weather weather = new Weather();
        Planner planner = AiServices.builder(Planner.class).chatModel(new BtsChatModel("tiny", text, CONFIG.withTemperature(0))).tools(weather).build();
        assertEquals(new Trip(City.OSLO, 2, true), planner.plan("Where to?"));
        assertEquals(List.of("ROME 3"), weather.asked);
    }
}
