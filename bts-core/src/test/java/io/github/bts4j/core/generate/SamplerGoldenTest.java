package io.github.bts4j.core.generate;

import static org.junit.jupiter.api.Assertions.assertEquals;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.InputStream;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.stream.StreamSupport;
import org.junit.jupiter.api.Test;

/** Against the logits processors of Hugging Face transformers: src-test-data/tools/sampling_golden.py. */
class SamplerGoldenTest {

    @Test
    void leavesTheDistributionsThatTransformersLeaves() throws IOException {
        JsonNode golden = golden();
        double tolerance = golden.path("tolerance").doubleValue();
        assertEquals(100, golden.path("rows").size());
        for (JsonNode row : golden.path("rows")) {
            String name = row.path("kind").asText() + " " + row.path("options");
            List<TokenProbability> mine = new ArrayList<>(new Sampler(config(row.path("options"))).distribution(floats(row.path("logits")), ints(row.path("history"))));
            mine.sort(Comparator.comparingInt(TokenProbability::id));
            assertEquals(list(ints(row.path("ids"))), mine.stream().map(TokenProbability::id).toList(), name);
            for (int i = 0; i < mine.size(); i++) {
                assertEquals(row.path("probabilities").get(i).doubleValue(), mine.get(i).probability(), tolerance, name);
            }
        }
    }

    @Test
    void drawsOnlyWhatIsLeft() throws IOException {
        for (JsonNode row : golden().path("rows")) {
            Sampler sampler = new Sampler(config(row.path("options")));
            List<Integer> left = list(ints(row.path("ids")));
            float[] logits = floats(row.path("logits"));
            int[] history = ints(row.path("history"));
            for (int i = 0; i < 50; i++) {
                int id = sampler.next(logits, history);
                assertEquals(true, left.contains(id), () -> id + " is not in " + left);
            }
        }
    }

    @Test
    void greedyTakesTheArgmaxBehindThePenalty() throws IOException {
        for (JsonNode row : golden().path("rows")) {
            GenerationConfig greedy = config(row.path("options")).withTemperature(0);
            assertEquals(row.path("argmax").intValue(), new Sampler(greedy).next(floats(row.path("logits")), ints(row.path("history"))), row.path("kind") + " " + greedy);
        }
    }

    @Test
    void logProbsAreThoseOfTheUnchangedLogits() throws IOException {
        for (JsonNode row : golden().path("rows")) {
            float[] logits = floats(row.path("logits"));
            float[] expected = floats(row.path("logProbs"));
            for (int id = 0; id < logits.length; id++) {
                assertEquals(expected[id], Sampler.logProb(logits, id), 2e-6f);
            }
        }
    }

    private static GenerationConfig config(JsonNode options) {
        return GenerationConfig.greedy(1).withTemperature(options.path("temperature").asDouble(1)).withTopK(options.path("topK").asInt(0))
                .withTopP(options.path("topP").asDouble(1)).withMinP(options.path("minP").asDouble(0))
                .withRepetitionPenalty(options.path("repetitionPenalty").asDouble(1));
    }

    private static JsonNode golden() throws IOException {
        try (InputStream stream = SamplerGoldenTest.class.getResourceAsStream("sampling.json")) {
            return new ObjectMapper().readTree(stream);
        }
    }

    private static int[] ints(JsonNode array) {
        return StreamSupport.stream(array.spliterator(), false).mapToInt(JsonNode::intValue).toArray();
    }

    private static List<Integer> list(int[] ids) {
        return java.util.Arrays.stream(ids).boxed().toList();
    }

    /** Null stands for minus infinity, which JSON lacks. */
    private static float[] floats(JsonNode array) {
        float[] floats = new float[array.size()];
        for (int i = 0; i < floats.length; i++) {
            floats[i] = array.get(i).isNull() ? Float.NEGATIVE_INFINITY : array.get(i).floatValue();
        }
        return floats;
    }
}
