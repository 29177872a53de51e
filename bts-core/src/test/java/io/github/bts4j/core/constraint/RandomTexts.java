package io.github.bts4j.core.constraint;

import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.networknt.schema.InputFormat;
import com.networknt.schema.JsonSchema;
import com.networknt.schema.JsonSchemaFactory;
import com.networknt.schema.SchemaValidatorsConfig;
import com.networknt.schema.SpecVersion;
import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.CodingErrorAction;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.Set;

/** Random texts under a constraint, over a vocabulary of single bytes and usual pieces of JSON. */
public final class RandomTexts {
    static final ObjectMapper STRICT = new ObjectMapper().enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS).enable(JsonParser.Feature.STRICT_DUPLICATE_DETECTION);
    static final int END = 0;

    private static final int MOST_TOKENS = 600;
    private static final List<String> PIECES = List.of("{\"", "\":", "\": ", "\",", "\", \"", "},", "}]", "]}", "[{", "[[", "]]", "}}", "true", "false", "null", "name", "the", " and", "ab", "abc", "a\":1,\"a",
            "\":1,\"", "\":{\"", "12", "123", "2024-", "-0", "0.5", "1e", ".25", "é", "日本", "\\n", "\\u00", "\\\"", "  ", "\n    ", "@example.com", "\"\"", "[]", "{}", "foo", "bar", "\"foo\":", "\"foo", "}\n");

    static final TokenTrie TRIE = trie();

    private final Random random;

    RandomTexts(long seed) {
        random = new Random(seed);
    }

    private static TokenTrie trie() {
        List<byte[]> tokens = new ArrayList<>();
        tokens.add(null);
        for (int value = 0; value < 256; value++) {
            tokens.add(new byte[] {(byte) value});
        }
        PIECES.forEach(piece -> tokens.add(piece.getBytes(StandardCharsets.UTF_8)));
        return new TokenTrie(tokens.toArray(byte[][]::new));
    }

    /** A finished text; empty if it did not end in time. */
    Optional<String> text(Constraint constraint) {
        Guide guide = constraint.begin(TRIE, Set.of(END));
        ByteArrayOutputStream text = new ByteArrayOutputStream();
        for (int i = 0; i < MOST_TOKENS && !guide.isComplete(); i++) {
            float[] logits = guide.masked(new float[TRIE.size()]);
            if (guide.isStuck()) {
                throw new IllegalStateException("no way on after " + decoded(text));
            }
            int token = choose(logits, i);
            if (token == END) {
                return Optional.of(decoded(text));
            }
            text.writeBytes(TRIE.bytes(token));
            guide.accept(token);
        }
        return guide.isComplete() ? Optional.of(decoded(text)) : Optional.empty();
    }

    /** Closing quotes, braces and brackets are likely, the more the longer the text is. */
    private int choose(float[] logits, int length) {
        double[] weights = new double[logits.length];
        double sum = 0;
        for (int id = 0; id < logits.length; id++) {
            if (logits[id] > Float.NEGATIVE_INFINITY) {
                boolean closes = id > 0 && id < 257 && "\"}]".indexOf(id - 1) >= 0 || id == END;
                boolean readable = id > 256 || id > ' ' && id < 128;
                weights[id] = closes ? 6 + length : readable ? 1 : 0.05;
            }
            sum += weights[id];
        }
        double place = random.nextDouble() * sum;
        int last = -1;
        for (int id = 0; id < weights.length; id++) {
            place -= weights[id];
            last = weights[id] > 0 ? id : last;
            if (place < 0 && weights[id] > 0) {
                return id;
            }
        }
        return last;
    }

    private static String decoded(ByteArrayOutputStream text) {
        try {
            return StandardCharsets.UTF_8.newDecoder().onMalformedInput(CodingErrorAction.REPORT).onUnmappableCharacter(CodingErrorAction.REPORT)
                    .decode(ByteBuffer.wrap(text.toByteArray())).toString();
        } catch (CharacterCodingException e) {
            throw new AssertionError("no UTF-8: " + text, e);
        }
    }

    /** What json-schema-validator says of a text; empty if it is valid. */
    public static String problems(JsonNode schema, String text) {
        try {
            STRICT.readTree(text);
        } catch (java.io.IOException e) {
            return e.toString();
        }
        JsonSchema validator = JsonSchemaFactory.getInstance(SpecVersion.VersionFlag.V202012)
                .getSchema(schema, SchemaValidatorsConfig.builder().formatAssertionsEnabled(true).build());
        return validator.validate(text, InputFormat.JSON).isEmpty() ? "" : validator.validate(text, InputFormat.JSON).toString();
    }

    /** Whether a text is one of the constraint's. */
    static boolean accepts(Constraint constraint, String text) {
        Guide guide = constraint.begin(TRIE, Set.of(END));
        for (byte value : text.getBytes(StandardCharsets.UTF_8)) {
            int token = 1 + (value & 0xFF);
            if (guide.masked(new float[TRIE.size()])[token] == Float.NEGATIVE_INFINITY || guide.isStuck()) {
                return false;
            }
            guide.accept(token);
        }
        return guide.isComplete() || guide.masked(new float[TRIE.size()])[END] == 0 && !guide.isStuck();
    }
}
