package io.github.bts4j.core.tokenizer;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import io.github.bts4j.core.checkpoint.ModelFormatException;
import io.github.bts4j.core.generate.GenerationConfig;
import io.github.bts4j.core.generate.Generator;
import io.github.bts4j.core.torch.llama.LlamaModel;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.OptionalInt;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Tokenizers that are written otherwise than most, against transformers and llama.cpp ({@code src-test-data/tools/leniency_golden.py} and {@code .mjs}). */
class LenientTokenizersTest {
    private static final Path DATA = Path.of(System.getProperty("bts4j.testData"), "leniency");

    @TempDir private Path folder;

    private Path addedTokens(String wrongId) throws IOException {
        Files.copy(Tokenizers.BUNDLED.resolve("tokenizer.json"), folder.resolve("tokenizer.json"));
        String config = Files.readString(DATA.resolve("added-tokens/tokenizer_config.json"));
        Files.writeString(folder.resolve("tokenizer_config.json"), config.replace("\"2049\"", "\"" + wrongId + "\""));
        return folder;
    }

    @Test
    void tokensOfTheConfigurationAloneAreAdded() throws IOException {
        JsonNode golden = Tokenizers.JSON.readTree(DATA.resolve("added-tokens/golden.json").toFile());
        try (LlamaTokenizer tokenizer = LlamaTokenizer.open(addedTokens("2049")); LlamaTokenizer plain = LlamaTokenizer.open(Tokenizers.BUNDLED)) {
            assertEquals(golden.get("size").asInt(), tokenizer.vocabSize());
            assertEquals(golden.get("eos").asInt(), tokenizer.eosTokenId().orElseThrow());
            assertTrue(!tokenizer.sha256().equals(plain.sha256()), "another tokenizer than the one without them");
            for (JsonNode row : golden.get("rows")) {
                int[] ids = tokenizer.encode(row.get("text").asText(), false);
                assertArrayEquals(Tokenizers.ints(row.get("ids")), ids, row.get("text").asText());
                assertEquals(row.get("plain").asText(), tokenizer.decode(ids, true));
            }
            tokenizer.save(folder.resolve("copy"));
            try (LlamaTokenizer copy = LlamaTokenizer.open(folder.resolve("copy"))) {
                assertArrayEquals(new int[] {2048}, copy.encode("<|tool|>", false));
                assertEquals(tokenizer.sha256(), copy.sha256());
            }
        }
    }

    @Test
    void aTokenWhoseIdWouldBeAnotherIsRefused() throws IOException {
        Path wrong = addedTokens("2060");
        String message = assertThrows(ModelFormatException.class, () -> LlamaTokenizer.open(wrong).close()).getMessage();
        assertTrue(message.contains("2060") && message.contains("2049"), message);
    }

    /** transformers takes such a pair; only a text that needs one of the ids beyond the embedding table cannot be computed. */
    @Test
    void aTokenizerMayHaveMoreIdsThanTheModel() throws IOException {
        try (LlamaTokenizer tokenizer = LlamaTokenizer.open(Tokenizers.BUNDLED); LlamaModel model = LlamaModel.open(DATA.resolve("equal-head"))) {
            assertTrue(tokenizer.vocabSize() > model.vocabSize());
            Generator generator = new Generator(model, tokenizer);
            String inside = tokenizer.decode(new int[] {40, 41, 42}, false);
            assertEquals(2, generator.generate(inside, GenerationConfig.greedy(2)).tokens().size());
            String message = assertThrows(IllegalArgumentException.class, () -> generator.generate("the", GenerationConfig.greedy(2))).getMessage();
            assertTrue(message.contains("[0, 64)"), message);
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"bpe-default", "bpe-untyped", "bpe-smaug-bpe", "spm-without-ids"})
    void ggufTokenizersGiveLlamaCppsIds(String name) throws IOException {
        JsonNode golden = Tokenizers.JSON.readTree(DATA.resolve("llama.cpp.json").toFile());
        JsonNode expected = golden.get(name);
        try (LlamaTokenizer tokenizer = LlamaTokenizer.open(DATA.resolve(name + ".gguf"))) {
            assertEquals(OptionalInt.of(expected.get("bos").asInt()), tokenizer.bosTokenId());
            assertEquals(OptionalInt.of(expected.get("eos").asInt()), tokenizer.eosTokenId());
            assertEquals(expected.get("addsBos").asBoolean(), tokenizer.encode("a", true)[0] == expected.get("bos").asInt());
            assertEquals(20, golden.get("texts").size());
            for (int i = 0; i < golden.get("texts").size(); i++) {
                String text = golden.get("texts").get(i).asText();
                assertArrayEquals(Tokenizers.ints(expected.get("ids").get(i)), tokenizer.encodeOrdinary(text), text);
            }
        }
    }
}
