package io.github.bts4j.examples.experiment;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.StreamSupport;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class PlanTest {
    private static final String METHODS = """
              soup: {kind: soup}
              BTM: {kind: btm}
              continued: {kind: continued, training: short, seeds: [0]}
              BTS: {kind: stitch, stitches: 2, alternating: true, dropout: 0, init: EXPERTS, models: [seed, code r2], training: short, seeds: [0, 7]}
              BTS without code: {kind: removed, of: BTS, expert: code r2}
              BTS trained on: {kind: retrained, of: BTS, training: short, seeds: [0]}
            """.stripTrailing();

    @TempDir
    private Path folder;

    private Path write() throws IOException {
        return TinyExperiment.write(folder, METHODS, "  r2: {kind: trained, rank: 2, alpha: 4, learning-rate: 1.0e-3}");
    }

    private static JsonNode line(Plan plan, String stage) {
        return StreamSupport.stream(plan.json().path("stages").spliterator(), false).filter(line -> line.path("stage").asText().equals(stage)).findFirst().orElseThrow();
    }

    @Test
    void everyStageIsMeasuredAndNothingIsMade() throws IOException {
        Plan plan = Experiment.read(write()).plan();
        List<String> stages = plan.json().findValuesAsText("stage");
        assertEquals(List.of("seed", "expert code", "expert math", "adapter code r2", "adapter math r2", "continued", "BTS", "BTS trained on", "BTS, random seed 7",
                "score seed", "score code", "score math", "score code r2", "score math r2"), stages.subList(0, 14));
        double sum = 0;
        for (JsonNode line : plan.json().path("stages")) {
            assertEquals(0, line.path("done").asDouble(), line.toString());
            assertTrue(line.path("tokens_per_second").asDouble() > 0, line.toString());
            assertEquals(line.path("tokens").asLong() / line.path("tokens_per_second").asDouble() / 60, line.path("minutes_left").asDouble(), 1e-12);
            sum += line.path("minutes_left").asDouble();
        }
        assertEquals(sum, plan.json().path("minutes_left").asDouble(), 1e-12);
        assertEquals(4 * 2 * 48, line(plan, "BTS").path("tokens").asLong());
        assertEquals(line(plan, "BTS").path("tokens_per_second"), line(plan, "BTS trained on").path("tokens_per_second"));
        assertEquals(line(plan, "score seed").path("tokens_per_second").asDouble() / 3, line(plan, "score BTM").path("tokens_per_second").asDouble(), 1e-9, "the ensemble runs three models");
        for (String made : List.of("plan", "models/seed", "methods", "results")) {
            assertFalse(Files.exists(folder.resolve("out").resolve(made)), made);
        }
    }

    @Test
    void stepsThatWereDoneTellTheSpeedOfTheRest() throws IOException {
        Path file = write();
        Path code = Files.createDirectories(folder.resolve("out/models/expert-code"));
        StringBuilder steps = new StringBuilder();
        for (int step = 1; step <= 3; step++) {
            steps.append("{\"kind\":\"step\",\"step\":%d,\"total_steps\":4,\"tokens_per_second\":%d}%n".formatted(step, List.of(10, 40, 20).get(step - 1)));
        }
        Files.writeString(code.resolve("metrics.jsonl"), steps + "{\"kind\":\"step\",\"st");
        Plan plan = Experiment.read(file).plan();
        assertEquals(0.75, line(plan, "expert code").path("done").asDouble());
        assertEquals(384 * 0.25 / 20 / 60, line(plan, "expert code").path("minutes_left").asDouble(), 1e-12);
        assertEquals(384 / 20.0 / 60, line(plan, "expert math").path("minutes_left").asDouble(), 1e-12);
        assertTrue(plan.text().contains("384   75 %         20           0.1\n"), plan.text());
    }

    @Test
    void whatIsDoneTakesNoTime() throws IOException {
        Path file = write();
        Files.writeString(file, Files.readString(file).replaceAll("(?s)  BTS trained on:.*?\n", "").replaceAll("(?s)  BTS without code:.*?\n", ""));
        assertTrue(Experiment.read(file).run());
        Plan plan = Experiment.read(file).plan();
        assertEquals(0, plan.json().path("minutes_left").asDouble());
        assertTrue(plan.text().contains("18 of 18 stages are done; about 0 minutes"), plan.text());
    }
}
