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
import org.junit.jupiter.api.io.TempDir;

/**
 * A published model, Gemma 3 270M in Q4_K_M with its matrices multiplied as they are stored, against transformers with the dequantised weights, both in float32. Size and terms of use do not let
 * the file travel with this project: {@code src-test-data/tools/real_gemma3.py} fetches it; without it this test is skipped.
 */
@Tag("slow")
class RealModelTest {
    private static final Path FOLDER = Path.of(System.getProperty("bts4j.testData"), "real-models");

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

    /** What a model adds to the memory of a process that decoded with another one before. */
    @Test
    void aModelAddsAtMostElevenTenthsOfItsFile(@TempDir Path folder) throws IOException, InterruptedException {
        Path file = FOLDER.resolve("gemma3.gguf");
        assumeTrue(Files.exists(file), "run src-test-data/tools/real_gemma3.py to have the model");
        assumeTrue(Files.exists(ModelMemory.ROLLUP), "needs " + ModelMemory.ROLLUP);
        double[] added = ModelMemory.inAnotherProcess(file, folder.resolve("out.txt"));
        System.out.printf("a model of %d bytes adds %.3f of its file, %.3f of it mapped, decoded by %s%n", Files.size(file), added[0], added[1], System.getProperty("bts4j.decode", "torch"));
        assertTrue(added[1] > 0.8 && added[1] <= added[0], "the weights were read");
        assertTrue(added[0] <= 1.1, added[0] + " of the file");
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
