package io.github.bts4j.core.tokenizer;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class IncrementalDecoderTest {

    private static final String[] TEXTS = {"", " ", "  x", "It is a truth", "🙂👩‍👩‍👧🏽", "数学は 楽しい", "e\u0301\u0323 é", "a\uFFFDb\uFFFD", "\uFFFD", "a\0b", "\r\n\t ",
        "El Señor es mi pastor; nada me faltará.\n", "|- ( A e. B -> E. x x e. B )", "public static int max(int a, int b) { return a > b ? a : b; }",
        "\u202Eright to left\u202C \uDBFF\uDFFD"};

    @TempDir
    private Path folder;

    @ParameterizedTest
    @ValueSource(strings = {"bytelevel", "llama2", "metaspace"})
    void piecesAddUpToTheText(String name) throws IOException {
        try (LlamaTokenizer tokenizer = Tokenizers.open(name, folder)) {
            for (String text : TEXTS) {
                assertPieces(tokenizer, tokenizer.encode(text, true));
            }
            for (JsonNode row : Tokenizers.golden(name).path("texts")) {
                assertPieces(tokenizer, Tokenizers.ints(row.path("ids")));
            }
        }
    }

    @Test
    void piecesOfRandomIdsAddUpByteForByte() throws IOException {
        try (LlamaTokenizer tokenizer = LlamaTokenizer.open(Tokenizers.BUNDLED)) {
            for (JsonNode draw : Tokenizers.golden("bytelevel").path("draws")) {
                assertPieces(tokenizer, Tokenizers.ints(draw.path("ids")));
            }
            for (int seed = 0; seed < 400; seed++) {
                Random random = new Random(seed);
                int bound = seed % 2 == 0 ? tokenizer.vocabSize() : 259; // the first 259 are special or single bytes: mostly not UTF-8
                assertPieces(tokenizer, random.ints(200, 0, bound).toArray());
            }
        }
    }

    /** Runs of byte tokens that are UTF-8 throughout or nowhere: for the others the pieces are better than the text (see the class comment). */
    @ParameterizedTest
    @ValueSource(strings = {"llama2", "metaspace"})
    void piecesOfRandomPiecesAddUp(String name) throws IOException {
        try (LlamaTokenizer tokenizer = Tokenizers.open(name, folder)) {
            int firstByte = tokenizer.tokenId("<0x00>");
            for (int seed = 0; seed < 300; seed++) {
                Random random = new Random(seed);
                List<Integer> ids = new ArrayList<>();
                for (int i = 0; i < 40; i++) {
                    int kind = random.nextInt(6);
                    if (kind == 0) {
                        String character = List.of("é", "数", "🙂", "a", " ").get(random.nextInt(5));
                        for (byte value : character.getBytes(StandardCharsets.UTF_8)) {
                            ids.add(firstByte + (value & 0xFF));
                        }
                        ids.add(tokenizer.tokenId("▁"));
                    } else if (kind == 1) {
                        int[] broken = {0xE2, 0x82, 0xFF};
                        for (int b = 0; b <= random.nextInt(3); b++) {
                            ids.add(firstByte + broken[b]);
                        }
                        ids.add(tokenizer.tokenId("▁"));
                    } else {
                        int id = random.nextInt(tokenizer.vocabSize());
                        ids.add(id >= firstByte && id < firstByte + 256 ? tokenizer.tokenId("▁") : id);
                    }
                }
                assertPieces(tokenizer, ids.stream().mapToInt(Integer::intValue).toArray());
            }
        }
    }

    @Test
    void charactersAreHeldBackUntilTheyAreWhole() {
        try (LlamaTokenizer tokenizer = LlamaTokenizer.open(Tokenizers.BUNDLED)) {
            assertEquals(List.of("", "", "", "🙂", ""), pieces(tokenizer.incrementalDecoder(false), 175, 256, 250, 227)); // golden: U+1F642
            assertEquals(List.of("", "", "\uFFFDa", ""), pieces(tokenizer.incrementalDecoder(false), 175, 256, tokenizer.tokenId("a")));
            assertEquals(List.of("", "", "\uFFFD"), pieces(tokenizer.incrementalDecoder(false), 175, 256));
        }
    }

    @Test
    void byteTokensGiveCharactersAsSoonAsTheyAreWhole() throws IOException {
        try (LlamaTokenizer tokenizer = Tokenizers.open("llama2", folder)) {
            int b = tokenizer.tokenId("<0x00>");
            int a = tokenizer.tokenId("a");
            assertEquals(List.of("", "", "€", "", "é", ""), pieces(tokenizer.incrementalDecoder(true), b + 0xE2, b + 0x82, b + 0xAC, b + 0xC3, b + 0xA9));
            assertEquals(List.of("a", "", "", "\uFFFD\uFFFDa", ""), pieces(tokenizer.incrementalDecoder(true), a, b + 0xE2, b + 0x82, a));
            assertEquals(List.of("a", "", "", "€", "\uFFFD", ""), pieces(tokenizer.incrementalDecoder(true), a, b + 0xE2, b + 0x82, b + 0xAC, b + 0xFF));
        }
    }

    @Test
    void theFirstSpaceIsLostAtTheBeginningOnly() throws IOException {
        try (LlamaTokenizer tokenizer = Tokenizers.open("llama2", folder)) {
            int space = tokenizer.tokenId("▁");
            int a = tokenizer.tokenId("▁a");
            assertEquals(List.of("", "a", " a", ""), pieces(tokenizer.incrementalDecoder(true), 1, a, a));
            assertEquals(List.of("", " a", " a", ""), pieces(tokenizer.incrementalDecoder(true), space, a, a));
            assertEquals(List.of("", " a", " a", ""), pieces(tokenizer.continuationDecoder(true), 1, a, a));
            assertEquals(List.of("<s>", " a", ""), pieces(tokenizer.incrementalDecoder(false), 1, a));
        }
    }

    @Test
    void flushStartsAnew() throws IOException {
        try (LlamaTokenizer tokenizer = Tokenizers.open("llama2", folder)) {
            IncrementalDecoder decoder = tokenizer.incrementalDecoder(true);
            int a = tokenizer.tokenId("▁a");
            assertEquals(List.of("a", ""), pieces(decoder, a));
            assertEquals(List.of("a", ""), pieces(decoder, a));
            assertEquals(List.of("", ""), pieces(decoder, tokenizer.tokenId("▁")));
            assertEquals(List.of("a", ""), pieces(decoder, a));
        }
    }

    @Test
    void wrongIdsAreNamed() {
        try (LlamaTokenizer tokenizer = LlamaTokenizer.open(Tokenizers.BUNDLED)) {
            IncrementalDecoder decoder = tokenizer.incrementalDecoder(true);
            String message = assertThrows(IllegalArgumentException.class, () -> decoder.push(2048)).getMessage();
            assertTrue(message.startsWith("token id = 2048 is not between 0 and 2047"), message);
            assertThrows(IllegalArgumentException.class, () -> decoder.push(-1));
        }
    }

    private static void assertPieces(LlamaTokenizer tokenizer, int[] ids) {
        for (boolean skipSpecialTokens : new boolean[] {true, false}) {
            List<String> pieces = pieces(tokenizer.incrementalDecoder(skipSpecialTokens), ids);
            assertEquals(tokenizer.decode(ids, skipSpecialTokens), String.join("", pieces), () -> Arrays.toString(ids));
            for (String piece : pieces) {
                assertFalse(!piece.isEmpty() && (Character.isHighSurrogate(piece.charAt(piece.length() - 1)) || Character.isLowSurrogate(piece.charAt(0))), piece);
            }
        }
    }

    /** The pieces, the last of which comes from flush. */
    private static List<String> pieces(IncrementalDecoder decoder, int... ids) {
        List<String> pieces = new ArrayList<>();
        for (int id : ids) {
            pieces.add(decoder.push(id));
        }
        pieces.add(decoder.flush());
        return pieces;
    }
}
