package io.github.bts4j.core.support;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.core.JacksonException;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Damaged JSON is described without the words of the library that reads it. */
class JsonProblemTest {
    private static final ObjectMapper STRICT = new ObjectMapper().enable(DeserializationFeature.FAIL_ON_MISSING_CREATOR_PROPERTIES,
            DeserializationFeature.FAIL_ON_NULL_CREATOR_PROPERTIES, DeserializationFeature.FAIL_ON_TRAILING_TOKENS);

    enum Colour { RED, GREEN }

    record Inner(int size, Colour colour) {
        Inner {
            if (size > 9) {
                throw new IllegalArgumentException("size = " + size + " is above 9");
            }
        }
    }

    record Outer(String name, List<Inner> parts) {}

    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '~', textBlock = """
            {"name": 3           | line 1, column 11: Unexpected end-of-input: expected close marker for Object (begun in line 1)
            {"name": "a", "parts": [], "x": 1} | line 1, column 34: the key 'x' is not known; known are name, parts
            {"name": "a"}         | line 1, column 13: the key 'parts' is missing
            {"name": null, "parts": []} | line 1, column 27: the key 'name' is null
            {"name": "a", "parts": 3} | line 1, column 24: parts: a list is needed here
            {"name": "a", "parts": [{"size": "x", "colour": "RED"}]} | line 1, column 34: parts[0].size: 'x' is not a whole number
            {"name": "a", "parts": [{"size": 1, "colour": "blue"}]} | line 1, column 47: parts[0].colour: 'blue' is not one of red, green
            {"name": "a", "parts": [{"size": 10, "colour": "RED"}]} | line 1, column 53: parts[0]: size = 10 is above 9
            {"name": "a", "parts": [{"colour": "RED"}]} | line 1, column 41: parts[0]: the key 'size' is missing
            3 | line 1, column 1: an object is needed here
            """)
    void failuresAreInTheWordsOfTheFile(String json, String expected) {
        JacksonException failure = assertThrows(JacksonException.class, () -> STRICT.readValue(json, Outer.class));
        assertEquals(expected, JsonProblem.of(failure));
        String line = JsonProblem.inLine(failure);
        assertTrue(expected.contains(": " + line.substring(0, line.lastIndexOf(" (column "))), line);
    }

    @Test
    void nothingOfTheLibraryIsLeftInAnyMessage() {
        String whole = "{\"name\": \"a\\u0041\", \"parts\": [{\"size\": 1.5e3, \"colour\": \"RED\"}, {\"size\": 2, \"colour\": \"GREEN\"}]}";
        for (int at = 0; at <= whole.length(); at++) {
            for (String with : List.of("", "x", "\"", "}", "]", "\\", "\u0001", "9".repeat(2000), "null", "[".repeat(2000), "'", "\n", "/*", "NaN")) {
                String json = whole.substring(0, at) + with + (with.isEmpty() ? "" : whole.substring(at));
                try {
                    STRICT.readValue(json, Outer.class);
                } catch (JacksonException e) {
                    String line = JsonProblem.of(e);
                    assertFalse(line.contains("REDACTED") || line.contains("Source:") || line.contains("bts4j") || line.contains("java.") || line.contains("jackson")
                            || line.contains("Feature") || line.contains("StreamRead") || line.contains("\n"), () -> json.length() > 300 ? line : json + "\n" + line);
                    assertTrue((line.startsWith("line ") || line.contains("exceeds the maximum")) && line.length() < 400, line);
                }
            }
        }
    }
}
