package io.github.bts4j.train.data;

import static io.github.bts4j.train.data.TestData.assertRefused;
import static io.github.bts4j.train.data.TestData.assertUnusable;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.bts4j.core.DataException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Base64;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class TextSourceTest {

    @TempDir
    Path folder;

    private Path file(String name, String content) throws IOException {
        Path file = folder.resolve(name);
        Files.createDirectories(file.getParent());
        return Files.writeString(file, content);
    }

    private static List<String> texts(TextSource source) {
        try (Stream<Document> documents = source.documents()) {
            return documents.map(Document::text).toList();
        }
    }

    @Test
    void jsonLinesInOrderWithOrigins() throws IOException {
        Path file = file("a.jsonl", "\uFEFF{\"text\":\"one\"}\r\n\n{\"id\":7,\"text\":\"zwei \\u00e4 \\ud83d\\ude00\"}\n"
                + "{\"text\":\"\"}\n{\"text\":\"last, no line end\"}");
        try (Stream<Document> documents = TextSource.jsonLines(file).documents()) {
            assertEquals(List.of(new Document("one", file + ":1"), new Document("zwei ä \uD83D\uDE00", file + ":3"),
                    new Document("last, no line end", file + ":5")), documents.toList());
        }
        assertEquals(12, new Document("zwei ä \uD83D\uDE00", "").bytes());
    }

    @Test
    void linesLongerThanTheBufferAndAnotherField() throws IOException {
        String big = "x".repeat(200_000);
        Path file = file("a.jsonl", "{\"body\":\"" + big + "\"}\n{\"body\":\"" + big + "y\"}\n");
        assertEquals(List.of(big, big + "y"), texts(new JsonLines(file).withField("body")));
    }

    @Test
    void foldersAreReadInTheOrderOfPaths() throws IOException {
        file("b.jsonl", "{\"text\":\"b\"}\n");
        file("a/z.jsonl", "{\"text\":\"az\"}\n");
        file("notes.txt", "no json");
        assertEquals(List.of("az", "b"), texts(TextSource.jsonLines(folder)));
        Files.delete(folder.resolve("b.jsonl"));
        file(".hidden", "x");
        file("empty.txt", "");
        assertEquals(List.of("{\"text\":\"az\"}\n", "no json"), texts(TextSource.plainText(folder)));
    }

    @Test
    void plainFileIsOneDocumentByteForByte() throws IOException {
        Path file = file("a.txt", "\uFEFFone\r\n\r\ntwo\n");
        try (Stream<Document> documents = TextSource.plainText(file).documents()) {
            assertEquals(List.of(new Document("one\r\n\r\ntwo\n", file.toString())), documents.toList());
        }
    }

    @Test
    void documentsAreStreamed() throws IOException {
        Path file = file("a.jsonl", "{\"text\":\"good\"}\nbad\n");
        try (Stream<Document> documents = TextSource.jsonLines(file).documents()) {
            assertEquals("good", documents.iterator().next().text());
        }
        assertTrue(Files.deleteIfExists(file));
    }

    @Test
    void badLinesAreListedWithFileAndLine() throws IOException {
        Path file = file("a.jsonl", "{\"text\":\"fine\"}\n{\"text\":\n{\"title\":\"t\",\"id\":3}\n{\"text\":5}\n\"text\"\n"
                + "{\"text\":\"\\ud800!\"}\n{\"text\":\"a\"} {}\n{\"text\":\"a\",\"text\":\"b\"}\n");
        List<String> delivered = new ArrayList<>();
        String message = assertThrows(DataException.class, () -> {
            try (Stream<Document> documents = TextSource.jsonLines(file).documents()) {
                documents.forEach(document -> delivered.add(document.text()));
            }
        }).getMessage();
        assertEquals(List.of("fine"), delivered);
        for (String part : List.of("Text source " + file + " has bad lines, maxBadLines = 0:\n",
                "  " + file + ":2: not valid JSON: Unexpected end-of-input",
                "  " + file + ":3: no field 'text' (fields: title, id)",
                "  " + file + ":4: field 'text' is an integer, not a string",
                "  " + file + ":5: not a JSON object but a string",
                "  " + file + ":6: half a surrogate pair at character 0 of field 'text'",
                "  " + file + ":7: not valid JSON: Trailing token",
                "  " + file + ":8: not valid JSON: Duplicate field 'text'",
                "Fix these lines, use the right field, or raise maxBadLines.")) {
            assertTrue(message.contains(part), () -> "missing\n" + part + "\nin\n" + message);
        }
    }

    @Test
    void badLinesUpToTheLimitAreLeftOut() throws IOException {
        Path file = file("a.jsonl", "x\n{\"text\":\"one\"}\ny\n{\"text\":\"two\"}\n");
        assertEquals(List.of("one", "two"), texts(new JsonLines(file).withMaxBadLines(2)));
        assertUnusable("maxBadLines = 1", () -> texts(new JsonLines(file).withMaxBadLines(1)));
    }

    @Test
    void longListsOfBadLinesAreCut() throws IOException {
        Path file = file("a.jsonl", "x\n".repeat(100));
        assertUnusable("and 5 more", () -> texts(new JsonLines(file).withMaxBadLines(14)));
        String message = assertThrows(DataException.class,
                () -> texts(TextSource.jsonLines(file))).getMessage();
        assertTrue(message.contains(":10: "), message);
        assertFalse(message.contains(":11: "), message);
    }

    @Test
    void invalidUtf8IsRefusedByPlace() throws IOException {
        byte[] latin1 = "{\"text\":\"gr\u00fcn\"}\n".getBytes(StandardCharsets.ISO_8859_1);
        Path lines = Files.write(folder.resolve("a.jsonl"), latin1);
        assertUnusable(lines + ":1: invalid UTF-8 at byte 11", () -> texts(TextSource.jsonLines(lines)));
        Path text = Files.write(folder.resolve("a.txt"), latin1);
        assertUnusable("Text file " + text + " has invalid UTF-8 at byte 11: convert it to UTF-8",
                () -> texts(TextSource.plainText(text)));
        Path cut = Files.write(folder.resolve("cut.txt"), new byte[] {'a', (byte) 0xE2, (byte) 0x82});
        assertUnusable("invalid UTF-8 at byte 1", () -> texts(TextSource.plainText(cut)));
    }

    @Test
    void emptyCorporaAreRefused() throws IOException {
        Path lines = file("a.jsonl", "\n{\"text\":\"\"}\n");
        Path text = file("a.txt", "");
        Path none = Files.createDirectory(folder.resolve("none"));
        for (TextSource source : List.of(TextSource.jsonLines(lines), TextSource.plainText(text),
                TextSource.jsonLines(none), TextSource.plainText(none))) {
            assertUnusable("Text source " + source.path() + " has no documents", () -> texts(source));
        }
    }

    @Test
    void missingPathIsRefusedWhenOpened() {
        Path missing = folder.resolve("missing");
        assertUnusable("Text source " + missing + " does not exist", () -> TextSource.jsonLines(missing).documents());
        assertUnusable("Text source " + missing + " does not exist", () -> TextSource.plainText(missing).documents());
    }

    @Test
    void badConfigurationIsRefused() {
        assertRefused("field = ' ' must name the JSON field", () -> new JsonLines(folder).withField(" "));
        assertRefused("maxBadLines = -1 must not be negative", () -> new JsonLines(folder).withMaxBadLines(-1));
        assertRefused("Document a:1 has no text", () -> new Document("", "a:1"));
    }

    @Test
    void compressedFilesAreReadOnTheWay() throws IOException {
        // {"text":"one"}, {"text":"zwei ä"} in two members or frames, cut within the second line; made with Python's gzip and zstandard
        byte[] gzip = Base64.getDecoder().decode(
                "H4sIAAAAAAACA6tWKkmtKFGyUsrPS1Wq5aqGcgH5ZHzUFwAAAB+LCAAAAAAAAgNTqipPzVQ4vESplgsAGv5mbAsAAAA=");
        byte[] zstd = Base64.getDecoder().decode("KLUv/SAXuQAAeyJ0ZXh0Ijoib25lIn0KeyJ0ZXh0IjootS/9IAtZAAAiendlaSDDpCJ9Cg==");
        Files.write(folder.resolve("a.jsonl.gz"), gzip);
        Files.write(folder.resolve("b.jsonl.zst"), zstd);
        file("c.jsonl", "{\"text\":\"plain\"}");
        file("d.gz.txt", "not read");
        assertEquals(List.of("one", "zwei ä", "one", "zwei ä", "plain"), texts(TextSource.jsonLines(folder)));
        assertEquals(List.of("{\"text\":\"one\"}\n{\"text\":\"zwei ä\"}\n"), texts(TextSource.plainText(folder.resolve("b.jsonl.zst"))));

        for (Map.Entry<String, byte[]> file : Map.of("cut.jsonl.gz", gzip, "cut.jsonl.zst", zstd).entrySet()) {
            Path cut = folder.resolve("sub").resolve(file.getKey());
            Files.createDirectories(cut.getParent());
            Files.write(cut, Arrays.copyOf(file.getValue(), file.getValue().length - 3));
            String message = assertThrows(DataException.class, () -> texts(TextSource.jsonLines(cut))).getMessage();
            assertTrue(message.contains(cut.toString()), message);
        }
        Path plain = file("plain.jsonl.gz", "{\"text\":\"not compressed\"}");
        assertThrows(DataException.class, () -> texts(TextSource.jsonLines(plain)));
    }

    @Test
    void aLineMaySeparateDocuments() throws IOException {
        Path file = file("a.txt", "\uFEFFone\nstill one\n<|end|>\n<|end|>\r\ntwo\n\nwith an empty line\n<|end|>\n");
        Path other = file("b.txt", "three, no line end");
        PlainText source = new PlainText(folder).separatedBy("<|end|>");
        assertEquals(List.of("one\nstill one\n", "two\n\nwith an empty line\n", "three, no line end\n"), texts(source));
        try (Stream<Document> documents = source.documents()) {
            assertEquals(List.of(file + ":1", file + ":5", other + ":1"), documents.map(Document::origin).toList());
        }
        assertEquals(List.of("one\nstill one\n<|end|>\n<|end|>\r\ntwo\n", "with an empty line\n<|end|>\n"), texts(new PlainText(file).separatedBy("")));
        assertRefused("must be one line", () -> new PlainText(file).separatedBy("a\n"));
    }

    @Test
    void shufflingKeepsEveryDocumentAndItsWindow() throws IOException {
        int count = 1000;
        int window = 50;
        Path file = file("a.jsonl", IntStream.range(0, count).mapToObj(i -> "{\"text\":\"" + i + "\"}\n").collect(Collectors.joining()));
        List<String> plain = texts(TextSource.jsonLines(file));
        List<String> shuffled = texts(TextSource.jsonLines(file).shuffled(window, 7));
        assertEquals(new TreeSet<>(plain), new TreeSet<>(shuffled));
        assertEquals(count, shuffled.size());
        int moved = 0;
        for (int place = 0; place < count; place++) {
            int from = Integer.parseInt(shuffled.get(place));
            assertTrue(from - place < window, "document " + from + " came at place " + place);
            moved += from == place ? 0 : 1;
        }
        assertTrue(moved > count * 9 / 10, moved + " documents moved");
        assertEquals(shuffled, texts(TextSource.jsonLines(file).shuffled(window, 7)));
        assertNotEquals(shuffled, texts(TextSource.jsonLines(file).shuffled(window, 8)));
        assertRefused("window = 1", () -> TextSource.jsonLines(file).shuffled(1, 7));
    }

    @Test
    void identityFollowsContentNamesAndSettings() throws IOException {
        Path file = file("one/a.jsonl", "{\"text\":\"a\"}");
        String identity = TextSource.jsonLines(file.getParent()).identity();
        file("two/a.jsonl", "{\"text\":\"a\"}");
        assertEquals(identity, TextSource.jsonLines(folder.resolve("two")).identity());
        Set<String> others = new HashSet<>(List.of(identity, new JsonLines(file.getParent()).withField("body").identity(),
                TextSource.plainText(file.getParent()).identity(), new PlainText(file.getParent()).separatedBy("x").identity(),
                TextSource.jsonLines(file.getParent()).shuffled(2, 0).identity(), TextSource.jsonLines(file.getParent()).shuffled(2, 1).identity()));
        file("one/a.jsonl", "{\"text\":\"b\"}");
        others.add(TextSource.jsonLines(file.getParent()).identity());
        file("one/b.jsonl", "");
        others.add(TextSource.jsonLines(file.getParent()).identity());
        assertEquals(8, others.size());
    }
}
