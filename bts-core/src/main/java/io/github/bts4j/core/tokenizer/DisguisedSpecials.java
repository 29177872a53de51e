package io.github.bts4j.core.tokenizer;

import static io.github.bts4j.core.support.Problems.throwIf;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.github.bts4j.core.checkpoint.ModelFormatException;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.Iterator;
import java.util.Map;

/**
 * The tokenizer with its special tokens under secret names: {@code <|end|>} in a text is then ordinary text, and only the secret name gives
 * the special token. Ids, merges, normalizer, pre-tokenizer and post-processor are the same, so the ids are those that the Python library
 * gives with {@code encode_special_tokens = True}, a setting that DJL's binding does not have.
 */
final class DisguisedSpecials implements AutoCloseable {

    private final Map<String, String> disguises;
    private final NativeTokenizer tokenizer;

    private DisguisedSpecials(Map<String, String> disguises, NativeTokenizer tokenizer) {
        this.disguises = disguises;
        this.tokenizer = tokenizer;
    }

    /** Modifies {@code root}. */
    static DisguisedSpecials open(Path file, ObjectNode root, Vocabulary vocabulary) {
        TextLimits limits = TokenizerCheck.check(file, root, vocabulary);
        Map<String, String> disguises = disguises(vocabulary);
        for (JsonNode token : root.path("added_tokens")) {
            String disguise = disguises.get(token.path("content").asText());
            if (disguise != null) {
                ((ObjectNode) token).put("content", disguise);
            }
        }
        if (root.path("model") instanceof ObjectNode model) {
            disguiseModel(model, disguises);
        }
        NativeTokenizer tokenizer = NativeTokenizer.open(file, root.toString(), limits, vocabulary);
        try {
            verify(file, tokenizer, disguises, vocabulary);
        } catch (RuntimeException e) {
            tokenizer.close();
            throw e;
        }
        return new DisguisedSpecials(disguises, tokenizer);
    }

    /** The secret name of a special token, for {@link #encode}. */
    String disguise(String special) {
        return disguises.get(special);
    }

    int[] encode(String text, boolean addSpecialTokens) {
        return tokenizer.encode(text, addSpecialTokens);
    }

    int[][] encodeWithOffsets(String text) {
        return tokenizer.encodeWithOffsets(text);
    }

    @Override
    public void close() {
        tokenizer.close();
    }

    private static Map<String, String> disguises(Vocabulary vocabulary) {
        byte[] secret = new byte[16];
        new SecureRandom().nextBytes(secret);
        Map<String, String> disguises = new HashMap<>();
        vocabulary.specialTokens().forEach(token ->
                disguises.put(token.content(), "<|" + HexFormat.of().formatHex(secret) + "-" + token.id() + "|>"));
        return disguises;
    }

    private static void disguiseModel(ObjectNode model, Map<String, String> disguises) {
        if (model.path("vocab") instanceof ObjectNode vocab) {
            disguises.forEach((special, disguise) -> {
                JsonNode id = vocab.remove(special);
                if (id != null) {
                    vocab.set(disguise, id);
                }
            });
        } else {
            for (JsonNode piece : model.path("vocab")) {
                String disguise = disguises.get(piece.path(0).asText());
                if (disguise != null && piece instanceof ArrayNode pair) {
                    pair.set(0, pair.textNode(disguise));
                }
            }
        }
        String unknown = disguises.get(model.path("unk_token").asText());
        if (unknown != null) {
            model.put("unk_token", unknown);
        }
        for (Iterator<JsonNode> merges = model.path("merges").elements(); merges.hasNext();) {
            if (touchesSpecial(merges.next(), disguises)) {
                merges.remove();
            }
        }
    }

    /** Whether this merge, {@code "a b"} or {@code ["a", "b"]}, involves a special token. */
    private static boolean touchesSpecial(JsonNode merge, Map<String, String> disguises) {
        String text = merge.asText();
        int space = text.indexOf(' ', 1);
        String left = merge.isArray() ? merge.path(0).asText() : text.substring(0, Math.max(space, 0));
        String right = merge.isArray() ? merge.path(1).asText() : text.substring(space + 1);
        return disguises.containsKey(left) || disguises.containsKey(right) || disguises.containsKey(left + right);
    }

    private static void verify(Path file, NativeTokenizer tokenizer, Map<String, String> disguises, Vocabulary vocabulary) {
        for (Vocabulary.SpecialToken token : vocabulary.specialTokens()) {
            int[] ids = tokenizer.encode(disguises.get(token.content()), false);
            throwIf(Arrays.stream(ids).noneMatch(id -> id == token.id()),
                    () -> new ModelFormatException(file, "special token '" + token.content() + "' has id " + token.id() + " in 'added_tokens', but the tokenizers"
                            + " library assigns " + Arrays.toString(ids) + ": the ids of 'added_tokens' and 'model.vocab' do not match"));
        }
    }
}
