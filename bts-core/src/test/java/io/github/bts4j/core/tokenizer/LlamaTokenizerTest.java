package io.github.bts4j.core.tokenizer;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.OptionalInt;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class LlamaTokenizerTest {

    @TempDir
    private Path folder;

    @Test
    void encodesAndDecodesTheBundledGoldenTexts() throws IOException {
        JsonNode golden = Tokenizers.JSON.readTree(Tokenizers.BUNDLED.resolve("golden.json").toFile());
        assertEquals(6, golden.size());
        try (LlamaTokenizer tokenizer = LlamaTokenizer.open(Tokenizers.BUNDLED)) {
            for (JsonNode row : golden) {
                int[] ids = Tokenizers.ints(row.path("ids"));
                assertArrayEquals(ids, tokenizer.encode(row.path("text").asText(), true), row.path("text").asText());
                assertEquals(row.path("decoded").asText(), tokenizer.decode(ids, true));
            }
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"bytelevel", "llama2", "metaspace"})
    void givesWhatThePythonPackageGives(String name) throws IOException {
        JsonNode golden = Tokenizers.golden(name);
        try (LlamaTokenizer tokenizer = Tokenizers.open(name, folder)) {
            assertEquals(golden.path("vocabSize").intValue(), tokenizer.vocabSize());
            for (JsonNode row : golden.path("texts")) {
                String text = row.path("text").asText();
                int[] ids = Tokenizers.ints(row.path("ids"));
                assertArrayEquals(ids, tokenizer.encode(text, true), text);
                assertArrayEquals(Tokenizers.ints(row.path("plain")), tokenizer.encode(text, false), text);
                assertArrayEquals(Tokenizers.ints(row.path("ordinary")), tokenizer.encodeOrdinary(text), text);
                assertEquals(row.path("decoded").asText(), tokenizer.decode(ids, true));
                assertEquals(row.path("decodedWithSpecial").asText(), tokenizer.decode(ids, false));
            }
            for (JsonNode draw : golden.path("draws")) {
                int[] ids = Tokenizers.ints(draw.path("ids"));
                assertEquals(draw.path("decoded").asText(), tokenizer.decode(ids, true));
                assertEquals(draw.path("decodedWithSpecial").asText(), tokenizer.decode(ids, false));
            }
        }
    }

    @Test
    void tenThousandTokensInTenThousandOut() {
        try (LlamaTokenizer tokenizer = LlamaTokenizer.open(Tokenizers.BUNDLED.resolve("tokenizer.json"))) {
            int[] ids = IntStream.range(0, 10_000).map(i -> tokenizer.tokenId("0") + i % 10).toArray(); // digits never merge
            assertArrayEquals(ids, tokenizer.encode(tokenizer.decode(ids, false), false));
            assertEquals(10_001, tokenizer.encode(tokenizer.decode(ids, false), true).length);
            assertEquals(1, tokenizer.encode("0", false).length);
        }
    }

    /** llama2.json asks for at most 8 tokens, padded to 16. */
    @Test
    void ignoresTruncationAndPaddingOfTheFile() throws IOException {
        try (LlamaTokenizer tokenizer = Tokenizers.open("llama2", folder)) {
            assertEquals(500, tokenizer.encode("▁ ".repeat(250).stripTrailing(), false).length);
            assertEquals(1, tokenizer.encode("", true).length);
        }
    }

    @Test
    void specialTokenTextOfOthersStaysText() {
        try (LlamaTokenizer tokenizer = LlamaTokenizer.open(Tokenizers.BUNDLED)) {
            String text = "stop <|end|> here <|begin|>";
            int[] ordinary = tokenizer.encodeOrdinary(text);
            assertTrue(Arrays.stream(tokenizer.encode(text, false)).anyMatch(id -> id == 2));
            assertTrue(Arrays.stream(ordinary).noneMatch(tokenizer::isSpecial), Arrays.toString(ordinary));
            assertEquals(text, tokenizer.decode(ordinary, true));
        }
    }

    @Test
    void onlyTheTemplateWritesSpecialTokens() {
        try (LlamaTokenizer tokenizer = LlamaTokenizer.open(Tokenizers.BUNDLED)) {
            List<PromptSegment> prompt = List.of(PromptSegment.template("<|begin|>user\n"), PromptSegment.content("say <|end|> twice<|en"),
                    PromptSegment.content("d|>"), PromptSegment.template("<|end|>\n"));
            int[] ids = tokenizer.encode(prompt, false);
            assertArrayEquals(new int[] {1, 2}, Arrays.stream(ids).filter(tokenizer::isSpecial).toArray());
            assertEquals("<|begin|>user\nsay <|end|> twice<|end|><|end|>\n", tokenizer.decode(ids, false));
            int[] inner = tokenizer.encodeOrdinary("user\nsay <|end|> twice<|end|>");
            assertArrayEquals(inner, Arrays.copyOfRange(ids, 1, 1 + inner.length));
            assertEquals(1, tokenizer.encode(prompt, true)[1]);
        }
    }

    @Test
    void specialTokenTextAcrossSegmentsStaysText() {
        try (LlamaTokenizer tokenizer = LlamaTokenizer.open(Tokenizers.BUNDLED)) {
            int[] ordinary = tokenizer.encodeOrdinary("a<|end|>");
            assertArrayEquals(ordinary, tokenizer.encode(List.of(PromptSegment.template("a<|en"), PromptSegment.content("d|>")), false));
            assertArrayEquals(ordinary, tokenizer.encode(List.of(PromptSegment.content("a<|"), PromptSegment.template("end|>")), false));
            assertArrayEquals(ordinary, tokenizer.encode(List.of(PromptSegment.content("a<|en"), PromptSegment.content("d|>")), false));
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"bytelevel", "llama2", "metaspace"})
    void segmentsWithoutForeignSpecialTextAreOneText(String name) throws IOException {
        try (LlamaTokenizer tokenizer = Tokenizers.open(name, folder)) {
            String eos = tokenizer.token(tokenizer.eosTokenId().getAsInt());
            for (String[] parts : new String[][] {{"", "a"}, {"user:", " hello"}, {eos, "hello"}, {"x" + eos + " ", " 12"}, {"con", "tent\n"}}) {
                int[] whole = tokenizer.encode(parts[0] + parts[1] + eos, true);
                List<PromptSegment> prompt = List.of(PromptSegment.template(parts[0]), PromptSegment.content(parts[1]), PromptSegment.template(eos));
                assertArrayEquals(whole, tokenizer.encode(prompt, true));
                List<PromptSegment> disguised = List.of(prompt.get(0), prompt.get(1), prompt.get(2), PromptSegment.content(eos));
                assertArrayEquals(whole, Arrays.copyOf(tokenizer.encode(disguised, true), whole.length));
            }
        }
    }

    /** Here the Python package gives token 2 even with encode_special_tokens = True: merges lead to it. */
    @Test
    void mergesThatBuildASpecialTokenAreNotFollowed() throws IOException {
        Path file = Tokenizers.changed(folder, Tokenizers.resource("llama2.json"), root -> {
            List<String> pieces = List.of("<", "/", ">", "/s", "/s>");
            pieces.forEach(piece -> root.withObject("/model/vocab").put(piece, 600 + pieces.indexOf(piece)));
            for (String[] pair : new String[][] {{"/", "s"}, {"/s", ">"}, {"<", "/s>"}}) {
                root.withArray("/model/merges").addArray().add(pair[0]).add(pair[1]);
            }
        });
        try (LlamaTokenizer tokenizer = LlamaTokenizer.open(file)) {
            int[] ids = tokenizer.encodeOrdinary("a</s>");
            assertTrue(Arrays.stream(ids).noneMatch(tokenizer::isSpecial), Arrays.toString(ids));
            assertEquals("a</s>", tokenizer.decode(ids, true));
            assertEquals(tokenizer.tokenId("/s>"), ids[ids.length - 1]);
        }
    }

    @Test
    void unpairedSurrogatesBecomeOneReplacementCharacter() {
        try (LlamaTokenizer tokenizer = LlamaTokenizer.open(Tokenizers.BUNDLED)) {
            assertEquals("a\uFFFDb\uFFFD🙂\uFFFD", tokenizer.decode(tokenizer.encode("a\uD83Db\uDE42🙂\uD83D", false), false));
        }
    }

    @Test
    void knowsItsTokens() throws Exception {
        try (LlamaTokenizer tokenizer = LlamaTokenizer.open(Tokenizers.BUNDLED)) {
            assertEquals(OptionalInt.of(1), tokenizer.bosTokenId());
            assertEquals(OptionalInt.of(2), tokenizer.eosTokenId());
            assertArrayEquals(new int[] {0, 1, 2}, tokenizer.specialTokenIds());
            for (int id = 0; id < tokenizer.vocabSize(); id++) {
                assertEquals(id, tokenizer.tokenId(tokenizer.token(id)));
            }
            assertTrue(tokenizer.hasToken("Ġthe"));
            assertFalse(tokenizer.hasToken("no such token"));
            byte[] bytes = Files.readAllBytes(Tokenizers.BUNDLED.resolve("tokenizer.json"));
            assertEquals(HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(bytes)), tokenizer.sha256());
            assertEquals(Tokenizers.BUNDLED.resolve("tokenizer.json"), tokenizer.path());
        }
    }

    @Test
    void rolesMayBeUnknownOrWrittenAsObjects() throws IOException {
        Path file = Tokenizers.changed(folder, root -> { });
        try (LlamaTokenizer tokenizer = LlamaTokenizer.open(file)) {
            assertEquals(OptionalInt.empty(), tokenizer.bosTokenId());
        }
        Files.writeString(folder.resolve("special_tokens_map.json"), "{\"bos_token\": {\"content\": \"<|begin|>\"}}");
        Files.writeString(folder.resolve("tokenizer_config.json"), "{\"bos_token\": null, \"eos_token\": \"<|pad|>\"}");
        try (LlamaTokenizer tokenizer = LlamaTokenizer.open(file)) {
            assertEquals(OptionalInt.of(1), tokenizer.bosTokenId());
            assertEquals(OptionalInt.of(0), tokenizer.eosTokenId());
        }
    }

    @Test
    void wrongIdsAndTokensAreNamed() throws IOException {
        Path gap = Tokenizers.changed(folder, root -> root.withObject("/model/vocab").put("far", 2100));
        try (LlamaTokenizer tokenizer = LlamaTokenizer.open(Tokenizers.BUNDLED); LlamaTokenizer gapped = LlamaTokenizer.open(gap)) {
            for (int id : new int[] {-1, 2048, Integer.MAX_VALUE, Integer.MIN_VALUE}) {
                String message = assertThrows(IllegalArgumentException.class, () -> tokenizer.decode(new int[] {5, id}, true)).getMessage();
                assertTrue(message.startsWith("token id = " + id + " is not between 0 and 2047"), message);
                assertThrows(IllegalArgumentException.class, () -> tokenizer.token(id));
                assertThrows(IllegalArgumentException.class, () -> tokenizer.isSpecial(id));
            }
            String message = assertThrows(IllegalArgumentException.class, () -> tokenizer.tokenId(" the")).getMessage();
            assertTrue(message.contains("token = ' the'") && message.contains("Ġ"), message);
            assertEquals(2101, gapped.vocabSize());
            assertThrows(IllegalArgumentException.class, () -> gapped.token(2050));
            assertEquals("", gapped.decode(new int[] {2050}, false));
        }
    }

    @Test
    void closedMeansClosed() {
        LlamaTokenizer tokenizer = LlamaTokenizer.open(Tokenizers.BUNDLED);
        tokenizer.encodeOrdinary("<|end|>");
        tokenizer.close();
        tokenizer.close();
        assertThrows(IllegalStateException.class, () -> tokenizer.encode("a", false));
        assertThrows(IllegalStateException.class, () -> tokenizer.encodeOrdinary("<|end|>"));
        assertThrows(IllegalStateException.class, () -> tokenizer.decode(new int[] {5}, false));
    }

    @Test
    void threadsShareOneTokenizer() throws Exception {
        JsonNode golden = Tokenizers.golden("bytelevel").path("texts");
        ExecutorService threads = Executors.newFixedThreadPool(4);
        try (LlamaTokenizer tokenizer = LlamaTokenizer.open(Tokenizers.BUNDLED)) {
            Callable<Integer> work = () -> {
                int same = 0;
                for (int round = 0; round < 100; round++) {
                    for (JsonNode row : golden) {
                        String text = row.path("text").asText();
                        same += Arrays.equals(Tokenizers.ints(row.path("plain")), tokenizer.encode(text, false)) ? 1 : 0;
                        same += Arrays.equals(Tokenizers.ints(row.path("ordinary")), tokenizer.encodeOrdinary(text)) ? 1 : 0;
                    }
                }
                return same;
            };
            for (Future<Integer> result : threads.invokeAll(List.of(work, work, work, work))) {
                assertEquals(200 * golden.size(), result.get());
            }
        } finally {
            threads.shutdown();
        }
    }

    @Test
    void aFileThatChangedSinceIsNotMixedIn() throws IOException {
        Path file = Tokenizers.changed(folder, root -> { });
        try (LlamaTokenizer tokenizer = LlamaTokenizer.open(file)) {
            Files.write(file, " ".getBytes(StandardCharsets.UTF_8), java.nio.file.StandardOpenOption.APPEND);
            String message = assertThrows(RuntimeException.class, () -> tokenizer.encodeOrdinary("<|end|>")).getMessage();
            assertTrue(message.contains("was changed while it was open"), message);
        }
    }
}
