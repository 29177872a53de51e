package io.github.bts4j.spark;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.bts4j.core.OutputException;
import io.github.bts4j.core.TrainingException;
import io.github.bts4j.core.generate.GenerationConfig;
import io.github.bts4j.core.text.TextModel;
import io.github.bts4j.core.tokenizer.LlamaTokenizer;
import io.github.bts4j.train.TinyRuns;
import io.github.bts4j.train.data.JsonLines;
import io.github.bts4j.train.data.TokenDataset;
import io.github.bts4j.train.data.TokenEncoder;
import io.github.bts4j.train.eval.BitsPerByte;
import io.github.bts4j.train.eval.DocumentWindows;
import io.github.bts4j.train.eval.TokenBytes;
import io.github.bts4j.train.eval.WindowScores;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.io.TempDir;

/** Texts of data frames, tokenised and scored by two tasks at once, as in one process. */
@TestInstance(TestInstance.Lifecycle.PER_CLASS) // a class with another session extends it
class SparkTextsTest {
    private static SparkSession spark;
    private static Path model;
    private static Path texts;
    private static List<String> documents;

    @TempDir
    private static Path folder;

    SparkSession session() {
        return Runs.session();
    }

    @BeforeAll
    void open() throws IOException {
        spark = session();
        model = TinyRuns.textModel(folder.resolve("model"), 3);
        documents = new ArrayList<>();
        List<String> lines = new ArrayList<>();
        for (int i = 0; i < 40; i++) {
            String text = i == 7 ? "" : "Document " + i + ": " + "the quick brown fox, été 東京 \uD83E\uDD8A. ".repeat(1 + i % 9);
            lines.add("{\"id\": " + i + ", \"text\": \"" + text + "\"}");
            if (!text.isEmpty()) {
                documents.add(text);
            }
        }
        texts = Files.write(folder.resolve("texts.jsonl"), lines);
    }

    @AfterAll
    void close() throws IOException {
        spark.close();
    }

    private static Dataset<Row> rows(int partitions) {
        Dataset<Row> rows = spark.read().json(texts.toString()).orderBy("id");
        return partitions == 0 ? rows : rows.repartitionByRange(partitions, rows.col("id")).sortWithinPartitions("id");
    }

    @Test
    void tokensAreThoseOfOneProcess() throws IOException {
        try (LlamaTokenizer tokenizer = LlamaTokenizer.open(model)) {
            TokenDataset here = TokenDataset.encode("tokens", new JsonLines(texts), TokenEncoder.of(tokenizer));
            TokenDataset there = SparkTokens.of(rows(3), "text", model.toString()).into(folder.resolve("tokens"));
            assertEquals(here.fingerprint(), there.fingerprint());
            assertEquals(39, there.documentCount());
            TokenDataset ended = SparkTokens.of(rows(1), "text", model.toString()).endingDocuments().into(folder.resolve("ended"));
            assertEquals(TokenDataset.encode("ended", new JsonLines(texts), TokenEncoder.of(tokenizer).endingWith(tokenizer.eosTokenId().getAsInt())).fingerprint(), ended.fingerprint());
            assertTrue(!ended.fingerprint().equals(there.fingerprint()));
        }
        try (Stream<Path> left = Files.list(folder)) {
            assertEquals(List.of(), left.filter(each -> each.getFileName().toString().startsWith(".")).toList());
        }
        assertTrue(assertThrows(OutputException.class, () -> SparkTokens.of(rows(1), "text", model.toString()).into(folder.resolve("tokens"))).getMessage().contains("exists"));
    }

    @Test
    void textsThatCannotBeTokenisedAreOneLine() {
        assertTrue(assertThrows(IllegalArgumentException.class, () -> SparkTokens.of(rows(1), "body", "x")).getMessage().contains("no column 'body', only [id, text]"));
        assertTrue(assertThrows(IllegalArgumentException.class, () -> SparkTokens.of(rows(1), "id", "x")).getMessage().contains("has the type bigint"));
        String missing = assertThrows(TrainingException.class, () -> SparkTokens.of(rows(1), "text", "/no/model").into(folder.resolve("none"))).getMessage();
        assertTrue(missing.startsWith("/no/model does not exist") && missing.lines().count() == 1, missing);
        assertTrue(assertThrows(IllegalArgumentException.class, () -> SparkTokens.of(rows(1).where("text = ''"), "text", model.toString()).into(folder.resolve("empty"))).getMessage().contains("no token"));
    }

    /** Any partitioning gives the same bits: those of each document alone, as the evaluation computes them. */
    @Test
    void bitsAreThoseOfOneProcess() throws IOException {
        List<Row> found = SparkScoring.bitsPerByte(rows(3), "text", model.toString()).orderBy("id").collectAsList();
        assertEquals(found, SparkScoring.bitsPerByte(rows(1), "text", model.toString()).orderBy("id").collectAsList());
        assertEquals(40, found.size());
        assertEquals(0.0, found.get(7).getDouble(2));
        try (TextModel text = TextModel.open(model)) {
            TokenDataset dataset = TokenDataset.encode("all", new JsonLines(texts), TokenEncoder.of(text.tokenizer()));
            WindowScores scores = new BitsPerByte(TokenBytes.of(text.tokenizer()), 1).byDocument(text.model(), DocumentWindows.of(dataset, 128, 64));
            int at = 0;
            for (Row row : found) {
                if (row.getLong(0) != 7) {
                    assertEquals(scores.nats()[at] / Math.log(2), row.getDouble(2));
                    assertEquals(documents.get(at++).getBytes(StandardCharsets.UTF_8).length, row.getLong(3));
                }
            }
            double all = SparkScoring.bitsPerByte(rows(2), "text", model.toString()).selectExpr("sum(bits) / sum(bytes)").first().getDouble(0);
            assertEquals(scores.bitsPerByte(), all, 1e-12 * all);
        }
        assertTrue(assertThrows(IllegalArgumentException.class, () -> SparkScoring.bitsPerByte(rows(1).selectExpr("text", "1 as bits"), "text", model.toString())).getMessage().contains("column 'bits' already"));
    }

    @Test
    void logProbabilitiesAndContinuationsAreThoseOfOneProcess() throws IOException {
        List<Integer> ids = List.of(0, 1, 2, 9, 10); // documents within the context
        Dataset<Row> some = rows(2).where("id in (0, 1, 2, 7, 9, 10)");
        List<Row> scored = SparkScoring.logProbs(some, "text", model.toString()).orderBy("id").collectAsList();
        List<Row> continued = SparkScoring.generate(some, "text", model.toString(), 5, 0, 1).orderBy("id").collectAsList();
        assertTrue(scored.get(3).isNullAt(2) && continued.get(3).isNullAt(2), "an empty text");
        try (TextModel text = TextModel.open(model)) {
            for (int i = 0; i < ids.size(); i++) {
                String document = documents.get(ids.get(i) > 7 ? ids.get(i) - 1 : ids.get(i));
                int row = i > 2 ? i + 1 : i;
                float[] expected = text.generator().logProbs(new int[][] {TokenEncoder.of(text.tokenizer()).encode(document)})[0];
                List<Float> found = scored.get(row).getList(2);
                assertEquals(expected.length, found.size());
                for (int t = 0; t < expected.length; t++) {
                    assertEquals(expected[t], found.get(t));
                }
                assertEquals(text.generate(document, GenerationConfig.greedy(5)).text(), continued.get(row).getString(2));
            }
        }
        List<Row> drawn = SparkScoring.generate(some, "text", model.toString(), 5, 1, 1).orderBy("id").collectAsList();
        assertEquals(drawn, SparkScoring.generate(rows(4).where("id in (0, 1, 2, 7, 9, 10)"), "text", model.toString(), 5, 1, 1).orderBy("id").collectAsList());
    }

    /** The context of 128 tokens is shorter than some documents: read in windows, each token scored once. */
    @Test
    void aTextBeyondTheContextIsReadInWindows() throws IOException {
        String text = "one two three four five six seven. ".repeat(60);
        Dataset<Row> one = spark.createDataset(List.of(text), org.apache.spark.sql.Encoders.STRING()).toDF("text");
        Row row = SparkScoring.bitsPerByte(one, "text", model.toString()).first();
        assertTrue(row.getDouble(1) > 0 && row.getLong(2) == text.length());
    }
}
