package io.github.bts4j.core.checkpoint;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.OptionalLong;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Every way in which a header can be wrong, with the message that says so. */
class HostileHeaderTest {

    @TempDir
    private Path folder;

    /** Opens a file of these bytes, which must fail; gives the message without the path. */
    private String refusal(byte[] bytes) {
        return refused(bytes).getMessage().substring(folder.resolve("x.safetensors").toString().length() + 2);
    }

    private ModelFormatException refused(byte[] bytes) {
        Path file = SafetensorsBytes.write(folder.resolve("x.safetensors"), bytes);
        ModelFormatException refused = assertThrows(ModelFormatException.class, () -> SafetensorsFile.open(file));
        assertEquals(file, refused.file());
        assertTrue(refused.getMessage().startsWith(file + ": "), refused.getMessage());
        return refused;
    }

    private String refusal(String header, int dataBytes) {
        return refusal(SafetensorsBytes.file(header, dataBytes));
    }

    @Test
    void aFileShorterThanTheLengthOfTheHeader() {
        assertEquals("the file has 0 bytes; a safetensors file has at least 8: is the download complete?",
                refusal(new byte[0]));
        assertEquals("the file has 7 bytes; a safetensors file has at least 8: is the download complete?",
                refusal(new byte[7]));
    }

    @ParameterizedTest
    @CsvSource({
        "3, 'byte 0: header length = 3 bytes, but only 2 follow; is the file cut short? Download it again'",
        "100000001, 'byte 0: header length = 100000001 bytes, above the limit of 100000000; "
                + "is this a safetensors file?'",
        "9223372036854775807, 'byte 0: header length = 9223372036854775807 bytes, above the limit of 100000000; "
                + "is this a safetensors file?'",
        "-1, 'byte 0: header length = 18446744073709551615 bytes, above the limit of 100000000; "
                + "is this a safetensors file?'",
        "0, 'byte 8: the header must start with ''{'', found an empty header; is this a safetensors file?'"
    })
    void aWrongHeaderLength(long length, String message) {
        assertEquals(message, refusal(ByteBuffer.allocate(10).order(ByteOrder.LITTLE_ENDIAN).putLong(length).array()));
    }

    @ParameterizedTest
    @ValueSource(strings = {"[]", " {}", "\"{}\"", "\uFEFF{}", "null"})
    void aHeaderThatIsNotAnObject(String header) {
        String first = String.format("0x%02x", header.getBytes(StandardCharsets.UTF_8)[0]);
        assertEquals("byte 8: the header must start with '{', found byte " + first + "; is this a safetensors file?",
                refusal(header, 0));
    }

    @Test
    void aHeaderThatIsNotUtf8() {
        byte[] overlong = "{\"__metadata__\":{\"aXX\":\"\"}}".getBytes(StandardCharsets.ISO_8859_1);
        overlong[19] = (byte) 0xc0;
        overlong[20] = (byte) 0x80;
        assertEquals("byte 27: JSON is not valid UTF-8; is the file damaged or of another format?",
                refusal(SafetensorsBytes.file(overlong, 0)));
        byte[] cut = {'{', '"', (byte) 0xe2, (byte) 0x82};
        assertEquals("byte 10: JSON is not valid UTF-8; is the file damaged or of another format?",
                refusal(SafetensorsBytes.file(cut, 0)));
    }

    @Test
    void aHeaderThatIsNotJson() {
        assertEquals("byte 9: not valid JSON: Unexpected character ('a' (code 97)): was expecting double-quote to start "
                + "field name; is the file damaged or of another format?", refusal("{a:1}", 0));
        assertEquals("byte 34: not valid JSON: Unexpected end-of-input: expected close marker for Object (begun in "
                + "line 1); is the file damaged or of another format?", refusal("{\"__metadata__\":{\"a\":\"b\"} ", 0));
        assertEquals("byte 11: found an object after the closing brace; only white space may follow",
                refusal("{} {}", 0));
    }

    /** The byte is the first after the second of the two keys. */
    @Test
    void duplicateKeys() {
        String tensor = SafetensorsBytes.vector("a", 0, 1);
        assertEquals("byte 64: not valid JSON: Duplicate field 'a'; is the file damaged or of another format?",
                refusal("{" + tensor + "," + tensor + "}", 1));
        assertEquals("tensor 'a', byte 34: not valid JSON: Duplicate field 'dtype'; is the file damaged or of another "
                + "format?", refusal("{\"a\":{\"dtype\":\"U8\",\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[0,1]}}", 1));
        assertEquals("byte 36: not valid JSON: Duplicate field 'k'; is the file damaged or of another format?",
                refusal("{\"__metadata__\":{\"k\":\"1\",\"k\":\"2\"}}", 0));
        assertEquals("byte 41: not valid JSON: Duplicate field '__metadata__'; is the file damaged or of another "
                + "format?", refusal("{\"__metadata__\":{},\"__metadata__\":{}}", 0));
    }

    @Test
    void metadataThatIsNotText() {
        assertEquals("byte 24: __metadata__ must be an object, found a string", refusal("{\"__metadata__\":\"pt\"}", 0));
        assertEquals("byte 24: __metadata__ must be an object, found null", refusal("{\"__metadata__\":null}", 0));
        assertEquals("byte 29: __metadata__ 'k' must be a string, found a whole number",
                refusal("{\"__metadata__\":{\"k\":1}}", 0));
        assertEquals("byte 29: __metadata__ 'k' must be a string, found an object",
                refusal("{\"__metadata__\":{\"k\":{}}}", 0));
    }

    @Test
    void namesThatAreNotUnicode() {
        assertEquals("byte 16: not valid JSON: Broken surrogate pair in field name: expected '\\' to start low surrogate, got 0x78; "
                + "is the file damaged or of another format?", refusal("{\"\\ud800x\":{}}", 0));
        assertEquals("byte 16: not valid JSON: Unexpected low surrogate in field name: 0xdc00; is the file damaged or of another format?",
                refusal("{\"\\udc00\":{}}", 0));
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '`', value = {
        "[]|byte 13: its entry must be an object, found an array",
        "{}|byte 9: the key 'dtype' is missing; an entry has dtype, shape and data_offsets",
        "{'dtype':'U8'}|byte 9: the key 'shape' is missing; an entry has dtype, shape and data_offsets",
        "{'dtype':'U8','shape':[1]}|byte 9: the key 'data_offsets' is missing; an entry has dtype, shape and data_offsets",
        "{'dtype':'U8','shape':[1],'data_offsets':[0,1],'x':0}"
                + "|byte 60: unknown key 'x'; an entry has dtype, shape and data_offsets",
        "{'dtype':8}|byte 22: dtype must be a string, found a whole number",
        "{'shape':1}|byte 22: shape must be an array, found a whole number",
        "{'shape':[true]}|byte 23: shape[0] must be a whole number, found a truth value",
        "{'shape':[1,[2]]}|byte 25: shape[1] must be a whole number, found an array",
        "{'shape':['1']}|byte 23: shape[0] must be a whole number, found a string",
        "{'shape':[1.0]}|byte 23: shape[0] must be a whole number, found a number with a fraction",
        "{'shape':[1e3]}|byte 23: shape[0] must be a whole number, found a number with a fraction",
        "{'shape':[-1]}|byte 23: shape[0] = -1 is negative",
        "{'shape':[9223372036854775808]}|byte 23: shape[0] = 9223372036854775808 is above 9223372036854775807",
        "{'data_offsets':[0]}|byte 9: the key 'dtype' is missing; an entry has dtype, shape and data_offsets",
        "{'dtype':'U8','shape':[1],'data_offsets':[0]}|byte 9: data_offsets = [0] must be two numbers, begin and end",
        "{'data_offsets':[0,1,2]}|byte 34: data_offsets has more than 2 numbers",
        "{'data_offsets':[-1,2]}|byte 30: data_offsets[0] = -1 is negative"
    })
    void anEntryOfTheWrongForm(String entry, String message) {
        assertEquals("tensor 'a', " + message, refusal("{\"a\":" + entry.replace('\'', '"') + "}", 1));
    }

    @Test
    void aTypeThatIsNotKnown() {
        String known = "known are BOOL, U8, I8, I16, U16, F16, BF16, I32, U32, F32, F64, I64, U64: convert the "
                + "checkpoint to one of them";
        for (String dtype : List.of("F8_E4M3", "f32", "", "VALUE")) {
            ModelFormatException refused = refused(SafetensorsBytes.file(
                    "{\"w\":{\"dtype\":\"" + dtype + "\",\"shape\":[1],\"data_offsets\":[0,1]}}", 1));
            assertTrue(refused.getMessage().endsWith(
                    ": tensor 'w', byte 9: dtype '" + dtype + "' is not supported; " + known), refused.getMessage());
            assertEquals("w", refused.tensor().orElseThrow());
            assertEquals(OptionalLong.of(9), refused.offset());
        }
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '`', value = {
        "F32|4611686018427387904|0,4|shape = [4611686018427387904] of F32 takes more than 9223372036854775807 bytes",
        "U8|4294967296,4294967296|0,4|shape = [4294967296, 4294967296] of U8 takes more than 9223372036854775807 bytes",
        "U8|0,4294967296,4294967296|0,0"
                + "|shape = [0, 4294967296, 4294967296] of U8 takes more than 9223372036854775807 bytes",
        "U8|4|4,0|data_offsets = [4, 0] are reversed",
        "U8|5|0,5|data_offsets = [0, 5] reach beyond the 4 bytes of data; is the file cut short? Download it again",
        "U8|4|4,8|data_offsets = [4, 8] reach beyond the 4 bytes of data; is the file cut short? Download it again",
        "U8|1|9223372036854775806,9223372036854775807|data_offsets = [9223372036854775806, 9223372036854775807] reach "
                + "beyond the 4 bytes of data; is the file cut short? Download it again",
        "F32|2|0,4|data_offsets = [0, 4] span 4 bytes, but F32 [2] takes 8",
        "U8|3|0,4|data_offsets = [0, 4] span 4 bytes, but U8 [3] takes 3"
    })
    void sizesThatDoNotFit(String dtype, String shape, String range, String message) {
        assertEquals("tensor 'w', byte 9: " + message, refusal("{\"w\":{\"dtype\":\"" + dtype + "\",\"shape\":[" + shape
                + "],\"data_offsets\":[" + range + "]}}", 4));
    }

    @Test
    void tensorsThatOverlapOrLeaveHoles() {
        String overlap = "{" + SafetensorsBytes.vector("a", 0, 4) + "," + SafetensorsBytes.vector("b", 2, 6) + "}";
        assertEquals("tensor 'b', byte " + (8 + overlap.length() + 2)
                + ": starts 2 bytes before the end of tensor 'a': the two overlap", refusal(overlap, 6));
        String byOne = "{" + SafetensorsBytes.vector("a", 0, 4) + "," + SafetensorsBytes.vector("b", 3, 6) + "}";
        assertEquals("tensor 'b', byte " + (8 + byOne.length() + 3)
                + ": starts 1 bytes before the end of tensor 'a': the two overlap", refusal(byOne, 6));
        String inside = "{" + SafetensorsBytes.vector("a", 0, 4) + "," + SafetensorsBytes.vector("empty", 2, 2) + "}";
        assertEquals("tensor 'empty', byte " + (8 + inside.length() + 2)
                + ": starts 2 bytes before the end of tensor 'a': the two overlap", refusal(inside, 4));
        String hole = "{" + SafetensorsBytes.vector("b", 6, 8) + "," + SafetensorsBytes.vector("a", 0, 4) + "}";
        assertEquals("tensor 'b', byte " + (8 + hole.length() + 6)
                + ": starts 2 bytes after the end of the tensor before it: holes are not allowed", refusal(hole, 8));
        String late = "{" + SafetensorsBytes.vector("a", 1, 4) + "}";
        assertEquals("tensor 'a', byte " + (8 + late.length() + 1)
                + ": starts 1 bytes after the end of the tensor before it: holes are not allowed", refusal(late, 4));
    }

    @Test
    void bytesAfterTheLastTensor() {
        String header = "{" + SafetensorsBytes.vector("a", 0, 4) + "}";
        assertEquals("byte " + (8 + header.length() + 4)
                + ": 3 bytes follow the last tensor; nothing may, is the file damaged?", refusal(header, 7));
        assertEquals("byte 10: 1 bytes follow the last tensor; nothing may, is the file damaged?", refusal("{}", 1));
    }

    @Test
    void deepNestingAndLongNumbers() {
        String message = refusal("{\"a\":".repeat(200_000), 0);
        assertEquals("tensor 'a', byte 14: unknown key 'a'; an entry has dtype, shape and data_offsets", message);
        assertEquals("tensor 'a', byte 13: its entry must be an object, found an array",
                refusal("{\"a\":" + "[".repeat(1_000_000), 0));
        String digits = refusal("{\"a\":{\"shape\":[" + "9".repeat(1_000_000) + "]}}", 0);
        assertTrue(digits.contains("exceeds the maximum allowed (40"), digits);
        assertEquals("tensor 'a', byte 151: shape has more than 64 numbers",
                refusal("{\"a\":{\"shape\":[" + "0,".repeat(100_000) + "0]}}", 0));
    }

    @Test
    void messagesEscapeAndShortenWhatTheFileSays() {
        assertEquals("tensor 'a\\u000a" + "b".repeat(118)
                + "...', byte 40015: its entry must be an object, found an array",
                refusal("{\"a\\n" + "b".repeat(40_000) + "\":[]}", 0));
        String name = refusal("{\"" + "b".repeat(1_000_000) + "\":[]}", 0);
        assertTrue(name.contains("Name length") && name.length() < 400, name);
    }

    @Test
    void offsetsCountBytesNotCharacters() {
        assertEquals("tensor 'ü€🧵', byte 21: its entry must be an object, found an array",
                refusal("{\"ü€🧵\":[]}", 0));
    }

    @Test
    void aHeaderOfManyTensorsIsReadInLinearTime() {
        StringBuilder header = new StringBuilder("{");
        for (int i = 0; i < 200_000; i++) {
            header.append(i == 0 ? "" : ",").append(SafetensorsBytes.vector("t" + i, i, i + 1));
        }
        Path file = SafetensorsBytes.write(folder.resolve("x"), SafetensorsBytes.file(header + "}", 200_000));
        assertEquals(200_000, SafetensorsFile.open(file).entries().size());
    }

    @Test
    void pathsThatAreNoFile() throws IOException {
        Path missing = folder.resolve("missing.safetensors");
        assertEquals(missing + ": the file does not exist; is the path right, and the download complete?",
                assertThrows(ModelFormatException.class, () -> SafetensorsFile.open(missing)).getMessage());
        assertEquals(folder + ": not a regular file; give the path of a .safetensors file",
                assertThrows(ModelFormatException.class, () -> SafetensorsFile.open(folder)).getMessage());
        Path empty = Files.createFile(folder.resolve("empty.safetensors"));
        assertThrows(ModelFormatException.class, () -> SafetensorsFile.open(empty));
    }
}
