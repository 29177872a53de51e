package io.github.bts4j.stitch;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ai.djl.ndarray.NDArray;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.github.bts4j.core.GateWeights;
import io.github.bts4j.core.chat.ChatMessage;
import io.github.bts4j.core.checkpoint.ModelFormatException;
import io.github.bts4j.core.generate.GatedStream;
import io.github.bts4j.core.generate.GatedToken;
import io.github.bts4j.core.generate.GenerationConfig;
import io.github.bts4j.core.generate.GenerationResult;
import io.github.bts4j.core.generate.StopReason;
import io.github.bts4j.core.golden.GoldenCase;
import io.github.bts4j.core.text.TextGates;
import io.github.bts4j.core.text.TextModel;
import io.github.bts4j.core.torch.llama.LoadOptions;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.IntStream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A stitch checkpoint as a model over texts, against the golden tokens and gates of the paper's formulas on Hugging Face layers (generate.py, text_model_golden.py). */
class StitchedTextModelTest {
    private static final Path TEXT = Path.of(System.getProperty("bts4j.testData"), "text");
    private static final int NEW_TOKENS = 24;

    @TempDir
    private Path root;
    private Path folder;
    private JsonNode golden;

    /** The golden case with its weights after training, and a tokenizer in the hub's folder. */
    @BeforeEach
    void save() throws IOException {
        golden = new ObjectMapper().readTree(TEXT.resolve("stitched.json").toFile()).get("bts-3x4");
        TinyModels.copyFolder(TinyModels.golden("bts-3x4"), root.resolve("bases"));
        for (String name : List.of("hub", "code", "math")) {
            Files.copy(TEXT.resolve("tokenizer.json"), root.resolve("bases").resolve(name).resolve("tokenizer.json"));
        }
        Files.copy(TEXT.resolve("tokenizer_config.json"), root.resolve("bases/hub/tokenizer_config.json"));
        Files.writeString(root.resolve("bases/hub/chat_template.jinja"), "{{ messages[0].content }}");
        folder = save("after.", "stitched");
    }

    private Path save(String weights, String name) throws IOException {
        try (GoldenCase values = new GoldenCase(root.resolve("bases")); StitchedModel model = StitchGoldenTest.open(values)) {
            if (!weights.isEmpty()) {
                Map<String, NDArray> trained = new HashMap<>();
                model.stitchTensors().keySet().forEach(tensor -> trained.put(tensor, values.tensor(weights + tensor)));
                model.setStitchTensors(trained);
            }
            StitchCheckpoint.save(model, root.resolve(name));
        }
        return root.resolve(name);
    }

    private int[] generated() {
        return IntStream.range(0, golden.get("generated").size()).map(i -> golden.get("generated").get(i).asInt()).toArray();
    }

    @Test
    void textIsTheGoldenOne() throws IOException {
        GenerationConfig config = GenerationConfig.greedy(NEW_TOKENS);
        try (TextModel model = TextModel.open(folder)) {
            assertEquals(List.of("code", "math"), model.experts());
            assertEquals(Set.of(2), model.endTokens());
            GenerationResult result = model.generate(golden.get("prompt").asText(), config);
            assertArrayEquals(generated(), result.tokenIds());
            assertEquals(golden.get("continuation").asText(), result.text());
            assertEquals(result, model.chat(List.of(ChatMessage.user(golden.get("prompt").asText())), config));
        }
    }

    @Test
    void theHubsEndTokensEndIt() throws IOException {
        int end = generated()[5];
        Files.writeString(root.resolve("bases/hub/generation_config.json"), "{\"eos_token_id\": [" + end + ", 2]}");
        try (TextModel model = TextModel.open(save("after.", "other"))) {
            GenerationResult result = model.generate(golden.get("prompt").asText(), GenerationConfig.greedy(NEW_TOKENS));
            assertEquals(StopReason.EOS, result.stopReason());
            assertArrayEquals(java.util.Arrays.copyOf(generated(), 6), result.tokenIds());
            assertTrue(golden.get("continuation").asText().startsWith(result.text()), result.text());
            assertEquals(NEW_TOKENS, model.generate(golden.get("prompt").asText(), GenerationConfig.greedy(NEW_TOKENS).withEndTokens(Set.of())).tokenIds().length);
        }
    }

    /** Means over the channels of the golden gates of the last stitch. */
    @Test
    void gatesAlongATextAreTheGoldenOnes() throws IOException {
        Path initial = save("", "initial");
        try (GoldenCase values = new GoldenCase(TinyModels.golden("bts-3x4")); TextModel model = TextModel.open(initial)) {
            int[] ids = values.ids("input_ids")[0];
            TextGates gates = model.gates(golden.get("input").asText());
            assertEquals(golden.get("input").asText(), String.join("", gates.tokens()));
            assertEquals(List.of("hub", "code", "math"), gates.weights().models());
            assertEquals(List.of(new GateWeights.GateLayer(1, 4)), gates.weights().layers());
            assertEquals(ids.length, gates.weights().tokens());
            float[] golden = values.floats("gate.1"); // [batch, sequence, hidden, models]
            int hidden = 48;
            for (int t = 0; t < ids.length; t++) {
                for (int i = 0; i < 3; i++) {
                    double mean = 0;
                    for (int c = 0; c < hidden; c++) {
                        mean += golden[(t * hidden + c) * 3 + i] / (double) hidden;
                    }
                    assertEquals(mean, gates.weights().last(t)[i], 1e-5, "token " + t + ", model " + i);
                }
            }
        }
    }

    /** What the stream says token by token is what one pass over the whole text says. */
    @Test
    void aStreamsGatesAreThoseOfTheWholeText() throws IOException {
        for (int end : new int[] {2, generated()[9]}) {
            GenerationConfig config = GenerationConfig.greedy(NEW_TOKENS).withEndTokens(Set.of(end));
            try (TextModel model = TextModel.open(folder); GatedStream stream = model.streamWithGates(golden.get("prompt").asText(), config)) {
                assertEquals(8, stream.promptGates().tokens());
                List<GatedToken> tokens = new ArrayList<>();
                stream.forEachRemaining(tokens::add);
                GenerationResult expected = model.generate(golden.get("prompt").asText(), config);
                assertArrayEquals(expected.tokenIds(), stream.result().tokenIds());
                assertEquals(expected.text(), stream.result().text());
                assertEquals(end == 2 ? NEW_TOKENS : 10, tokens.size());
                int[] all = IntStream.concat(IntStream.of(model.tokenizer().encode(golden.get("prompt").asText(), true)), IntStream.of(expected.tokenIds())).toArray();
                GateWeights whole = model.gates(all).weights();
                assertEquals(all.length, 8 + tokens.size());
                for (int t = 0; t < all.length; t++) {
                    GateWeights gates = t < 8 ? stream.promptGates() : tokens.get(t - 8).gates();
                    assertEquals(whole.layers(), gates.layers());
                    assertArrayEquals(whole.last(t), gates.last(t < 8 ? t : 0), 1e-5f, "token " + t);
                }
            }
        }
    }

    @Test
    void expertsThatAreOffHaveNoWeight() throws IOException {
        GenerationConfig config = GenerationConfig.greedy(6);
        String prompt = golden.get("prompt").asText();
        String expected;
        try (StitchedModel removed = StitchCheckpoint.open(folder, LoadOptions.defaults())) {
            removed.removeExpert("code");
            StitchCheckpoint.save(removed, root.resolve("removed"));
        }
        try (TextModel removed = TextModel.open(root.resolve("removed"))) {
            expected = removed.generate(prompt, config).text();
        }
        TextModel model = TextModel.open(folder);
        TextModel without = model.without(Set.of("code"));
        assertEquals(expected, without.generate(prompt, config).text());
        try (GatedStream stream = without.streamWithGates(prompt, config)) {
            assertEquals(0, stream.promptGates().last(3)[1]);
            assertTrue(stream.next().gates().last(0)[2] > 0);
        }
        try (TextModel alone = without.without(Set.of("math"))) {
            assertArrayEquals(new float[] {1, 0, 0}, alone.gates(prompt).weights().last(5), 1e-6f);
        }
        String message = assertThrows(IllegalArgumentException.class, () -> model.without(Set.of("law"))).getMessage();
        assertTrue(message.contains("[code, math]"), message);
        model.close();
        assertEquals("This model is closed", assertThrows(IllegalStateException.class, () -> without.generate(prompt, config)).getMessage());
        without.close();
    }

    @Test
    void aGatedStreamEndsWithItsModel() throws IOException {
        TextModel model = TextModel.open(folder);
        GatedStream stream = model.streamWithGates(golden.get("prompt").asText(), GenerationConfig.greedy(9));
        stream.next();
        model.close();
        assertEquals("This model is closed", assertThrows(IllegalStateException.class, stream::next).getMessage());
        stream.close();
    }

    @Test
    void aDamagedCheckpointIsSaidInOneLine() throws IOException {
        Files.writeString(folder.resolve("stitch.json"), "{\"format\": 1}");
        String message = assertThrows(ModelFormatException.class, () -> TextModel.open(folder)).getMessage();
        assertTrue(message.contains("stitch.json") && !message.contains("\n"), message);
    }
}
