package io.github.bts4j.core.torch.llama;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.github.bts4j.core.DecodeSession;
import io.github.bts4j.core.golden.Tolerance;
import io.github.bts4j.core.llama.Precision;
import io.github.bts4j.core.tokenizer.LlamaTokenizer;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/**
 * A published model, Gemma 3 270M in Q4_K_M with its matrices multiplied as they are stored, against transformers with the dequantised weights, both in float32. Size and terms of use do not let
 * the file travel with this project: {@code src-test-data/tools/real_gemma3.py} fetches it; without it this test is skipped.
 */
@Tag("slow")
class RealModelTest {
    private static final Path FOLDER = Path.of(System.getProperty("bts4j.testData"), "real-models");
    private static final Path ROLLUP = Path.of("/proc/self/smaps_rollup");

    private static int[] ints(JsonNode array) {
        int[] values = new int[array.size()];
        for (int i = 0; i < values.length; i++) {
            values[i] = array.get(i).asInt();
        }
        return values;
    }

    @Test
    void greedyTokensAndTheirLogProbabilitiesAreThoseOfTransformers() throws IOException {
        assumeTrue(Files.exists(FOLDER.resolve("gemma3.json")), "run src-test-data/tools/real_gemma3.py to have the model");
        double worst = 0;
        try (LlamaTokenizer tokenizer = LlamaTokenizer.open(FOLDER.resolve("gemma3.gguf"));
                LlamaModel model = LlamaModel.open(FOLDER.resolve("gemma3.gguf"), LoadOptions.defaults().withPrecision(Precision.FLOAT32))) {
            for (JsonNode row : new ObjectMapper().readTree(FOLDER.resolve("gemma3.json").toFile())) {
                int[] prompt = ints(row.get("ids"));
                assertArrayEquals(prompt, tokenizer.encode(row.get("prompt").asText(), true), row.get("prompt").asText());
                int[] tokens = ints(row.get("tokens"));
                assertEquals(40, tokens.length);
                try (DecodeSession session = model.newSession(prompt.length + tokens.length)) {
                    float[] logits = session.append(prompt);
                    for (int i = 0; i < tokens.length; i++) {
                        worst = Math.max(worst, check(model, row.get("log_probs").get(i).asDouble(), tokens[i], logits, prompt.length + i));
                        logits = session.append(tokens[i]);
                    }
                }
            }
        }
        System.out.printf("largest difference of 120 log-probabilities %.2g, decoded by %s%n", worst, System.getProperty("bts4j.decode", "torch"));
    }

    /** Decodes a few tokens, so that every matrix is read. */
    private static void use(LlamaModel model) {
        try (DecodeSession session = model.newSession(16)) {
            session.append(2, 3, 4);
            session.append(5);
        }
    }

    /** A number of the summary of the process's memory map, in bytes. */
    private static long mapped(String name) throws IOException {
        System.gc();
        String line = Files.readAllLines(ROLLUP).stream().filter(text -> text.startsWith(name + ":")).findFirst().orElseThrow();
        return 1024 * Long.parseLong(line.replaceAll("\\D", ""));
    }

    /** What libtorch, the compiled kernels and their buffers take once in a process, whatever the model's size, is there before. */
    @Test
    void aModelAddsAtMostElevenTenthsOfItsFile() throws IOException {
        Path file = FOLDER.resolve("gemma3.gguf");
        assumeTrue(Files.exists(file), "run src-test-data/tools/real_gemma3.py to have the model");
        assumeTrue(Files.exists(ROLLUP), "needs " + ROLLUP);
        try (LlamaModel warm = LlamaModel.open(file)) {
            assertTrue(warm.weightBytes() <= Files.size(file), warm.weightBytes() + " bytes of weights");
            use(warm);
        }
        long anonymous = mapped("Anonymous");
        long pages = mapped("Pss_File");
        try (LlamaModel model = LlamaModel.open(file)) {
            use(model);
            double added = mapped("Anonymous") - anonymous + mapped("Pss_File") - pages;
            System.out.printf("a model of %d bytes adds %.3f of its file, decoded by %s%n", Files.size(file), added / Files.size(file), System.getProperty("bts4j.decode", "torch"));
            assertTrue(mapped("Pss_File") - pages > 0.8 * Files.size(file), "the weights were read");
            assertTrue(added <= 1.1 * Files.size(file), added + " bytes");
        }
    }

    /** A log-probability is the difference of two numbers with the error of a logit each. */
    private static double check(LlamaModel model, double expected, int token, float[] logits, int tokens) {
        int best = 0;
        double largest = 0;
        for (int i = 0; i < logits.length; i++) {
            best = logits[i] > logits[best] ? i : best;
            largest = Math.max(largest, Math.abs(logits[i]));
        }
        double sum = 0;
        for (float logit : logits) {
            sum += Math.exp((double) logit - logits[best]);
        }
        assertEquals(token, best);
        double found = logits[token] - logits[best] - Math.log(sum);
        assertEquals(expected, found, 2 * Tolerance.of(model.config(), tokens, Precision.FLOAT32).relative() * largest);
        return Math.abs(expected - found);
    }
}
