package io.github.bts4j.train.metrics;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What listeners leave in their files and on the screen, also after a resume. */
class MetricsTest {
    @TempDir
    private Path folder;

    private static StepMetrics step(long step, double loss) {
        return new StepMetrics(step, 100, loss, Map.of("code", loss + 1), 0.5, 1e-3, step * 512, 2000, Map.of());
    }

    @Test
    void csvHoldsOneRowPerStepAndResumesWithoutDoubles() throws IOException {
        Path file = folder.resolve("metrics.csv");
        try (CsvMetrics csv = CsvMetrics.create(file, List.of("code", "math"), List.of())) {
            for (int i = 1; i <= 5; i++) {
                csv.onStep(step(i, i));
            }
        }
        Files.writeString(file, "6,100,6.", StandardOpenOption.APPEND); // a killed run leaves a torn row
        try (CsvMetrics csv = CsvMetrics.resume(file, List.of("code", "math"), List.of(), 3)) {
            csv.onStep(step(4, 40));
        }
        List<String> rows = Files.readAllLines(file);
        assertEquals("step,total_steps,loss,grad_norm,learning_rate,tokens_seen,tokens_per_second,loss/code,loss/math", rows.get(0));
        assertEquals(5, rows.size());
        assertEquals("3,100,3.0,0.5,0.001,1536,2000.0,4.0,", rows.get(3));
        assertEquals("4,100,40.0,0.5,0.001,2048,2000.0,41.0,", rows.get(4));
    }

    @Test
    void anExistingFileIsNotOverwritten() {
        Path file = folder.resolve("metrics.csv");
        CsvMetrics.create(file, List.of(), List.of()).close();
        String message = assertThrows(IllegalArgumentException.class, () -> CsvMetrics.create(file, List.of(), List.of())).getMessage();
        assertTrue(message.contains(file.toString()) && message.contains("resume"), message);
    }

    @Test
    void jsonLinesAreObjectsAndResumeWithoutDoubles() throws IOException {
        Path file = folder.resolve("metrics.jsonl");
        try (JsonLinesMetrics json = JsonLinesMetrics.create(file)) {
            json.onStep(step(1, 2.5));
            json.onStep(step(2, 2.25));
        }
        try (JsonLinesMetrics json = JsonLinesMetrics.resume(file, 1)) {
            json.onStep(step(2, 9));
        }
        List<String> lines = Files.readAllLines(file);
        assertEquals(2, lines.size());
        JsonNode last = new ObjectMapper().readTree(lines.get(1));
        assertEquals(2, last.get("step").asLong());
        assertEquals(9, last.get("loss").asDouble());
    }

    @Test
    void theReaderOfThisTestReadsTorchsEventFile() throws IOException {
        EventFile golden = new EventFile(MetricsTest.class.getResourceAsStream("torch.tfevents").readAllBytes());
        assertEquals(Map.of("train/loss", Map.of(1L, 2.5f, 2L, 2.25f, 3L, 2.0f)), golden.scalars());
    }

    @Test
    void histogramsAreTorchsInTensorBoardAndWholeInJson() throws IOException {
        EventFile golden = new EventFile(MetricsTest.class.getResourceAsStream("torch.tfevents").readAllBytes());
        assertEquals(Set.of("train/update@3"), golden.histograms().keySet());
        HistogramMetrics update = new HistogramMetrics(3, "update", -1, 1, new double[] {1, 0, 3, 2});
        Path file = folder.resolve("metrics.jsonl");
        try (MetricsListener both = MetricsListener.all(TensorBoardWriter.create(folder.resolve("board")), JsonLinesMetrics.create(file))) {
            both.onHistogram(update);
        }
        try (Stream<Path> files = Files.list(folder.resolve("board"))) {
            assertEquals(golden.histograms(), new EventFile(Files.readAllBytes(files.findFirst().orElseThrow())).histograms());
        }
        assertEquals(new ObjectMapper().readTree(
                "{\"kind\":\"histogram\",\"step\":3,\"name\":\"update\",\"low\":-1.0,\"high\":1.0,\"counts\":[1.0,0.0,3.0,2.0]}"),
                new ObjectMapper().readTree(Files.readString(file)));
        assertThrows(IllegalArgumentException.class, () -> new HistogramMetrics(1, "x", 1, 1, new double[1]));
    }

    @Test
    void tensorsHaveASectionInTensorBoardAndALineInJson() throws IOException {
        TensorMetrics tensors = new TensorMetrics(5, Map.of("stitch.1.gate.weight", Map.of("saturation", 0.25), "norm.weight", Map.of("saturation", 0.5)));
        Path file = folder.resolve("metrics.jsonl");
        try (MetricsListener both = MetricsListener.all(TensorBoardWriter.create(folder.resolve("board")), JsonLinesMetrics.create(file))) {
            both.onTensors(tensors);
        }
        try (Stream<Path> files = Files.list(folder.resolve("board"))) {
            assertEquals(Map.of("tensors/stitch.1.gate.weight/saturation", Map.of(5L, 0.25f), "tensors/norm.weight/saturation", Map.of(5L, 0.5f)),
                    new EventFile(Files.readAllBytes(files.findFirst().orElseThrow())).scalars());
        }
        assertEquals(new ObjectMapper().readTree("{\"kind\":\"tensors\",\"step\":5,\"tensors\":{\"stitch.1.gate.weight\":{\"saturation\":0.25},"
                + "\"norm.weight\":{\"saturation\":0.5}}}"), new ObjectMapper().readTree(Files.readString(file)));
    }

    @Test
    void tensorBoardFilesHoldEveryScalar() throws IOException {
        try (TensorBoardWriter writer = TensorBoardWriter.create(folder)) {
            writer.onStep(step(1, 2.5));
            writer.onStep(step(2, 2.25));
        }
        try (Stream<Path> files = Files.list(folder)) {
            EventFile found = new EventFile(Files.readAllBytes(files.findFirst().orElseThrow()));
            assertEquals(Map.of(1L, 2.5f, 2L, 2.25f), found.scalars().get("train/loss"));
            assertEquals(Map.of(1L, 3.5f, 2L, 3.25f), found.scalars().get("train/loss/code"));
            assertEquals(1 + 2, found.records(), "a version record and one record per step");
        }
    }

    @Test
    void theProgressBarTellsSpeedAndTimeLeft() {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        long[] seconds = {0};
        ProgressBar bar = new ProgressBar(new PrintStream(out, true, StandardCharsets.UTF_8), false, () -> Instant.ofEpochSecond(seconds[0]));
        for (int i = 1; i <= 50; i++) {
            bar.onStep(step(i, 3));
            seconds[0] += 2;
        }
        bar.close();
        List<String> lines = out.toString(StandardCharsets.UTF_8).lines().toList();
        assertTrue(lines.size() >= 10 && lines.size() <= 12, lines.size() + " lines in 100 seconds: about one in ten seconds");
        String last = lines.get(lines.size() - 1);
        assertTrue(last.matches("step 4\\d/100 4\\d\\.0% loss 3\\.0000 2\\.0k tok/s ETA 1m\\d\\ds"), last);
    }

    /** A terminal of 80 columns: what is wider would be wrapped, and not be drawn anew. */
    @Test
    void theProgressBarFitsATerminal() {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        ProgressBar bar = new ProgressBar(new PrintStream(out, true, StandardCharsets.UTF_8), true, () -> Instant.EPOCH);
        bar.onStep(step(1, 3));
        bar.onStep(new StepMetrics(123_456, 123_456, 12.3456, Map.of(), 1, 1e-3, 9, 12_345, Map.of()));
        bar.close();
        List<String> drawn = List.of(out.toString(StandardCharsets.UTF_8).split("\r"));
        assertTrue(drawn.size() == 3 && drawn.get(1).contains("[") && drawn.get(2).contains("###] 100.0%"), drawn.toString());
        drawn.forEach(line -> assertTrue(line.stripTrailing().length() < 80, line));
    }

    @Test
    void aResumedTensorBoardFileSortsLastThoughTheClockWentBack(@TempDir Path runs) throws IOException {
        List<String> names = new ArrayList<>();
        for (long second : new long[] {2_000_000_000L, 1_900_000_000L, 1_800_000_000L, 2_000_000_001L, 5}) {
            try (TensorBoardWriter writer = TensorBoardWriter.resume(runs, 1, () -> Instant.ofEpochSecond(second))) {
                names.add(writer.file().getFileName().toString());
            }
        }
        Files.createFile(runs.resolve("events.out.tfevents.2000000009.zhost"));
        try (TensorBoardWriter writer = TensorBoardWriter.resume(runs, 1, () -> Instant.ofEpochSecond(7))) {
            names.add("events.out.tfevents.2000000009.zhost");
            names.add(writer.file().getFileName().toString());
        }
        assertEquals(names.stream().sorted().toList(), names);
        assertEquals(7, names.stream().distinct().count());
    }
}
