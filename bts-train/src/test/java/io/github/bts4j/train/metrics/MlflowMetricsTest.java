package io.github.bts4j.train.metrics;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The layout of mlflow.store.tracking.file_store: EXPERIMENT/meta.yaml, EXPERIMENT/RUN/meta.yaml, metrics/NAME with lines of time, value and step. */
class MlflowMetricsTest {
    @TempDir
    private Path store;

    private static StepMetrics step(long step, double loss) {
        return new StepMetrics(step, 4, loss, Map.of("code", loss), 1.5, 1e-3, 100 * step, 50, Map.of("gate entropy?", 0.25));
    }

    private MlflowMetrics open(long lastStep, long millis) {
        return MlflowMetrics.resume(store, "stitches", "it's a run", lastStep, () -> Instant.ofEpochMilli(millis));
    }

    @Test
    void aRunIsWrittenAndContinued() throws IOException {
        Path run;
        try (MlflowMetrics metrics = open(0, 1000)) {
            run = metrics.folder();
            metrics.onStep(step(1, 3.5));
            metrics.onStep(step(2, Double.NaN));
            metrics.onEvaluation(new EvaluationMetrics(2, 2.5, Map.of("code", 2.5), Map.of("code", 1.25), Map.of()));
            metrics.onStep(step(3, 9));
            assertTrue(Files.readString(run.resolve("meta.yaml")).contains("\nstatus: 1\n"));
        }
        assertEquals(List.of("1000 3.5 1", "1000 NaN 2", "1000 9.0 3"), Files.readAllLines(run.resolve("metrics/train/loss")));
        try (MlflowMetrics metrics = open(2, 2000)) { // resumed from the checkpoint of step 2
            metrics.onStep(step(3, 3));
            assertEquals(run, metrics.folder());
        }
        assertEquals(List.of("1000 3.5 1", "1000 NaN 2", "2000 3.0 3"), Files.readAllLines(run.resolve("metrics/train/loss")));
        assertEquals(List.of("1000 1.25 2"), Files.readAllLines(run.resolve("metrics/eval/bits_per_byte/code")));
        assertEquals(List.of("1000 0.25 1", "1000 0.25 2", "2000 0.25 3"), Files.readAllLines(run.resolve("metrics/train/gate entropy_")));
        assertEquals("it's a run", Files.readString(run.resolve("tags/mlflow.runName")));
        List<String> meta = Files.readAllLines(run.resolve("meta.yaml"));
        assertTrue(meta.containsAll(List.of("start_time: 1000", "end_time: 2000", "status: 3", "lifecycle_stage: active", "run_name: 'it''s a run'", "run_id: " + run.getFileName(), "run_uuid: " + run.getFileName(),
                "experiment_id: '" + run.getParent().getFileName() + "'")), meta.toString());
        assertTrue(run.getFileName().toString().matches("[0-9a-f]{32}") && run.getParent().getFileName().toString().matches("\\d+"));
        assertTrue(Files.readString(run.getParent().resolve("meta.yaml")).contains("\nname: 'stitches'\n"));
    }

    @Test
    void aDamagedFileIsNamed() throws IOException {
        try (MlflowMetrics metrics = open(0, 1)) {
            metrics.onStep(step(1, 1));
            Files.writeString(metrics.folder().resolve("metrics/train/loss"), "1 x\n");
        }
        assertTrue(assertThrows(IllegalArgumentException.class, () -> open(1, 2)).getMessage().contains("metrics/train/loss, line 1: '1 x' is not a time, a value and a step"));
    }
}
