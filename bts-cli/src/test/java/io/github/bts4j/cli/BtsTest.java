package io.github.bts4j.cli;

import static io.github.bts4j.cli.Commands.bts;
import static io.github.bts4j.cli.Commands.done;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.github.bts4j.core.llama.LlamaConfig;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

/** The command line on a tiny seed with the bundled tokenizer and texts. */
class BtsTest {
    @TempDir
    private static Path folder;

    private static Path seed;
    private static Path code;
    private static Path text;

    @BeforeAll
    static void prepare() throws IOException {
        seed = Commands.seed(folder.resolve("seed"));
        code = Commands.corpus("code", folder);
        text = Commands.corpus("english", folder);
    }

    /** From a seed to an evaluated, changed and inspected stitched model. */
    @Test
    void theWholeWay() throws IOException {
        Path expert = folder.resolve("expert");
        done("train", seed, "--data", "code=" + code, "--steps", 6, "--sequence", 32, "--batch", 2, "--out", expert, "--token-cache", folder.resolve("tokens"),
                "--checkpointing", "full", "--document-mask", "--tensorboard");
        assertTrue(Files.exists(expert.resolve("model.safetensors")) && Files.exists(expert.resolve("tokenizer.json")));
        assertEquals(6, Files.readAllLines(folder.resolve("expert-run/metrics.jsonl")).stream().filter(line -> line.contains("\"learning_rate\"")).count());

        Path stitched = folder.resolve("stitched");
        Path run = Files.writeString(folder.resolve("run.yaml"), String.join("\n", "# a stitch run", "hub: " + seed, "expert: {code: " + expert + "}", "data:",
                "  code: " + code, "  text: " + text, "weight: [code=1, text=2]", "stitches: 2", "steps: 900", "sequence: 32", "batch: 2", "hold-out: 9",
                "validate-every: 4", "tensorboard: false", "out: " + stitched));
        done("stitch", run, "steps=8", "--lr", "2e-3");
        assertTrue(Files.exists(stitched.resolve("stitch.json")));
        List<String> metrics = Files.readAllLines(folder.resolve("stitched-run/metrics.jsonl"));
        assertEquals(8, metrics.stream().filter(line -> line.contains("\"learning_rate\"")).count());
        assertTrue(metrics.stream().filter(line -> line.contains("bits_per_byte")).count() >= 2, metrics.toString());
        Commands.Result again = bts("stitch", run, "steps=9");
        assertEquals(1, again.status(), "another number of steps must be allowed");
        assertTrue(again.err().contains("configuration") || again.err().contains("differ"), again.err());

        JsonNode scores = done("eval", stitched, "--data", "code=" + code, "--data", "text=" + text, "--sequence", 64, "--json").json();
        assertTrue(scores.at("/domains/code/bits_per_byte").asDouble() > 1 && scores.at("/domains/code/bits_per_byte").asDouble() < 10, scores.toString());
        assertEquals((scores.at("/domains/code/bits_per_byte").asDouble() + scores.at("/domains/text/bits_per_byte").asDouble()) / 2, scores.get("average").asDouble(), 1e-12);

        JsonNode compared = done("eval", stitched, "--data", "code=" + code, "--data", "text=" + text, "--sequence", 64, "--against", stitched, "--json").json();
        assertEquals(0, compared.at("/domains/code/difference").asDouble(1));
        assertEquals(0, compared.at("/domains/text/difference").asDouble(1));
        assertEquals(1, compared.at("/domains/code/p_value").asDouble());
        assertTrue(compared.at("/domains/code/low").asDouble() < scores.at("/domains/code/bits_per_byte").asDouble() && scores.at("/domains/code/bits_per_byte").asDouble() < compared.at("/domains/code/high").asDouble());

        JsonNode generated = done("generate", stitched, "public static", "--max-tokens", 7, "--temperature", 0, "--json").json();
        assertEquals(7, generated.get("tokens").asInt());
        assertEquals("public static" + generated.get("text").asText(), done("generate", stitched, "public static", "--max-tokens", 7, "--temperature", 0).out().strip());

        JsonNode gates = done("gates", stitched, "--data", "code=" + code, "--sequence", 32, "--windows", 2, "--json").json();
        assertEquals(1, gates.size(), "of two stitches the last one leads into the hub");
        double sum = gates.get(0).at("/mean_gate/hub").asDouble() + gates.get(0).at("/mean_gate/code").asDouble();
        assertEquals(1, sum, 1e-5);
        double entropy = gates.get(0).get("entropy_bits").asDouble();
        assertTrue(entropy > 0 && entropy <= 1 + 1e-6, "two models: at most one bit, not " + entropy);

        Path three = folder.resolve("three");
        done("add-expert", stitched, "again", expert, three);
        done("remove-expert", three, "again", folder.resolve("two"));
        JsonNode two = done("eval", folder.resolve("two"), "--data", "code=" + code, "--sequence", 64, "--json").json();
        assertEquals(scores.at("/domains/code/bits_per_byte").asDouble(), two.at("/domains/code/bits_per_byte").asDouble(), 1e-6, "what was added is gone again");
        trainsFurther(three, stitched);
        Commands.Result last = bts("remove-expert", folder.resolve("two"), "nobody", folder.resolve("none"));
        assertEquals(1, last.status());
        assertTrue(last.err().contains("No expert is called 'nobody'"), last.err());
    }

    /** A new expert's part alone: what is left when it goes again is what was there before it came. Then all parts. */
    private static void trainsFurther(Path three, Path before) throws IOException {
        Path newcomer = folder.resolve("newcomer");
        done("train-stitches", three, "--only-expert", "again", "--data", "code=" + code, "--steps", 3, "--sequence", 32, "--batch", 2, "--lr", "1e-2", "--out", newcomer);
        assertTrue(Files.readString(newcomer.resolve("stitch.json")).contains("\"again\""));
        done("remove-expert", newcomer, "again", folder.resolve("gone"));
        assertEquals(weights(before), weights(folder.resolve("gone")));
        assertFalse(weights(three).equals(weights(newcomer)), "nothing was trained");
        done("train-stitches", before, "--data", "code=" + code, "--steps", 3, "--sequence", 32, "--batch", 2, "--out", folder.resolve("further"));
        assertFalse(weights(before).equals(weights(folder.resolve("further"))), "nothing was trained");
        Commands.Result unknown = bts("train-stitches", three, "--only-expert", "nobody", "--data", "code=" + code, "--out", folder.resolve("none"));
        assertTrue(unknown.status() == 1 && unknown.err().contains("'nobody'"), unknown.err());
    }

    private static String weights(Path stitched) throws IOException {
        return new ObjectMapper().readTree(stitched.resolve("stitch.json").toFile()).get("sha256").asText();
    }

    @Test
    void inspectPlanAndConvert() throws IOException {
        JsonNode found = done("inspect", seed, "--hashes", "--json").json();
        LlamaConfig config = LlamaConfig.read(seed);
        assertEquals(io.github.bts4j.core.llama.LlamaTensors.parameterCount(config), found.get("parameters").asLong());
        assertEquals(64, found.at("/tensors/0/sha256").asText().length());
        assertEquals(1, found.get("files").size());
        assertTrue(done("inspect", seed).out().contains("model.embed_tokens.weight"));
        assertTrue(done("inspect", seed).out().contains("products on this processor: float32 by "), "which kernels are taken here");

        JsonNode plan = done("plan", seed, seed, "--stitches", 2, "--json").json();
        assertEquals(2L * found.get("parameters").asLong(), plan.at("/parameters/frozen").asLong());
        assertTrue(done("plan", seed, seed, "--checkpointing", "FULL").out().contains("peak, beside mapped weights"));

        Path half = folder.resolve("half");
        done("convert", seed, half, "--dtype", "bfloat16");
        assertEquals(found.get("bytes").asLong() / 2, done("inspect", half, "--json").json().get("bytes").asLong());
        Path int8 = folder.resolve("int8");
        done("convert", seed, int8, "--int8");
        assertTrue(done("inspect", int8, "--json").json().get("bytes").asLong() < 0.35 * found.get("bytes").asLong(), "float32 to int8");
        assertEquals(done("generate", seed, "It", "--int8", "--max-tokens", 9, "--temperature", 0).out(), done("generate", int8, "It", "--max-tokens", 9, "--temperature", 0).out());
        done("branch", seed, folder.resolve("copy"), folder.resolve("another"));
        for (String copy : List.of("copy", "another")) {
            JsonNode copied = done("inspect", folder.resolve(copy), "--hashes", "--json").json();
            assertEquals(found.get("tensors"), copied.get("tensors"));
            assertEquals(done("generate", seed, "It", "--max-tokens", 9, "--temperature", 0).out(), done("generate", folder.resolve(copy), "It", "--max-tokens", 9, "--temperature", 0).out());
        }
        assertEquals(2, bts("branch", seed).status());
    }

    /** The tensors of the model that the GGUF file was written from; the hashes of its bytes as a shell computes them. */
    @Test
    void ggufFilesAreInspectedAndConverted() throws IOException {
        Path gguf = Path.of(System.getProperty("bts4j.testData"), "gguf");
        Path model = gguf.resolve("llama2-gqa-f32.gguf");
        JsonNode found = done("inspect", model, "--hashes", "--json").json();
        assertEquals(io.github.bts4j.core.checkpoint.ModelFingerprint.sha256(model), found.at("/files/llama2-gqa-f32.gguf").asText());
        Path converted = folder.resolve("from-gguf");
        done("convert", model, converted);
        JsonNode after = done("inspect", converted, "--hashes", "--json").json();
        assertEquals(found.get("parameters"), after.get("parameters"));
        assertEquals(hash(found, "token_embd.weight"), hash(after, "model.embed_tokens.weight"), "float32 in both, in the same order");
        assertEquals(hash(found, "blk.0.ffn_down.weight"), hash(after, "model.layers.0.mlp.down_proj.weight"));
    }

    private static String hash(JsonNode inspected, String tensor) {
        for (JsonNode each : inspected.get("tensors")) {
            if (each.get("name").asText().equals(tensor)) {
                return each.get("sha256").asText();
            }
        }
        throw new AssertionError(tensor + " is not in " + inspected);
    }

    @Test
    void mergesOfAModelWithItselfAreTheModel() throws IOException {
        String hash = done("inspect", seed, "--hashes", "--json").json().at("/tensors/3/sha256").asText();
        for (String method : new String[] {"linear", "task_arithmetic", "ties", "dare_linear", "dare_ties", "slerp"}) {
            Path out = folder.resolve("merged-" + method);
            done("merge", method, "--base", seed, "--model", seed + "=0.5", "--out", out);
            JsonNode merged = done("inspect", out, "--hashes", "--json").json();
            assertEquals(hash, merged.at("/tensors/3/sha256").asText(), method);
            assertTrue(Files.exists(out.resolve("tokenizer.json")));
        }
        assertTrue(bts("merge", "ties", "--model", seed, "--out", folder.resolve("x")).err().contains("needs --base"));
        assertEquals(2, bts("merge", "nonsense", "--model", seed, "--out", folder.resolve("x")).status());
    }

    @Test
    void whatIsWrongIsNamed() throws IOException {
        assertEquals(2, bts().status());
        assertTrue(bts().out().contains("A model in four steps"));
        assertEquals(0, bts("stitch", "--help").status());
        Commands.Result unknown = bts("train", seed, "--data", "code=" + code, "--stepz", 5, "--out", "x");
        assertEquals(2, unknown.status());
        assertTrue(unknown.err().contains("--stepz"), unknown.err());
        Commands.Result missing = bts("generate", folder.resolve("nowhere"), "A");
        assertEquals(1, missing.status());
        assertTrue(missing.err().contains("does not exist") && !missing.err().contains("\tat "), missing.err());
        Commands.Result pair = bts("eval", seed, "--data", "code");
        assertTrue(pair.status() == 2 && pair.err().contains("NAME=VALUE"), pair.err());
        assertTrue(bts("train", seed, "--data", "code=" + code, "--rewind", "--out", folder.resolve("x")).err().contains("--save-every 100"));

        assertFileError("run.yaml:2: the key 'stepz' is not known, did you mean 'steps'?", "hub: x", "stepz: 5");
        assertFileError("run.yaml:3: the key 'out' is already in line 1", "out: x", "steps: 5", "out: y");
        assertFileError("run.yaml:1: steps has no value", "steps:");
        assertFileError("run.yaml:2: data is nested too deeply", "data:", "  code: {a: b}");
        assertFileError("run.yaml:1: tensorboard = yes, must be true or false", "tensorboard: yes");
        assertFileError(": invalid YAML", "steps: [1, 2");
        assertFileError("run.yaml:1: a run file is a map", "- steps");
        assertFileError("run.yaml:2: --steps many is not a whole number; allowed: 1 to 1000000000", "hub: x", "steps: many");
        assertFileError("run.yaml:1: --init 'middle' must be one of average, hub, experts", "init: middle");
        assertFileError("run.yaml: the key 'hub' is missing", "expert: {code: x}", "out: y", "data: {code: z}");
        Path whole = write("hub: " + seed, "expert: {code: " + seed + "}", "out: " + folder.resolve("x"), "data:", "  code: " + code, "  text: " + folder.resolve("none.jsonl"));
        Commands.Result source = bts("stitch", whole);
        assertTrue(source.status() == 2 && source.err().contains("run.yaml:6: --data text=") && source.err().contains("none.jsonl does not exist"), source.err());
        Commands.Result steps = bts("stitch", whole, "steps=-5", "data=code=" + code);
        assertTrue(steps.status() == 2 && steps.err().contains("override steps=-5: --steps -5 is below 1"), steps.err());
        Commands.Result share = bts("stitch", whole, "data=code=" + code, "weight=code=much");
        assertTrue(share.err().contains("override weight=code=much: --weight code=much: 'much' is not a number"), share.err());
        Commands.Result override = bts("stitch", write("steps: 5"), "stepz=6");
        assertTrue(override.status() == 2 && override.err().contains("override stepz=6: the key 'stepz' is not known"), override.err());
        assertTrue(bts("stitch", folder.resolve("none.yaml")).err().contains("none.yaml does not exist"));
    }

    private static Path write(String... lines) throws IOException {
        Path file = folder.resolve("errors").resolve("run.yaml");
        Files.createDirectories(file.getParent());
        return Files.writeString(file, String.join("\n", lines) + "\n");
    }

    private static void assertFileError(String message, String... lines) throws IOException {
        Commands.Result result = bts("stitch", write(lines));
        assertEquals(2, result.status(), result.err());
        assertTrue(result.err().contains(message), result.err());
    }

    /** Ctrl-C in a training: it saves, says so, and the same command goes on. */
    @Test
    @EnabledOnOs({OS.LINUX, OS.MAC})
    void anInterruptedTrainingGoesOn() throws IOException, InterruptedException {
        Path out = folder.resolve("interrupted");
        List<String> command = new ArrayList<>(Interrupted.command());
        List<String> training = List.of("train", seed.toString(), "--data", "code=" + code, "--steps", "400", "--sequence", "32", "--batch", "2", "--hold-out", "20", "--patience", "100",
                "--validate-every", "200", "--out", out.toString());
        command.addAll(training);
        Path errors = folder.resolve("interrupted.err");
        Process process = new ProcessBuilder(command).redirectErrorStream(true).redirectOutput(errors.toFile()).start();
        try {
            assertEquals(128 + 2, process.waitFor(), () -> Commands.read(errors));
        } finally {
            process.destroyForcibly();
        }
        assertTrue(Commands.read(errors).matches("(?s).*Stopped at step \\d+ of 400, as requested; saved in .*interrupted-run.*"), () -> Commands.read(errors));
        assertFalse(Files.exists(out), "an expert that is not finished is not saved as one, with --patience neither");
        assertFalse(Commands.read(errors).contains("\r"), "no line is drawn anew in a file");
        done(training.toArray());
        assertTrue(Files.exists(out.resolve("model.safetensors")));
    }
}
