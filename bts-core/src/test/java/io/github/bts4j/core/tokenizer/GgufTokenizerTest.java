package io.github.bts4j.core.tokenizer;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import io.github.bts4j.core.chat.ChatMessage;
import io.github.bts4j.core.chat.ChatTemplate;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.OptionalInt;
import java.util.zip.GZIPInputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Tokenizers inside GGUF files against the ids that the packages tokenizers and sentencepiece give ({@code src-test-data/tools/gguf_golden.py}). */
class GgufTokenizerTest {
    private static final Path DATA = Path.of(System.getProperty("bts4j.testData"), "gguf");

    private static JsonNode golden(String name) throws IOException {
        return Tokenizers.JSON.readTree(Files.readString(DATA.resolve("tokenizers.json"))).get(name);
    }

    @ParameterizedTest
    @ValueSource(strings = {"gpt-2", "llama-bpe"})
    void byteLevelTokenizersSplitAsTheirNameSays(String name) throws IOException {
        try (LlamaTokenizer tokenizer = LlamaTokenizer.open(DATA.resolve(name + ".gguf"))) {
            for (JsonNode row : golden(name)) {
                String text = row.get("text").asText();
                assertArrayEquals(Tokenizers.ints(row.get("ids")), tokenizer.encode(text, false), text);
            }
            assertEquals(2048, tokenizer.vocabSize());
            assertEquals(OptionalInt.of(1), tokenizer.bosTokenId());
            assertEquals(OptionalInt.of(2), tokenizer.eosTokenId());
            assertTrue(tokenizer.isSpecial(2));
            assertEquals(name.equals("llama-bpe"), tokenizer.encode("a", true)[0] == 1);
        }
    }

    /** The names that the families' files have (src-test-data/tools/pre_tokenizers_golden.py). */
    @ParameterizedTest
    @ValueSource(strings = {"qwen2", "deepseek-r1-qwen", "tekken", "gpt-4o", "dbrx", "smollm"})
    void familiesSplitAsTheirTokenizersDo(String name) throws IOException {
        JsonNode rows;
        try (InputStream packed = new GZIPInputStream(Files.newInputStream(DATA.resolve("pre-tokenizers.json.gz")))) {
            rows = Tokenizers.JSON.readTree(packed).get(name);
        }
        assertEquals(200, rows.size());
        try (LlamaTokenizer tokenizer = LlamaTokenizer.open(DATA.resolve("pre-" + name + ".gguf"))) {
            for (JsonNode row : rows) {
                assertArrayEquals(Tokenizers.ints(row.get("ids")), tokenizer.encode(row.get("text").asText(), false), row.get("text").asText());
            }
            assertEquals(name.equals("tekken"), tokenizer.encode("a", true)[0] == 1);
        }
    }

    @Test
    void sentencePieceScoresGiveSentencePiecesIds() throws IOException {
        try (LlamaTokenizer tokenizer = LlamaTokenizer.open(DATA.resolve("spm.gguf"))) {
            int compared = 0;
            for (JsonNode row : golden("spm")) {
                String text = row.get("text").asText();
                int[] ids = Tokenizers.ints(row.get("ids"));
                assertArrayEquals(ids, tokenizer.encodeOrdinary(text), text);
                assertEquals(row.get("decoded").asText(), tokenizer.decode(ids, false), text);
                compared++;
            }
            assertTrue(compared > 30, "only " + compared + " texts");
            assertArrayEquals(new int[] {1}, tokenizer.encode("", true));
        }
    }

    /** Phi-3's tokens end with the spaces and line feeds behind them, which GGUF cannot say (src-test-data/tools/phi3_tokens.mjs). */
    @Test
    void tokensOfPhi3TakeTheSpaceBehindThem() throws IOException {
        JsonNode rows = Tokenizers.JSON.readTree(DATA.resolve("phi3-tokens.json").toFile()).get("rows");
        assertEquals(15, rows.size());
        try (LlamaTokenizer tokenizer = LlamaTokenizer.open(DATA.resolve("phi3-tokens.gguf"))) {
            for (JsonNode row : rows) {
                assertArrayEquals(Tokenizers.ints(row.get("ids")), tokenizer.encode(row.get("text").asText(), false), row.get("text").asText());
            }
        }
    }

    @Test
    void theTokenizersAgreeWithTheCheckpointTheyCameFrom() throws IOException {
        try (LlamaTokenizer original = LlamaTokenizer.open(Tokenizers.BUNDLED); LlamaTokenizer inside = LlamaTokenizer.open(DATA.resolve("gpt-2.gguf"))) {
            String text = "No digits here, naïve café 🙂 and <|end|> too.";
            assertArrayEquals(original.encode(text, false), inside.encode(text, false));
            assertArrayEquals(original.encodeOrdinary(text), inside.encodeOrdinary(text));
            IncrementalDecoder decoder = inside.incrementalDecoder(true);
            StringBuilder pieces = new StringBuilder();
            for (int id : inside.encodeOrdinary(text)) {
                pieces.append(decoder.push(id));
            }
            assertEquals(text, pieces.append(decoder.flush()).toString());
        }
    }

    /** Written as tokenizer.json, the tokenizer still gives the Python packages' ids. */
    @ParameterizedTest
    @ValueSource(strings = {"gpt-2", "llama-bpe", "spm"})
    void savedTokenizersAreTheSame(String name, @TempDir Path folder) throws IOException {
        try (LlamaTokenizer inside = LlamaTokenizer.open(DATA.resolve(name + ".gguf"))) {
            inside.save(folder);
            try (LlamaTokenizer saved = LlamaTokenizer.open(folder)) {
                for (JsonNode row : golden(name)) {
                    String text = row.get("text").asText();
                    assertArrayEquals(Tokenizers.ints(row.get("ids")), name.equals("spm") ? saved.encodeOrdinary(text) : saved.encode(text, false), text);
                }
                assertEquals(inside.sha256(), saved.sha256());
                assertEquals(inside.bosTokenId(), saved.bosTokenId());
                assertEquals(inside.eosTokenId(), saved.eosTokenId());
            }
        }
    }

    @Test
    void theChatTemplateIsTheFilesOwn() throws IOException {
        ChatTemplate template = ChatTemplate.of(DATA.resolve("gpt-2.gguf"));
        assertEquals("<|begin|>hello<|end|>", template.render(List.of(ChatMessage.user("hello")), false));
    }
}
