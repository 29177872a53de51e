package io.github.bts4j.server;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.bts4j.core.chat.ChatTemplate;
import io.github.bts4j.core.text.Embeddings;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.springframework.ai.chat.client.ChatClient;
import org.springframework.ai.chat.model.ChatResponse;
import org.springframework.ai.converter.BeanOutputConverter;
import org.springframework.ai.document.MetadataMode;
import org.springframework.ai.openai.OpenAiChatModel;
import org.springframework.ai.openai.OpenAiChatOptions;
import org.springframework.ai.openai.OpenAiEmbeddingModel;
import org.springframework.ai.openai.OpenAiEmbeddingOptions;
import org.springframework.ai.openai.api.OpenAiApi;
import org.springframework.ai.openai.api.ResponseFormat;
import org.springframework.ai.retry.NonTransientAiException;
import org.springframework.ai.tool.annotation.Tool;

/** Spring AI 1.1.2 with its OpenAI client: chats, streams, typed results, tools, embeddings, errors. */
class SpringAiTest {
    @TempDir
    private static Path folder;

    private static TestServer base;
    private static ModelServer server;
    private static OpenAiApi api;

    @BeforeAll
    static void start() throws IOException {
        base = TestServer.withRandomGates(folder, TestServer.CONFIG);
        Path template = Path.of(System.getProperty("bts4j.testData")).resolve("chat/templates/trl/qwen2_5.jinja");
        server = ModelServer.start(new ServedModel("tiny", base.text.withChatTemplate(ChatTemplate.jinja(Files.readString(template), "<s>", "</s>"))), TestServer.CONFIG.withApiKey("secret"));
        api = OpenAiApi.builder().baseUrl(server.uri().toString()).apiKey("secret").build();
    }

    @AfterAll
    static void stop() {
        server.close();
        base.close();
    }

    /** A result. */
    public enum City { OSLO, ROME, LIMA }

    /** A result. */
    public record Trip(City city, int days, boolean byTrain) {}

    private static OpenAiChatOptions.Builder options() {
        return OpenAiChatOptions.builder().model("tiny").maxTokens(400).temperature(1.0).seed(3);
    }

    private static ChatClient client(OpenAiChatOptions options) {
        return ChatClient.create(OpenAiChatModel.builder().openAiApi(api).defaultOptions(options).build());
    }

    /** The schema of the record constrains the answer, so that a model of random weights fills it. */
    @Test
    void entities() {
        String schema = new BeanOutputConverter<>(Trip.class).getJsonSchema();
        for (int seed = 0; seed < 5; seed++) {
            ChatClient client = client(options().seed(seed).responseFormat(new ResponseFormat(ResponseFormat.Type.JSON_SCHEMA, schema)).build());
            Trip trip = client.prompt().user("Where shall we go?").call().entity(Trip.class);
            assertTrue(List.of(City.values()).contains(trip.city()), trip.toString());
        }
    }

    @Test
    void chatsAndStreams() {
        ChatClient client = client(options().maxTokens(12).temperature(0.0).build());
        ChatResponse answer = client.prompt().system("Be short.").user("Hello").call().chatResponse();
        assertEquals("tiny", answer.getMetadata().getModel());
        assertEquals(12, answer.getMetadata().getUsage().getCompletionTokens());
        assertEquals("LENGTH", answer.getResult().getMetadata().getFinishReason());
        String streamed = String.join("", client.prompt().system("Be short.").user("Hello").stream().content().collectList().block());
        assertEquals(answer.getResult().getOutput().getText(), streamed);
    }

    /** Receives the calls of a model. */
    public static final class Weather {
        private int calls;

        /** {@return the weather} */
        @Tool(description = "The weather in a city", returnDirect = true)
        public String weather(City city, int days) {
            calls++;
            return "Rain in " + city + " for " + days + " days";
        }
    }

    /** The model must call; the client runs the tool with the arguments. */
    @Test
    void tools() {
        Weather weather = new Weather();
        String answer = client(options().toolChoice("required").parallelToolCalls(false).build()).prompt().user("Will it rain?").tools(weather).call().content();
        assertEquals(1, weather.calls);
        assertTrue(answer.matches("\"?Rain in (OSLO|ROME|LIMA) for -?\\d+ days\"?"), answer);
    }

    @Test
    void embeddings() {
        OpenAiEmbeddingModel model = new OpenAiEmbeddingModel(api, MetadataMode.NONE, OpenAiEmbeddingOptions.builder().model("tiny").build());
        assertArrayEquals(Embeddings.of(base.text, "The house"), model.embed("The house"), 1e-6f);
        assertEquals(2, model.embed(List.of("The house", "A man")).size());
    }

    @Test
    void errorsSayWhy() {
        String message = assertThrows(NonTransientAiException.class, () -> client(options().model("other").build()).prompt().user("Hello").call().content()).getMessage();
        assertTrue(message.contains("There is no model 'other': this server serves tiny"), message);
        OpenAiApi wrong = OpenAiApi.builder().baseUrl(server.uri().toString()).apiKey("wrong").build();
        ChatClient client = ChatClient.create(OpenAiChatModel.builder().openAiApi(wrong).defaultOptions(options().build()).build());
        message = assertThrows(NonTransientAiException.class, () -> client.prompt().user("Hello").call().content()).getMessage();
        assertTrue(message.contains("The API key is missing or wrong"), message);
    }
}
