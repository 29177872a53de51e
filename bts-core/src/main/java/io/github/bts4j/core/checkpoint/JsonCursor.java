package io.github.bts4j.core.checkpoint;

import static io.github.bts4j.core.support.Problems.throwIf;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.core.StreamReadConstraints;
import com.fasterxml.jackson.core.StreamReadFeature;
import io.github.bts4j.core.support.JsonProblem;
import io.github.bts4j.core.support.Quoted;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.ByteBuffer;
import java.nio.CharBuffer;
import java.nio.charset.CharsetDecoder;
import java.nio.charset.CoderResult;
import java.nio.charset.CodingErrorAction;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;

/**
 * Steps through JSON from an untrusted file; every failure is a {@link ModelFormatException} with a byte offset.
 *
 * <p>Strict: valid UTF-8, no duplicate keys, nesting and numbers of bounded size. Nothing recurses and names are not interned, so neither
 * deep nesting nor colliding names do harm. Not thread-safe; holds memory only, nothing to close.
 */
final class JsonCursor {

    private static final int MAX_NESTING = 16;
    private static final int MAX_DIGITS = 40;

    /** The longest key, in characters. */
    static final int MAX_KEY = 50_000;

    /** The longest string, in characters. */
    static final int MAX_STRING = 20_000_000;

    private static final int MAX_MESSAGE = 300;

    private static final JsonFactory FACTORY = JsonFactory.builder()
            .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
            .disable(JsonFactory.Feature.CANONICALIZE_FIELD_NAMES)
            .disable(JsonFactory.Feature.INTERN_FIELD_NAMES)
            .streamReadConstraints(StreamReadConstraints.builder()
                    .maxNestingDepth(MAX_NESTING)
                    .maxNumberLength(MAX_DIGITS)
                    .maxNameLength(MAX_KEY)
                    .maxStringLength(MAX_STRING)
                    .build())
            .build();

    private final Path file;
    private final byte[] json;
    private final long start;
    private final JsonParser parser;
    private String tensor;

    /**
     * Starts before the first token.
     *
     * @param file the file, for messages
     * @param json the JSON text as bytes
     * @param start where those bytes start in the file
     */
    JsonCursor(Path file, byte[] json, long start) {
        this.file = file;
        this.json = json;
        this.start = start;
        requireUtf8();
        try {
            this.parser = FACTORY.createParser(
                    new InputStreamReader(new ByteArrayInputStream(json), StandardCharsets.UTF_8));
        } catch (IOException e) {
            throw new ModelFormatException(file, "JSON cannot be read: " + e.getMessage(), e);
        }
    }

    /** Moves to the next token; null after the last one. */
    JsonToken next() {
        try {
            return parser.nextToken();
        } catch (IOException e) {
            throw malformed(e);
        }
    }

    /** Moves to the next token, which must be the expected one. */
    void expect(JsonToken wanted, String what) {
        JsonToken found = next();
        throwIf(found != wanted, () -> fail(what + " must be " + describe(wanted) + ", found " + describe(found)));
    }

    /** Moves into the next key of the current object; false at the object's end. */
    boolean nextKey() {
        return next() == JsonToken.FIELD_NAME;
    }

    /** The current key or string, which must be valid Unicode. */
    String text() {
        String text;
        try {
            text = parser.getText();
        } catch (IOException e) {
            throw malformed(e);
        }
        for (int i = 0; i < text.length(); i++) {
            throwIf(Quoted.isLoneSurrogate(text, i), () -> fail( "the text " + Quoted.of(text) + " holds half a character (a lone surrogate)"));
        }
        return text;
    }

    /** Reads the next token, which must be a string. */
    String nextString(String what) {
        expect(JsonToken.VALUE_STRING, what);
        return text();
    }

    /** Reads the current token, which must be a whole number from 0 to 2^63 - 1. */
    long size(String what) {
        try {
            JsonToken token = parser.currentToken();
            throwIf(token != JsonToken.VALUE_NUMBER_INT, () -> fail(what + " must be a whole number, found " + describe(token)));
            String digits = parser.getText();
            throwIf(digits.startsWith("-"), () -> fail(what + " = " + digits + " is negative"));
            throwIf(parser.getNumberType() == JsonParser.NumberType.BIG_INTEGER, () -> fail(what + " = " + digits + " is above " + Long.MAX_VALUE));
            return parser.getLongValue();
        } catch (IOException e) {
            throw malformed(e);
        }
    }

    /** Skips the value that starts here. */
    void skipValue() {
        try {
            parser.skipChildren();
        } catch (IOException e) {
            throw malformed(e);
        }
    }

    /** Requires that nothing but white space follows. */
    void expectEnd() {
        JsonToken token = next();
        throwIf(token != null, () -> fail("found " + describe(token) + " after the closing brace; only white space may follow"));
    }

    /** Sets the tensor that failures from here on name. */
    void enter(String name) {
        tensor = name;
    }

    /** Ends what {@link #enter} began. */
    void leave() {
        tensor = null;
    }

    /** Where the current token starts, in characters; cheap, for {@link #failAt}. */
    long position() {
        return parser.currentTokenLocation().getCharOffset();
    }

    /** A failure at the current token. */
    ModelFormatException fail(String message) {
        return failAt(position(), message);
    }

    /** A failure at an earlier token. */
    ModelFormatException failAt(long position, String message) {
        long offset = byteOffset(position);
        return tensor == null
                ? ModelFormatException.at(file, offset, message)
                : ModelFormatException.inTensor(file, tensor, offset, message);
    }

    private ModelFormatException malformed(IOException cause) {
        String problem = cause instanceof JsonProcessingException e ? JsonProblem.withoutPlace(e) : cause.getMessage();
        String shown = problem.length() > MAX_MESSAGE ? problem.substring(0, MAX_MESSAGE) + "..." : problem;
        long position = cause instanceof JsonProcessingException e && e.getLocation() != null
                ? e.getLocation().getCharOffset()
                : position();
        return failAt(position, "not valid JSON: " + shown + "; is the file damaged or of another format?");
    }

    /** Characters are counted in UTF-16 units, so a UTF-8 sequence of four bytes counts as two. */
    private long byteOffset(long charOffset) {
        int at = 0;
        for (long chars = 0; at < json.length && chars < charOffset; chars++) {
            int lead = json[at] & 0xff;
            int width = lead < 0x80 ? 1 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
            chars += width == 4 ? 1 : 0;
            at += width;
        }
        return start + Math.min(at, json.length);
    }

    private void requireUtf8() {
        CharsetDecoder decoder = StandardCharsets.UTF_8.newDecoder()
                .onMalformedInput(CodingErrorAction.REPORT)
                .onUnmappableCharacter(CodingErrorAction.REPORT);
        ByteBuffer bytes = ByteBuffer.wrap(json);
        CharBuffer scratch = CharBuffer.allocate(Math.min(json.length + 1, 8192));
        CoderResult result = CoderResult.OVERFLOW;
        while (result.isOverflow()) {
            scratch.clear();
            result = decoder.decode(bytes, scratch, true);
        }
        throwIf(result.isError(), () -> ModelFormatException.at(file, start + bytes.position(),
                "JSON is not valid UTF-8; is the file damaged or of another format?"));
    }

    private static String describe(JsonToken token) {
        if (token == null) {
            return "nothing";
        }
        return switch (token) {
            case START_OBJECT -> "an object";
            case START_ARRAY -> "an array";
            case END_OBJECT, END_ARRAY -> "the end of the list";
            case FIELD_NAME -> "a key";
            case VALUE_STRING -> "a string";
            case VALUE_NUMBER_INT -> "a whole number";
            case VALUE_NUMBER_FLOAT -> "a number with a fraction";
            case VALUE_TRUE, VALUE_FALSE -> "a truth value";
            case VALUE_NULL -> "null";
            default -> token.name();
        };
    }
}
