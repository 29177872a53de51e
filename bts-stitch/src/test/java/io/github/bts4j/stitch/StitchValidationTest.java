package io.github.bts4j.stitch;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.bts4j.core.checkpoint.ModelFormatException;
import io.github.bts4j.core.llama.LlamaConfig;
import io.github.bts4j.core.llama.LlamaConfigBuilder;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Models that do not fit. The folders hold config.json alone: whoever looked for a tensor would fail with another exception. */
class StitchValidationTest {
    @TempDir
    private Path folder;

    private static LlamaConfigBuilder config() {
        return LlamaConfig.builder().vocabSize(64).hiddenSize(16).intermediateSize(32).numLayers(4).numHeads(2).maxPositionEmbeddings(32);
    }

    private Path model(String name, LlamaConfigBuilder config) throws IOException {
        Path model = Files.createDirectories(folder.resolve(name));
        config.build().write(model.resolve("config.json"));
        return model;
    }

    private static String refusal(StitchedModelBuilder builder) {
        return assertThrows(IllegalArgumentException.class, builder::open).getMessage();
    }

    private static void assertContains(String message, String... parts) {
        for (String part : parts) {
            assertTrue(message.contains(part), "'" + part + "' is not in: " + message);
        }
    }

    private static StitchConfig stitches() {
        return StitchConfig.evenly(4, 2);
    }

    @Test
    void fittingModelsPassAndOnlyThenTensorsAreLookedFor() throws IOException {
        StitchedModelBuilder builder = StitchedModel.builder().config(stitches()).hub(model("hub", config()))
                .expert("code", model("code", config().numHeads(4).numKvHeads(1).intermediateSize(24)));
        assertThrows(ModelFormatException.class, builder::open);
    }

    @Test
    void everyProblemIsInOneMessage() throws IOException {
        Path hub = model("hub", config());
        Path shallow = model("shallow", config().numLayers(3));
        Path wide = model("wide", config().hiddenSize(32).vocabSize(65));
        Files.writeString(hub.resolve("tokenizer.json"), "{}");
        Files.writeString(wide.resolve("tokenizer.json"), "{ }");
        String message = refusal(StitchedModel.builder().config(StitchConfig.at(List.of(1, 2))).hub(hub)
                .expert("shallow", shallow).expert("wide", wide).expert("wide", wide));
        assertContains(message, "These models cannot be stitched",
                "two models are called 'wide'",
                "expert 'shallow' has num_hidden_layers = 3, the hub 'hub' has 4",
                "expert 'wide' has hidden_size = 32, the hub 'hub' has 16",
                "expert 'wide' has vocab_size = 65, the hub 'hub' has 64",
                "expert 'wide' has a different tokenizer.json from the hub 'hub'",
                "the last stitch layer follows layer 2, the hub has 4 layers");
        assertFalse(message.contains("'shallow' has hidden_size"), message);
        assertEquals(9, message.split("\n  - ").length - 1, message); // the second 'wide' repeats its three
    }

    @Test
    void anotherNumberOfLayersIsRefused() throws IOException {
        assertContains(refusal(StitchedModel.builder().config(stitches()).hub(model("hub", config()))
                .expert("deep", model("deep", config().numLayers(5)))), "expert 'deep' has num_hidden_layers = 5, the hub 'hub' has 4");
    }

    @Test
    void anotherWidthIsRefused() throws IOException {
        assertContains(refusal(StitchedModel.builder().config(stitches()).hub("seed", model("hub", config()))
                .expert("wide", model("wide", config().hiddenSize(64)))), "expert 'wide' has hidden_size = 64, the hub 'seed' has 16");
    }

    @Test
    void anotherVocabularyIsRefused() throws IOException {
        assertContains(refusal(StitchedModel.builder().config(stitches()).hub(model("hub", config()))
                .expert("other", model("other", config().vocabSize(128)))), "expert 'other' has vocab_size = 128, the hub 'hub' has 64");
    }

    @Test
    void anotherTokenizerIsRefusedAndTheSameOneIsNot() throws IOException {
        Path hub = model("hub", config());
        Path expert = model("code", config());
        Files.writeString(hub.resolve("tokenizer.json"), "{\"model\": 1}");
        Files.writeString(expert.resolve("tokenizer.json"), "{\"model\": 2}");
        StitchedModelBuilder builder = StitchedModel.builder().config(stitches()).hub(hub).expert("code", expert);
        assertContains(refusal(builder), "expert 'code' has a different tokenizer.json from the hub 'hub'");
        Files.writeString(expert.resolve("tokenizer.json"), "{\"model\": 1}");
        assertThrows(ModelFormatException.class, builder::open);
    }

    @Test
    void aNameTwiceIsRefusedEvenIfItIsTheHubs() throws IOException {
        Path hub = model("hub", config());
        assertContains(refusal(StitchedModel.builder().config(stitches()).hub(hub).expert("hub", hub)), "two models are called 'hub'");
    }

    @Test
    void aLastPlaceBeforeOrBehindTheLastLayerIsRefused() throws IOException {
        Path hub = model("hub", config());
        for (int last : new int[] {3, 5}) {
            assertContains(refusal(StitchedModel.builder().config(StitchConfig.at(List.of(1, last))).hub(hub).expert("code", hub)),
                    "the last stitch layer follows layer " + last + ", the hub has 4 layers");
        }
    }

    @Test
    void moreStitchesThanLayersAreRefused() throws IOException {
        Path hub = model("hub", config());
        assertContains(refusal(StitchedModel.builder().config(StitchConfig.evenly(6, 6)).hub(hub).expert("code", hub)),
                "K = 6 stitch layers", "L = 4 Transformer layers");
    }

    @Test
    void noExpertIsRefused() throws IOException {
        assertContains(refusal(StitchedModel.builder().config(stitches()).hub(model("hub", config()))), "at least one expert");
    }

    @Test
    void noHubIsRefused() throws IOException {
        StitchedModelBuilder builder = StitchedModel.builder().config(stitches()).expert("code", model("code", config()));
        assertContains(assertThrows(IllegalStateException.class, builder::open).getMessage(), "No hub was given", "hub(folder)");
    }

    @Test
    void noConfigurationIsRefused() throws IOException {
        StitchedModelBuilder builder = StitchedModel.builder().hub(model("hub", config())).expert("code", folder);
        assertContains(assertThrows(IllegalStateException.class, builder::open).getMessage(), "No configuration was given");
    }

    @Test
    void aBlankNameIsRefused() {
        IllegalArgumentException refused = assertThrows(IllegalArgumentException.class, () -> StitchedModel.builder().expert(" ", folder));
        assertContains(refused.getMessage(), "blank name", folder.toString());
    }
}
