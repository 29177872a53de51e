package io.github.bts4j.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.dataformat.yaml.YAMLMapper;
import io.github.bts4j.core.torch.llama.LoadOptions;
import io.github.bts4j.stitch.StitchCheckpoint;
import io.github.bts4j.stitch.StitchConfig;
import io.github.bts4j.stitch.StitchedModel;
import io.opentelemetry.api.GlobalOpenTelemetry;
import io.opentelemetry.api.common.AttributeKey;
import io.opentelemetry.sdk.OpenTelemetrySdk;
import io.opentelemetry.sdk.metrics.SdkMeterProvider;
import io.opentelemetry.sdk.testing.exporter.InMemoryMetricReader;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Cards of models, and lists of runs. */
class RecordsTest {
    @TempDir
    private static Path folder;

    @BeforeAll
    static void prepare() throws IOException {
        DocumentedFiles.write(folder);
    }

    /** The metadata's keys are those of the Hub (huggingface_hub.ModelCardData, and the model-index of its documentation). */
    @Test
    void aCardHasTheMetadataOfTheHub() throws IOException {
        Path scores = folder.resolve("scores.json");
        Files.writeString(scores, Commands.done("eval", folder.resolve("stitched"), "--data", "code=" + folder.resolve("code.jsonl"), "--sequence", 64, "--json").out());
        Path card = folder.resolve("card/README.md");
        Commands.done("card", folder.resolve("stitched"), "--out", card, "--license", "apache-2.0", "--language", "en", "--base", "hub=owner/seed", "--base", "code=owner/code", "--dataset", "owner/data",
                "--scores", scores);
        String[] parts = Files.readString(card).split("(?m)^---\n", 3);
        JsonNode data = YAMLMapper.builder().build().readTree(parts[1]);
        assertEquals("apache-2.0", data.path("license").asText());
        assertEquals("[\"owner/seed\",\"owner/code\"]", data.path("base_model").toString());
        assertEquals("merge", data.path("base_model_relation").asText());
        assertEquals("[\"owner/data\"]", data.path("datasets").toString());
        assertEquals("text-generation", data.path("pipeline_tag").asText());
        JsonNode result = data.at("/model-index/0/results/0");
        assertEquals("code", result.at("/dataset/name").asText());
        assertEquals(new com.fasterxml.jackson.databind.ObjectMapper().readTree(Files.readString(scores)).at("/domains/code/bits_per_byte").asDouble(), result.at("/metrics/0/value").asDouble());
        String hash = StitchCheckpoint.describe(folder.resolve("stitched")).models().get(1).files().get("model.safetensors");
        assertTrue(parts[2].contains("| code | [owner/code](https://huggingface.co/owner/code) | `" + hash + "` |"), parts[2]);
        Commands.refused("--out " + card + " exists", "card", folder.resolve("stitched"), "--out", card);
        Commands.refused("--name 'two lines' is empty, or has a line break", "card", folder.resolve("stitched"), "--out", card, "--force", "--name", "two\nlines");
        Commands.refused("there is no model 'law', only [hub, code, math]", "card", folder.resolve("stitched"), "--out", card, "--force", "--base", "law=a/b");
        Commands.refused("is not a result of bts eval --json", "card", folder.resolve("stitched"), "--out", card, "--force", "--scores", folder.resolve("stitched/stitch.json"));
    }

    @Test
    void anIntervalThatIsNotWholeIsLeftOut() throws IOException {
        Path scores = folder.resolve("half.json");
        Files.writeString(scores, "{\"domains\": {\"code\": {\"bits_per_byte\": 2.5, \"low\": 2.4}}}");
        Path card = folder.resolve("half.md");
        Commands.done("card", folder.resolve("stitched"), "--out", card, "--scores", scores);
        assertTrue(Files.readString(card).contains("| code | 2.5000 |  | 0 |"), Files.readString(card));
    }

    @Test
    void anotherGateDropoutIsSaidWhenStitchesAreCombined() throws IOException {
        for (String[] part : new String[][] {{"law", "0.5"}, {"code", "0.25"}}) {
            try (StitchedModel model = StitchedModel.builder().hub(folder.resolve("seed")).expert(part[0], folder.resolve("expert-" + part[0]))
                    .config(StitchConfig.evenly(4, 2).withDropout(Double.parseDouble(part[1]))).options(LoadOptions.defaults()).open()) {
                StitchCheckpoint.save(model, folder.resolve("site-" + part[0]));
            }
        }
        Commands.Result combined = Commands.done("combine", folder.resolve("site-law"), folder.resolve("site-code"), "--out", folder.resolve("both"));
        assertTrue(combined.err().contains("site-code was trained with gate dropout 0.25, "), combined.err());
        assertTrue(combined.err().contains("site-law with 0.5, which the combined model has"), combined.err());
        assertEquals(0.5, StitchCheckpoint.describe(folder.resolve("both")).dropout());
    }

    @Test
    void modelsInTheCacheOfTheHubAreKnown() throws IOException {
        Path snapshot = folder.resolve("hub/models--owner--cached/snapshots/" + "5".repeat(40));
        DocumentedFiles.copy(folder.resolve("expert-law"), snapshot);
        try (StitchedModel model = StitchedModel.builder().hub(folder.resolve("seed")).expert("law", snapshot).config(StitchConfig.evenly(4, 2)).options(LoadOptions.defaults()).open()) {
            StitchCheckpoint.save(model, folder.resolve("with-cached"));
        }
        Path card = folder.resolve("cached.md");
        Commands.done("card", folder.resolve("with-cached"), "--out", card);
        assertTrue(Files.readString(card).contains("base_model:\n- \"owner/cached\"\n"), Files.readString(card));
    }

    @Test
    void openTelemetryCollectsARun() {
        Object[] train = {"train", folder.resolve("seed"), "--data", "code=" + folder.resolve("code.jsonl"), "--steps", 2, "--sequence", 16, "--batch", 2, "--out", folder.resolve("telemetry"), "--opentelemetry"};
        Commands.refused("no OpenTelemetry runs in this process", train);
        InMemoryMetricReader reader = InMemoryMetricReader.create();
        try (SdkMeterProvider provider = SdkMeterProvider.builder().registerMetricReader(reader).build()) {
            GlobalOpenTelemetry.resetForTest();
            GlobalOpenTelemetry.set(OpenTelemetrySdk.builder().setMeterProvider(provider).build());
            Commands.done(train);
            var step = reader.collectAllMetrics().stream().filter(metric -> metric.getName().equals("bts4j.train.step")).findFirst().orElseThrow();
            var point = step.getDoubleGaugeData().getPoints().iterator().next();
            assertEquals(2, point.getValue());
            assertEquals("telemetry-run", point.getAttributes().get(AttributeKey.stringKey("bts4j.run")));
        } finally {
            GlobalOpenTelemetry.resetForTest();
        }
    }

    /** A damaged run does not hide the others; alone it is an error. */
    private static void unreadableRunsAreListed(Path runs) throws IOException {
        Path damaged = Files.createDirectories(runs.resolve("damaged-run")).resolve("metrics.jsonl");
        Files.writeString(damaged, "{\"kind\": \"step\"}\nnot JSON\n{\"kind\": \"step\"}\n");
        Path binary = Files.createDirectories(runs.resolve("binary-run")).resolve("metrics.jsonl");
        Files.write(binary, new byte[] {(byte) 0xff, (byte) 0xfe, '\n', '\n'});
        List<String> table = Commands.done("runs", runs).out().lines().toList();
        assertTrue(table.stream().anyMatch(row -> row.startsWith("expert-run") && row.contains("2 of 2")), table.toString());
        assertTrue(table.stream().anyMatch(row -> row.matches("damaged-run +unreadable   .*metrics.jsonl: line 2 is .*")), table.toString());
        assertTrue(table.stream().anyMatch(row -> row.matches("binary-run +unreadable   .*metrics.jsonl: is not UTF-8.*")), table.toString());
        JsonNode all = Commands.done("runs", runs, "--json").json();
        assertTrue(all.size() == 3 && all.get(2).get("error").asText().contains("line 2"), all.toString());
        Commands.refused("line 2 is", "runs", damaged.getParent());
    }

    @Test
    void runsAreListed() throws IOException {
        Path runs = folder.resolve("runs");
        Path store = folder.resolve("mlruns");
        Commands.done("train", folder.resolve("seed"), "--data", "code=" + folder.resolve("code.jsonl"), "--steps", 2, "--sequence", 16, "--batch", 2, "--hold-out", 10, "--validate-every", 1, "--out",
                runs.resolve("expert"), "--mlflow", store);
        JsonNode run = Commands.done("runs", runs, "--json").json().get(0);
        assertEquals(2, run.at("/last/step").asInt());
        List<String> rows = Files.readAllLines(runs.resolve("expert-run/metrics.jsonl"));
        assertTrue(rows.stream().anyMatch(row -> row.contains("\"loss\":" + run.at("/best_validation/loss"))), rows.toString());
        String table = Commands.done("runs", runs).out();
        assertTrue(table.contains("expert-run") && table.contains("2 of 2"), table);
        Files.writeString(runs.resolve("expert-run/metrics.jsonl"), "{\"kind\": \"st", java.nio.file.StandardOpenOption.APPEND); // being written
        Commands.done("runs", runs);
        unreadableRunsAreListed(runs);
        Commands.refused("holds no runs", "runs", folder.resolve("seed"));
        Commands.refused("does not exist", "runs", folder.resolve("nowhere"));
        try (var files = Files.walk(store)) {
            Path loss = files.filter(file -> file.endsWith("metrics/train/loss")).findFirst().orElseThrow();
            assertEquals(2, Files.readAllLines(loss).size());
        }
    }
}
