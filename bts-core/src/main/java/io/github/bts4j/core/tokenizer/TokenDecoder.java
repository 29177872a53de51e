package io.github.bts4j.core.tokenizer;

import static io.github.bts4j.core.support.Problems.throwIf;

import com.fasterxml.jackson.databind.JsonNode;
import io.github.bts4j.core.checkpoint.ModelFormatException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;

/** How a tokenizer.json turns token strings into text, as far as decoding token by token needs it. */
sealed interface TokenDecoder {

    /** The bytes of a byte token; empty for a text token. */
    Optional<byte[]> bytes(String token);

    /** GPT-2's byte-level decoder (Llama 3): every token is a string of bytes, each written as one printable character. */
    record ByteLevel() implements TokenDecoder {

        private static final Map<Character, Byte> BYTE_OF = byteOf();

        @Override
        public Optional<byte[]> bytes(String token) {
            byte[] bytes = new byte[token.length()];
            for (int i = 0; i < bytes.length; i++) {
                Byte value = BYTE_OF.get(token.charAt(i));
                if (value == null) { // an added token that was never byte-level is literal text
                    return Optional.of(token.getBytes(StandardCharsets.UTF_8));
                }
                bytes[i] = value;
            }
            return Optional.of(bytes);
        }

        /** Printable Latin-1 bytes are written as themselves, the other 68 as U+0100 onwards in order. */
        private static Map<Character, Byte> byteOf() {
            Map<Character, Byte> byteOf = new HashMap<>();
            char next = 0x100;
            for (int value = 0; value < 256; value++) {
                boolean printable = value >= '!' && value <= '~' || value >= 0xA1 && value <= 0xAC || value >= 0xAE;
                byteOf.put(printable ? (char) value : next++, (byte) value);
            }
            return Map.copyOf(byteOf);
        }
    }

    /**
     * SentencePiece's decoders (Llama 2): each token decodes by itself, except the first one of a text, which may lose a space, and tokens
     * such as {@code <0xE2>}, which are single bytes.
     */
    record Pieces(boolean byteFallback) implements TokenDecoder {

        @Override
        public Optional<byte[]> bytes(String token) {
            boolean isByte = byteFallback && token.length() == 6 && token.startsWith("<0x") && token.endsWith(">");
            if (!isByte) {
                return Optional.empty();
            }
            int high = Character.digit(token.charAt(3), 16);
            int low = Character.digit(token.charAt(4), 16);
            return high < 0 || low < 0 ? Optional.empty() : Optional.of(new byte[] {(byte) (high << 4 | low)});
        }
    }

    static TokenDecoder read(Path file, JsonNode decoder) {
        if (decoder.path("type").asText().equals("ByteLevel")) {
            return new ByteLevel();
        }
        return new Pieces(readPieces(file, decoder));
    }

    /** Checks that tokens can be decoded one by one, and returns whether there are byte tokens. */
    private static boolean readPieces(Path file, JsonNode decoder) {
        if (decoder.isMissingNode() || decoder.isNull()) {
            return false;
        }
        String type = decoder.path("type").asText();
        boolean byteFallback = false;
        boolean known = switch (type) {
            case "ByteFallback", "Fuse", "Metaspace" -> true;
            case "Strip" -> decoder.path("stop").asInt() == 0;
            case "Replace" -> decoder.path("pattern").path("String").asText().codePoints().count() == 1;
            case "Sequence" -> decoder.path("decoders").isArray();
            default -> false;
        };
        throwIf(!known,
                () -> new ModelFormatException(file, "decoder " + Component.shown(decoder) + " is not supported: known are ByteLevel, and Metaspace, ByteFallback, Fuse, Strip"
                        + " (stop = 0) and Replace (of one character) alone or in a Sequence"));
        for (JsonNode inner : decoder.path("decoders")) {
            byteFallback |= readPieces(file, inner);
        }
        return byteFallback || type.equals("ByteFallback");
    }
}
