package io.github.bts4j.core.text;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.github.bts4j.core.Bts4jException;
import io.github.bts4j.core.UnsupportedException;
import io.github.bts4j.core.chat.ChatMessage;
import io.github.bts4j.core.chat.ChatRequest;
import io.github.bts4j.core.chat.ChatTemplate;
import io.github.bts4j.core.checkpoint.ModelFormatException;
import io.github.bts4j.core.generate.GenerationConfig;
import io.github.bts4j.core.generate.GenerationResult;
import io.github.bts4j.core.generate.StopReason;
import io.github.bts4j.core.generate.TokenScore;
import io.github.bts4j.core.generate.TokenStream;
import io.github.bts4j.core.llama.Precision;
import io.github.bts4j.core.torch.llama.LoadOptions;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.ServiceLoader;
import java.util.Set;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Texts of checkpoint folders and GGUF files against what transformers makes of them (text_model_golden.py, server_golden.py) and what was published. */
class TextModelTest {
    private static final Path DATA = Path.of(System.getProperty("bts4j.testData"));
    private static final Path FOLDER = DATA.resolve("server");
    private static final Path GGUF = DATA.resolve("stories260K/stories260K.gguf");
    private static final ObjectMapper JSON = new ObjectMapper();

    @TempDir
    private Path folder;

    private static JsonNode golden() throws IOException {
        return JSON.readTree(DATA.resolve("text/llama.json").toFile());
    }

    /** The small model with other end tokens and the golden chat template. */
    private Path checkpoint(JsonNode golden, JsonNode setting) throws IOException {
        for (String name : List.of("model.safetensors", "tokenizer.json", "tokenizer_config.json")) {
            Files.copy(FOLDER.resolve(name), folder.resolve(name), java.nio.file.StandardCopyOption.REPLACE_EXISTING);
        }
        ObjectNode config = (ObjectNode) JSON.readTree(FOLDER.resolve("config.json").toFile());
        config.set("eos_token_id", setting.get("config_eos"));
        Files.writeString(folder.resolve("config.json"), config.toString());
        Files.deleteIfExists(folder.resolve("generation_config.json"));
        if (!setting.get("generation_config").isNull()) {
            Files.writeString(folder.resolve("generation_config.json"), setting.get("generation_config").toString());
        }
        Files.writeString(folder.resolve("chat_template.jinja"), golden.get("template").asText());
        return folder;
    }

    private static List<ChatMessage> messages(JsonNode messages) {
        List<ChatMessage> all = new ArrayList<>();
        messages.forEach(message -> all.add(new ChatMessage(message.get("role").asText(), message.get("content").asText())));
        return all;
    }

    /** Python has one mark for several bytes of an unfinished character. */
    private static String joined(String text) {
        return text.replaceAll("\uFFFD+", "\uFFFD");
    }

    private static void assertGolden(JsonNode expected, GenerationResult result) {
        assertArrayEquals(IntStream.range(0, expected.get("generated").size()).map(i -> expected.get("generated").get(i).asInt()).toArray(), result.tokenIds(), expected.toString());
        assertEquals(joined(expected.get("text").asText()), joined(result.text()), expected.toString());
        assertEquals(expected.get("ids").size(), result.promptTokens());
    }

    @Test
    void textsAndAnswersOfACheckpointEndWhereTransformersEndsThem() throws IOException {
        JsonNode golden = golden();
        GenerationConfig config = GenerationConfig.greedy(golden.get("new_tokens").asInt());
        int ended = 0;
        for (JsonNode setting : golden.get("cases")) {
            try (TextModel model = TextModel.open(checkpoint(golden, setting))) {
                for (JsonNode expected : setting.get("results")) {
                    GenerationResult result = expected.get("messages").isNull() ? model.generate(expected.get("prompt").asText(), config)
                            : model.chat(messages(expected.get("messages")), config);
                    assertGolden(expected, result);
                    ended += result.stopReason() == StopReason.EOS ? 1 : 0;
                    try (TokenStream stream = expected.get("messages").isNull() ? model.stream(expected.get("prompt").asText(), config)
                            : model.streamChat(messages(expected.get("messages")), config)) {
                        StringBuilder pieces = new StringBuilder();
                        stream.forEachRemaining(token -> pieces.append(token.text()));
                        assertEquals(result.text(), pieces.toString());
                        assertEquals(result, stream.result());
                    }
                }
            }
        }
        assertTrue(ended >= 9, ended + " texts ended");
    }

    @Test
    void endTokensAreTheCheckpointsUnlessOthersAreNamed() throws IOException {
        JsonNode golden = golden();
        JsonNode setting = golden.get("cases").get(2); // generation_config.json names another token than config.json
        int end = setting.get("generation_config").get("eos_token_id").asInt();
        JsonNode free = golden.get("cases").get(0).get("results").get(0); // which does not end by itself
        String prompt = free.get("prompt").asText();
        GenerationConfig config = GenerationConfig.greedy(golden.get("new_tokens").asInt());
        try (TextModel model = TextModel.open(checkpoint(golden, setting))) {
            assertEquals(Set.of(end), model.endTokens());
            assertEquals(StopReason.EOS, model.generate(prompt, config).stopReason());
            assertGolden(free, model.generate(prompt, config.withEndTokens(Set.of())));
            assertGolden(free, model.withEndTokens(Set.of()).generate(prompt, config));
            int third = free.get("generated").get(2).asInt();
            assertEquals(3, model.generate(prompt, config.withEndTokens(Set.of(third))).tokenIds().length);
            assertEquals(StopReason.EOS, model.generateAll(List.of(prompt, prompt), config, 2).get(1).stopReason());
        }
    }

    @Test
    void scoresAreTransformers() throws IOException {
        try (TextModel model = TextModel.open(FOLDER)) {
            assertEquals(64, model.contextLength());
            for (JsonNode expected : JSON.readTree(FOLDER.resolve("logprobs.json").toFile())) {
                List<TokenScore> scores = model.score(expected.get("text").asText(), 3);
                assertEquals(expected.get("tokens").size() - 1, scores.size());
                for (int i = 0; i < scores.size(); i++) {
                    JsonNode token = expected.get("tokens").get(i + 1);
                    assertEquals(token.get("id").asInt(), scores.get(i).id());
                    assertEquals(token.get("logprob").asDouble(), scores.get(i).logProb(), 1e-4);
                    assertEquals(token.get("top").get(0).get(1).asDouble(), scores.get(i).mostLikely().get(0).logProb(), 1e-4);
                }
            }
        }
    }

    @Test
    void aGgufFileTellsItsPublishedStory() throws IOException {
        try (TextModel model = TextModel.open(GGUF)) {
            assertEquals(Set.of(2), model.endTokens());
            String story = model.generate("", GenerationConfig.greedy(60)).text();
            assertTrue(story.startsWith(" Once upon a time, there was a little girl named Lily. She loved to play outside in the park. One day, she saw a big, red ball."), story);
            GenerationResult toComma = model.withEndTokens(Set.of(model.tokenizer().tokenId(","))).generate("", GenerationConfig.greedy(60));
            assertEquals(" Once upon a time", toComma.text());
            assertEquals(StopReason.EOS, toComma.stopReason());
            TextModel chat = model.withChatTemplate(ChatTemplate.jinja("{{ bos_token }}{{ messages[0].content }}", "<s>", "</s>"));
            assertEquals(model.generate("Lily", GenerationConfig.greedy(8)).text(), chat.chat(List.of(ChatMessage.user("Lily")), GenerationConfig.greedy(8)).text());
        }
    }

    @Test
    void loadOptionsCount() throws IOException {
        try (TextModel model = TextModel.open(FOLDER, LoadOptions.defaults().withPrecision(Precision.BFLOAT16))) {
            double exact = JSON.readTree(FOLDER.resolve("logprobs.json").toFile()).get(0).get("tokens").get(1).get("logprob").asDouble();
            double rounded = model.score("It is a truth", 0).get(0).logProb();
            assertTrue(rounded != exact && Math.abs(rounded - exact) < 0.5, rounded + " and " + exact);
        }
    }

    @Test
    void whatIsMissingIsSaid() throws IOException {
        try (TextModel model = TextModel.open(FOLDER)) {
            assertTrue(model.chatTemplate().isEmpty());
            assertEquals(List.of(), model.experts());
            String noTemplate = assertThrows(UnsupportedException.class, () -> model.chat(List.of(ChatMessage.user("Hi")), GenerationConfig.greedy(1))).getMessage();
            assertTrue(noTemplate.contains("has no chat template, neither chat_template.jinja nor in tokenizer_config.json"), noTemplate);
            for (org.junit.jupiter.api.function.Executable gates : List.<org.junit.jupiter.api.function.Executable>of(() -> model.gates("It"), () -> model.without(Set.of("code")),
                    () -> model.streamWithGates("It", GenerationConfig.greedy(1)))) {
                String noGates = assertThrows(UnsupportedException.class, gates).getMessage();
                assertTrue(noGates.contains("open a stitched model"), noGates);
            }
            String tooLong = assertThrows(IllegalArgumentException.class, () -> model.generate("a b ".repeat(60), GenerationConfig.greedy(1))).getMessage();
            assertTrue(tooLong.contains("at most 63 fit before the first new token (max_position_embeddings 64): shorten it"), tooLong);
        }
        String nothing = assertThrows(IllegalArgumentException.class, () -> TextModel.open(folder.resolve("nothing"))).getMessage();
        assertTrue(nothing.contains("does not exist"), nothing);
        Files.writeString(Files.createDirectory(folder.resolve("stitched")).resolve("stitch.json"), "{}");
        boolean alone = ServiceLoader.load(ModelSource.class).findFirst().isEmpty(); // these tests also run in modules with bts-stitch on the class path
        String stitched = assertThrows(Bts4jException.class, () -> TextModel.open(folder.resolve("stitched"))).getMessage();
        assertTrue(stitched.contains(alone ? "add bts-stitch" : "the key 'format' is missing"), stitched);
    }

    @Test
    void aDamagedTemplateHindersConversationsAlone() throws IOException {
        JsonNode golden = golden();
        Path damaged = checkpoint(golden, golden.get("cases").get(0));
        Files.delete(damaged.resolve("chat_template.jinja"));
        Files.writeString(damaged.resolve("tokenizer_config.json"), "{\"bos_token\": \"<s>\", \"eos_token\": \"</s>\", \"chat_template\": 7}");
        try (TextModel model = TextModel.open(damaged)) {
            assertGolden(golden.get("cases").get(0).get("results").get(0), model.generate("It is a truth", GenerationConfig.greedy(16)));
            assertThrows(ModelFormatException.class, model::chatTemplate);
            assertThrows(ModelFormatException.class, () -> model.chat(List.of(ChatMessage.user("Hi")), GenerationConfig.greedy(1)));
        }
    }

    @Test
    void anAnswerIsContinuedWhereTheRequestSaysSo() throws IOException {
        JsonNode golden = golden();
        try (TextModel model = TextModel.open(checkpoint(golden, golden.get("cases").get(0)))) {
            List<ChatMessage> begun = List.of(ChatMessage.user("Hi"), ChatMessage.assistant("It is"));
            GenerationConfig config = GenerationConfig.greedy(5);
            int[] prompt = model.tokenizer().encode("<s>u: Hi\na: It is", false);
            try (TokenStream expected = model.generator().stream(prompt, config)) {
                assertEquals(expected.toEnd(), model.chat(ChatRequest.ofMessages(begun).continuingFinalMessage(), config));
            }
        }
    }

    @Test
    void aClosedModelSaysSo() throws IOException {
        TextModel model = TextModel.open(FOLDER);
        TokenStream stream = model.stream("It is", GenerationConfig.greedy(10));
        stream.next();
        TextModel other = model.withEndTokens(Set.of());
        model.close();
        model.close();
        for (org.junit.jupiter.api.function.Executable use : List.<org.junit.jupiter.api.function.Executable>of(() -> model.generate("It", GenerationConfig.greedy(1)),
                () -> other.generate("It", GenerationConfig.greedy(1)), () -> model.score("It is", 1), stream::next)) {
            String message = assertThrows(IllegalStateException.class, use).getMessage();
            assertTrue(message.contains("This model is closed"), message);
        }
        stream.close();
        assertThrows(IllegalStateException.class, () -> model.tokenizer().encode("It", true));
    }

    @Test
    void closingWaitsForTheCallInProgress() throws Exception {
        TextModel model = TextModel.open(GGUF);
        String expected = model.generate("", GenerationConfig.greedy(40)).text();
        List<Object> results = java.util.Collections.synchronizedList(new ArrayList<>());
        List<Thread> threads = new ArrayList<>();
        for (int i = 0; i < 3; i++) {
            threads.add(new Thread(() -> {
                try {
                    for (int n = 0; n < 100; n++) {
                        results.add(model.generate("", GenerationConfig.greedy(40)).text());
                    }
                } catch (IllegalStateException e) {
                    results.add(e.getMessage());
                }
            }));
        }
        threads.forEach(Thread::start);
        while (results.isEmpty()) {
            Thread.sleep(1);
        }
        model.close();
        for (Thread thread : threads) {
            thread.join();
        }
        assertEquals(Set.of(expected, "This model is closed"), Set.copyOf(results));
    }
}
