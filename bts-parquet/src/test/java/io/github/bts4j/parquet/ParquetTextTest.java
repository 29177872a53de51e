package io.github.bts4j.parquet;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.bts4j.core.DataException;
import io.github.bts4j.train.data.Document;
import io.github.bts4j.train.data.TextSource;
import io.github.bts4j.train.data.TokenDataset;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Files written by pyarrow (src-test-data/tools/parquet_golden.py): 100 rows in groups of 30, the second text null and the third empty. */
class ParquetTextTest {
    @TempDir
    Path folder;

    private Path file(String name) throws IOException {
        try (InputStream in = ParquetTextTest.class.getResourceAsStream(name)) {
            Path file = folder.resolve(name);
            Files.copy(in, file);
            return file;
        }
    }

    private static List<String> texts(TextSource source) {
        try (Stream<Document> documents = source.documents()) {
            return documents.map(Document::text).toList();
        }
    }

    private static List<String> expected() {
        List<String> texts = new ArrayList<>(List.of("one", "zwei ä \uD83D\uDE00", "line\nbreak"));
        IntStream.range(0, 95).forEach(i -> texts.add("document " + i + " " + "word ".repeat(i % 5)));
        return texts;
    }

    @ParameterizedTest
    @ValueSource(strings = {"none", "snappy", "gzip", "zstd"})
    void everyCompression(String codec) throws IOException {
        Path file = file(codec + ".parquet");
        assertEquals(expected(), texts(new ParquetText(file)));
        try (Stream<Document> documents = new ParquetText(file).documents()) {
            List<String> origins = documents.map(Document::origin).toList();
            assertEquals(List.of(file + ":1", file + ":4", file + ":5"), origins.subList(0, 3));
            assertEquals(file + ":100", origins.get(97));
        }
    }

    @Test
    void foldersColumnsAndDatasets() throws IOException {
        Path file = file("zstd.parquet");
        file("gzip.parquet");
        assertEquals(196, texts(new ParquetText(folder)).size());
        assertEquals(IntStream.range(0, 100).mapToObj(i -> "b" + i).toList(), texts(new ParquetText(file, "body")));
        TokenDataset dataset = TokenDataset.encode("d", new ParquetText(file), text -> text.codePoints().toArray());
        assertEquals(98, dataset.documentCount());
        assertEquals("one".codePointCount(0, 3), dataset.document(0).length);
        assertEquals(new ParquetText(file).identity(), new ParquetText(file).identity());
        assertNotEquals(new ParquetText(file).identity(), new ParquetText(file, "body").identity());
    }

    @Test
    void whatCannotBeUsedIsNamed() throws IOException {
        Path file = file("snappy.parquet");
        refused("has no column 'txt' (columns: id, text, body, tags)", new ParquetText(file, "txt"));
        refused("not a column of strings", new ParquetText(file, "id"));
        refused("not a column of strings", new ParquetText(file, "tags"));
        refused("is not UTF-8 at row 2", new ParquetText(file("no-utf8.parquet")));
        assertThrows(IllegalArgumentException.class, () -> new ParquetText(file, " "));
        Path cut = folder.resolve("cut.parquet");
        Files.write(cut, Arrays.copyOf(Files.readAllBytes(file), 2000));
        damaged(cut);
        byte[] bytes = Files.readAllBytes(file);
        Arrays.fill(bytes, 100, 1500, (byte) 0x5A);
        Path broken = Files.write(folder.resolve("broken.parquet"), bytes);
        damaged(broken);
        damaged(Files.writeString(folder.resolve("text.parquet"), "no parquet at all, but longer than a footer"));
    }

    /** Seeded damage of every file: a document more or less, or a message that names the file; the full count with -Dbts4j.mutations=20000. */
    @ParameterizedTest
    @ValueSource(strings = {"none", "snappy", "gzip", "zstd"})
    void anyDamageIsAMessageThatNamesTheFile(String codec) throws IOException {
        byte[] whole = Files.readAllBytes(file(codec + ".parquet"));
        Path damaged = folder.resolve("damaged.parquet");
        int mutations = Integer.getInteger("bts4j.mutations", 400);
        int told = 0;
        for (int seed = 0; seed < mutations; seed++) {
            SplittableRandom random = new SplittableRandom(seed);
            byte[] bytes = random.nextInt(4) == 0 ? Arrays.copyOf(whole, random.nextInt(whole.length)) : whole.clone();
            for (int i = random.nextInt(1, 9); i > 0 && bytes.length > 0; i--) {
                int at = random.nextBoolean() ? random.nextInt(bytes.length) : Math.max(0, bytes.length - 1 - random.nextInt(800)); // half of them in the footer
                bytes[at] = (byte) random.nextInt();
            }
            Files.write(damaged, bytes);
            try {
                texts(new ParquetText(damaged));
            } catch (DataException e) {
                String message = e.getMessage();
                assertTrue(message.contains(damaged.toString()), "seed " + seed + ": " + message);
                told++;
            } catch (Throwable e) {
                throw new AssertionError("seed " + seed + " of " + codec + ": " + e, e);
            }
        }
        assertTrue(told > mutations / 4, told + " of " + mutations);
    }

    private static void refused(String message, TextSource source) {
        String found = assertThrows(DataException.class, () -> texts(source)).getMessage();
        assertTrue(found.contains(message), found);
    }

    private static void damaged(Path file) {
        String found = assertThrows(DataException.class, () -> texts(new ParquetText(file))).getMessage();
        assertTrue(found.contains(file.toString()), found);
    }
}
