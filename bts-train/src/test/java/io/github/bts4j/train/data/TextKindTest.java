package io.github.bts4j.train.data;

import static io.github.bts4j.train.data.TestData.assertUnusable;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.bts4j.core.DataException;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Base64;
import java.util.List;
import java.util.zip.GZIPOutputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What a file holds is told by its content first: one text has one kind whatever its file is called. */
class TextKindTest {
    private static final String LINES = "{\"text\": \"one\"}\n{\"text\": \"two\"}\n";
    private static final String PROSE = "Some words.\nAnd others.\n";

    @TempDir
    Path folder;

    private Path write(String name, byte[] content) throws IOException {
        Path file = folder.resolve(name);
        Files.createDirectories(file.getParent());
        return Files.write(file, content);
    }

    private Path write(String name, String content) throws IOException {
        return write(name, content.getBytes(StandardCharsets.UTF_8));
    }

    private static byte[] gzip(String text) throws IOException {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        try (OutputStream out = new GZIPOutputStream(bytes)) {
            out.write(text.getBytes(StandardCharsets.UTF_8));
        }
        return bytes.toByteArray();
    }

    @ParameterizedTest
    @ValueSource(strings = {"a.jsonl", "a.JSONL", "a.json", "a.Json", "a.ndjson", "a.csv", "a.tsv", "a.txt", "a.md", "a.dat", "a", "a.log", "a.jsonl.backup"})
    void jsonLinesAreJsonLinesWhateverTheirName(String name) throws IOException {
        assertEquals(TextKind.JSON_LINES, TextKind.of(write(name, LINES)));
        assertEquals(TextKind.JSON_LINES, TextKind.of(write(name + ".gz", gzip(LINES))));
        assertEquals(TextKind.JSON_LINES, TextKind.of(write("packed/" + name, gzip(LINES))), "the first bytes tell that it is gzip, not the name");
        assertEquals(TextKind.JSON_LINES, TextKind.of(write("marked/" + name, "\uFEFF\r\n\n" + LINES.replace("\n", "\r\n"))));
        assertEquals(TextKind.JSON_LINES, TextKind.of(write("one/" + name, "{\"text\": \"alone, no line end\"}")));
        assertEquals(TextKind.JSON_LINES, TextKind.of(write("long/" + name, "{\"id\": [{}, 1], \"text\": \"" + "x\\n".repeat(100_000) + "\"}\n")));
        for (Path of : List.of(folder.resolve("one"), folder.resolve("packed"))) {
            assertEquals(TextKind.JSON_LINES, TextKind.of(of));
            try (var documents = new JsonLines(of).documents()) {
                assertTrue(documents.findFirst().isPresent());
            }
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"a.txt", "a.TXT", "a.md", "a.java", "a.txt.gz", "a.txt.GZ"})
    void plainTextIsNamedSo(String name) throws IOException {
        boolean packed = name.toLowerCase(java.util.Locale.ROOT).endsWith("gz");
        for (String text : List.of(PROSE, "{ a brace }\n" + PROSE, "{\"one\": 1}\n" + PROSE, "")) {
            assertEquals(TextKind.PLAIN_TEXT, TextKind.of(packed ? write(name, gzip(text)) : write(name, text)), text);
        }
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
            a.csv      | is a table: convert its text column to JSON lines or Parquet
            a.tsv.gz   | is a table: convert its text column to JSON lines or Parquet
            a.json     | contains JSON, but not one object per line
            a.foo      | the suffix .foo is not known, and the content is not JSON lines; name it .txt if it is plain text
            a          | has no suffix, and its content is not JSON lines; name it .txt if it is plain text
            a.bz2      | is packed (.bz2): unpack it first
            a.jsonl.XZ | is packed (.xz): unpack it first
            a.zip      | is packed (.zip): unpack it first
            a.tar.gz   | is packed (.tar): unpack it first
            """)
    void whatIsNeitherIsRefusedByName(String name, String message) throws IOException {
        Path file = name.endsWith(".gz") ? write(name, gzip("text,id\nwords,1\n")) : write(name, "text,id\nwords,1\n");
        assertUnusable(file.toString(), () -> TextKind.of(file));
        assertUnusable(message, () -> TextKind.of(file));
        assertUnusable(message, () -> TextKind.of(folder));
    }

    /** Opening a pipe waits for a writer, and a device may never end. */
    @Test
    @EnabledOnOs({OS.LINUX, OS.MAC})
    void pipesAndDevicesAreRefused() throws IOException, InterruptedException {
        Path pipe = folder.resolve("pipe.jsonl");
        assertEquals(0, new ProcessBuilder("mkfifo", pipe.toString()).start().waitFor());
        for (Path path : List.of(pipe, Path.of("/dev/zero"))) {
            assertUnusable("is a pipe or a device", () -> TextKind.of(path));
            assertUnusable("is a pipe or a device", () -> new JsonLines(path).documents().toList());
            assertUnusable("is a pipe or a device", () -> new PlainText(path).documents().toList());
        }
    }

    @Test
    void packedAndBinaryContentIsRefusedUnderAnyName() throws IOException {
        for (String name : List.of("a.txt", "a.jsonl", "a")) {
            assertUnusable("is packed (bzip2): unpack it first", () -> TextKind.of(write(name, "BZh91AY")));
            assertUnusable("is packed (xz)", () -> TextKind.of(write(name, new byte[] {(byte) 0xfd, '7', 'z', 'X', 'Z', 0, 1})));
            assertUnusable("is packed (zip)", () -> TextKind.of(write(name, "PK\3\4")));
            assertUnusable("it has a zero byte at offset 3", () -> TextKind.of(write(name, "abc\0def")));
            assertUnusable("is in UTF-16: convert it to UTF-8", () -> TextKind.of(write(name, "\uFEFFabc".getBytes(StandardCharsets.UTF_16LE))));
        }
        assertUnusable("is packed (tar)", () -> TextKind.of(write("a.txt", "\1".repeat(257) + "ustar\1" + "\1".repeat(100))));
        assertUnusable("compressed as a whole", () -> TextKind.of(write("a.parquet.gz", gzip("PAR1...."))));
    }

    @Test
    void foldersOfSeveralKindsTellWhatTheyLeaveOut() throws IOException {
        write("a.jsonl", LINES);
        write("b.json", LINES);
        write("sub/c.NDJSON", LINES);
        Path readme = write("README.md", PROSE);
        write(".git/config.jsonl", LINES);
        assertEquals(TextKind.JSON_LINES, TextKind.of(folder));
        assertEquals(List.of(readme), TextKind.JSON_LINES.leftOut(folder));
        try (var documents = new JsonLines(folder).documents()) {
            assertEquals(6, documents.count());
        }
        Path packed = write("d.jsonl.bz2", "BZh");
        assertUnusable("d.jsonl.bz2 is packed (.bz2): unpack it first", () -> TextKind.of(folder));
        assertUnusable("d.jsonl.bz2 is packed (.bz2): unpack it first", () -> new JsonLines(folder).documents());
        Files.delete(packed);
        write("e.parquet", "PAR1....PAR1");
        assertUnusable("3 of JSON lines (a.jsonl, ..) and 1 of Parquet (e.parquet): use a folder with one kind of file", () -> TextKind.of(folder));
        Path texts = write("texts/a.txt", PROSE).getParent();
        assertEquals(TextKind.PLAIN_TEXT, TextKind.of(texts));
        write("texts/b.weights", "words");
        assertUnusable("the suffix .weights is not known", () -> TextKind.of(texts));
        assertUnusable("contains no text files", () -> TextKind.of(Files.createDirectory(folder.resolve("none"))));
        assertUnusable("does not exist", () -> TextKind.of(folder.resolve("nowhere")));
    }

    @Test
    void damagedCompressionNamesFileAndPlace() throws IOException {
        Path text = write("a.jsonl.zst", LINES);
        damaged(text, "is named as a compressed file, but its content is not Zstandard");
        byte[] whole = gzip(LINES.repeat(50_000));
        damaged(write("b.jsonl.gz", java.util.Arrays.copyOf(whole, whole.length - 9)), "cannot be decompressed (gzip) after ");
        byte[] broken = whole.clone();
        broken[whole.length / 2] ^= 0x55;
        damaged(write("c.jsonl.gz", broken), "cannot be decompressed (gzip) after ");
        damaged(write("d.jsonl.gz", new byte[0]), "is named as a compressed file");
        // zstd --long=27 of a text of 20 MB from a pipe, its beginning: a window of 128 MiB
        damaged(write("e.jsonl.zst", Base64.getDecoder().decode("KLUv/QSI7AAAqHsidGV4dCI6ICJhYmNkZWZnaCJ9CgEA0f8xn0xMAAAIYgEA/P85EAJMAAAIIgEA/P85EAJMAAAIYwEA/P85EAJMAAAIdAEA/P85EAJMAAAI")), "with a window of at most 8 MiB");
    }

    private static void damaged(Path file, String message) {
        String found = assertThrows(DataException.class, () -> {
            try (var documents = new JsonLines(file).documents()) {
                documents.forEach(document -> { });
            }
        }).getMessage();
        assertTrue(found.contains(file.toString()) && found.contains(message), found);
    }

    @Test
    void aLineHasALimit() throws IOException {
        Path file = folder.resolve("long.jsonl");
        try (OutputStream out = Files.newOutputStream(file)) {
            out.write(LINES.getBytes(StandardCharsets.UTF_8));
            out.write("{\"text\": \"".getBytes(StandardCharsets.UTF_8));
            byte[] mebibyte = "x".repeat(1 << 20).getBytes(StandardCharsets.UTF_8);
            for (int i = 0; i < 65; i++) {
                out.write(mebibyte);
            }
            out.write("\"}\n".getBytes(StandardCharsets.UTF_8));
        }
        assertUnusable(file + ":3: the line is longer than 67108864 bytes (64 MiB), the limit", () -> {
            try (var documents = new JsonLines(file).documents()) {
                documents.forEach(document -> { });
            }
        });
    }
}
