package io.github.bts4j.core.support;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.bts4j.core.FileFormatException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class JsonReaderTest {
    @TempDir
    private Path folder;

    record Point(int x, List<String> names) {}

    private String refused(byte[] content) throws IOException {
        Path file = Files.write(folder.resolve("point.json"), content);
        FileFormatException refused = assertThrows(FileFormatException.class, () -> JsonReader.STRICT.record(file, Point.class, FileFormatException::of));
        assertEquals(file, refused.path());
        assertTrue(refused.getMessage().startsWith(file + ": ") && refused.getMessage().lines().count() == 1, refused.getMessage());
        return refused.getMessage().substring(file.toString().length() + 2);
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '`', value = {
        "{\"x\": 1, \"names\": []} | ",
        "{\"x\": 1, | is not valid JSON at line 1, column 9: Unexpected end-of-input",
        "{\"x\": 1, \"x\": 2} | Duplicate field 'x'",
        "{\"x\": 1, \"names\": []} 7 | Trailing token",
        "{\"x\": 1} | the key 'names' is missing",
        "{\"x\": null, \"names\": []} | x",
        "{\"x\": \"one\", \"names\": []} | 'one' is not a whole number",
        "{\"x\": 1, \"names\": {}} | a list is needed here",
        "{\"x\": 1, \"names\": [], \"y\": 2} | the key 'y' is not known; known are names, x",
        "null | expected a JSON object, found null"})
    void recordsAreReadStrictly(String json, String problem) throws IOException {
        if (problem == null) {
            Path file = Files.writeString(folder.resolve("point.json"), json);
            assertEquals(new Point(1, List.of()), JsonReader.STRICT.record(file, Point.class, FileFormatException::of));
            return;
        }
        String message = refused(json.getBytes(StandardCharsets.UTF_8));
        assertTrue(message.contains(problem), message);
    }

    @Test
    void bytesThatAreNotTextAreNamedAsSuch() throws IOException {
        String message = refused(new byte[] {(byte) 0xff, (byte) 0xfe, 0});
        assertTrue(message.startsWith("is not UTF-8 text at line 1, column 2: Invalid UTF-8 start byte 0xff"), message);
        assertTrue(refused(new byte[] {0, 0, (byte) 0xfe, (byte) 0xff, 1, 2, 3, 4}).startsWith("is not UTF-8 text: "));
        assertTrue(refused(new byte[(16 << 20) + 1]).startsWith("is 16777217 bytes long, at most 16777216 are read"));
    }

    @Test
    void aLineEndsInItsColumn() {
        String message = assertThrows(IllegalArgumentException.class, () -> JsonReader.STRICT.line("{\"a\": tru}")).getMessage();
        assertTrue(message.startsWith("not valid JSON: ") && message.endsWith("(column 7)"), message);
    }
}
