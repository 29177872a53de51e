package io.github.bts4j.train;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.github.bts4j.core.golden.GoldenCase;
import io.github.bts4j.core.golden.Tolerance;
import io.github.bts4j.core.torch.Tensors;
import io.github.bts4j.core.torch.Torch;
import io.github.bts4j.core.torch.llama.LlamaModel;
import io.github.bts4j.core.torch.llama.LoadOptions;
import io.github.bts4j.stitch.Member;
import io.github.bts4j.stitch.baseline.RoutedExperts;
import io.github.bts4j.train.data.Datamix;
import io.github.bts4j.train.optim.AdamW;
import io.github.bts4j.train.optim.AdamWConfig;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The router's training: against torch.optim.AdamW (src-test-data/tools/routing_golden.py), and as a run of the trainer. */
class RouterTrainingTest {
    private static final Tolerance ROUTER = Tolerance.ofSums(41 + 48, 10); // a mean over a prefix, products over the hidden size, a softmax

    private static final TrainerConfig CONFIG = TrainerConfig.of(10, 4, TinyRuns.LENGTH, RouterTraining.LEARNING_RATE).withSeed(9);

    private final Datamix data = TinyRuns.data();
    private RoutedExperts routed;

    @BeforeEach
    void open() throws IOException {
        routed = experts();
    }

    @AfterEach
    void close() {
        routed.close();
    }

    private static RoutedExperts experts() throws IOException {
        Path root = TinyRuns.golden("bts-3x4");
        return RoutedExperts.open(Stream.of("hub", "code", "math").map(name -> new Member(name, root.resolve(name))).toList(), LoadOptions.defaults());
    }

    private RouterTraining training() throws IOException {
        return new RouterTraining(routed).withPrefixes(4, 12);
    }

    private float[] weight() {
        return Tensors.toFloats(routed.routerTensors().get("router.weight"));
    }

    private static float[] floats(JsonNode rows) {
        List<Float> values = new ArrayList<>();
        rows.forEach(row -> row.forEach(value -> values.add((float) value.asDouble())));
        float[] floats = new float[values.size()];
        IntStream.range(0, floats.length).forEach(i -> floats[i] = values.get(i));
        return floats;
    }

    private static int[][] rows(JsonNode tokens, int from, int to) {
        return IntStream.range(from, to).mapToObj(row -> StreamSupport.stream(tokens.get(row).spliterator(), false).mapToInt(JsonNode::asInt).toArray())
                .toArray(int[][]::new);
    }

    private void start(float[] router) {
        try (NDManager scope = Torch.manager().newSubManager()) {
            routed.setRouterTensors(Map.of("router.weight", Tensors.of(scope, router, 3, 48)));
        }
    }

    @Test
    void stepsAreThoseOfPyTorch() throws IOException {
        JsonNode golden = new ObjectMapper().readTree(TinyRuns.golden("routing").resolve("routing.json").toFile());
        JsonNode run = golden.get("train");
        start(floats(golden.get("router")));
        int prefix = run.get("prefix").asInt();
        int batch = run.get("batch").asInt();
        RouterTraining training = new RouterTraining(routed).withPrefixes(prefix, prefix);
        AdamWConfig adam = new AdamWConfig(run.get("betas").get(0).asDouble(), run.get("betas").get(1).asDouble(), run.get("eps").asDouble(),
                run.get("weight_decay").asDouble());
        assertEquals(run.get("lr").asDouble(), RouterTraining.LEARNING_RATE.at(0));
        try (AdamW optimizer = new AdamW(adam, training.manager(), training.parameters())) {
            for (int step = 0; step < run.get("steps").asInt(); step++) {
                int[][] tokens = rows(golden.get("tokens"), step * batch, (step + 1) * batch);
                float[] losses = training.accumulateGradients(tokens, 1f / (batch * 40), step);
                assertEquals(batch * 40, losses.length);
                double mean = IntStream.range(0, losses.length).mapToDouble(i -> losses[i]).average().orElseThrow();
                assertEquals(run.get("losses").get(step).asDouble(), mean, ROUTER.times(step + 1).ofLosses(losses), "loss of step " + step);
                double norm = optimizer.gradientNorm();
                assertEquals(run.get("grad_norms").get(step).asDouble(), norm, ROUTER.times(step + 1).ofLosses(losses) * norm, "gradient norm of step " + step);
                optimizer.clip(norm, run.get("clip").asDouble());
                optimizer.step(RouterTraining.LEARNING_RATE.at(step));
                training.weightsChanged();
            }
        }
        float[] moved = weight();
        double rates = run.get("steps").asInt() * run.get("lr").asDouble();
        double smallest = 1.0 / moved.length; // of as many gradients the smallest is about such a part of the usual one, and its step is off by the error over that
        GoldenCase.assertClose("router after the run", floats(run.get("after")), moved, ROUTER.times(5).of(moved) + rates * ROUTER.times(5).relative() / smallest);
        assertFalse(Arrays.equals(floats(golden.get("router")), moved));
    }

    @Test
    void oneSequenceLengthIsEveryTokensLossAndPrefixesAreSeeded() throws IOException {
        start(floatsOfRange());
        int[][] tokens = {data.batch(0, 1, 16).rows()[0], data.batch(3, 1, 16).rows()[0]};
        routed.routerTensors().get("router.weight").setRequiresGradient(true);
        RouterTraining training = training();
        List<Float> first = new ArrayList<>();
        for (int seed = 0; seed < 30; seed++) {
            float[] losses = training.accumulateGradients(tokens, 1f, seed);
            assertArrayEquals(losses, training.accumulateGradients(tokens, 1f, seed), "the same seed");
            for (int i = 0; i < losses.length; i++) {
                assertEquals(losses[i / 16 * 16], losses[i]);
            }
            first.add(losses[0]);
        }
        assertEquals(2, training.cachedTargets(), "each sequence's target is looked for once");
        int target = routed.bestModels(new int[][] {tokens[0]})[0];
        List<Float> possible = new ArrayList<>();
        for (int t = 4; t <= 12; t++) {
            possible.add((float) -Math.log(routed.route(Arrays.copyOf(tokens[0], t))[target]));
        }
        assertTrue(first.stream().allMatch(loss -> possible.stream().anyMatch(other -> Math.abs(loss - other) <= ROUTER.ofLosses(loss))), first + " of " + possible);
        assertTrue(first.stream().distinct().count() >= 7, "30 draws from 4 .. 12 tokens gave " + first.stream().distinct().count() + " lengths");
    }

    private static float[] floatsOfRange() {
        float[] values = new float[3 * 48];
        IntStream.range(0, values.length).forEach(i -> values[i] = (float) Math.sin(i) * 3);
        return values;
    }

    @Test
    void aRunMovesTheRouterAndNothingElse() throws IOException {
        Map<String, String> frozen = new TreeMap<>();
        routed.models().forEach(model -> TinyRuns.hashes(model.tensors()).forEach((name, hash) -> frozen.put(model.getName() + name, hash)));
        TinyRuns.Record record = new TinyRuns.Record();
        try (Trainer trainer = new Trainer(training(), data, CONFIG, record)) {
            trainer.run();
        }
        assertEquals(Math.log(3), record.losses().get(0), ROUTER.ofLosses((float) Math.log(3)), "a router of zeros knows nothing");
        assertEquals(10, record.losses().size());
        assertFalse(Arrays.equals(new float[3 * 48], weight()));
        for (LlamaModel model : routed.models()) {
            TinyRuns.hashes(model.tensors()).forEach((name, hash) -> assertEquals(frozen.get(model.getName() + name), hash));
            model.tensors().forEach((name, tensor) -> assertFalse(tensor.hasGradient(), name));
        }
        assertFalse(routed.routerTensors().get("router.weight").hasGradient(), "after the trainer was closed");
    }

    /** Twenty texts in 48 dimensions can be told apart by a linear map. */
    @Test
    void aRouterLearnsWhichModelIsBest() throws IOException {
        JsonNode golden = new ObjectMapper().readTree(TinyRuns.golden("routing").resolve("routing.json").toFile());
        int[][] tokens = rows(golden.get("tokens"), 0, 20);
        RouterTraining training = new RouterTraining(routed).withPrefixes(32, 32);
        float[] losses = {};
        try (AdamW optimizer = new AdamW(AdamWConfig.STITCH.withoutDecay(), training.manager(), training.parameters())) {
            for (int step = 0; step < 200; step++) {
                losses = training.accumulateGradients(tokens, 1f / (20 * 40), step);
                optimizer.step(0.3);
            }
        }
        assertEquals(20, training.cachedTargets());
        for (int row = 0; row < 20; row++) {
            assertEquals(golden.get("targets").get(row).asInt(), routed.choose(Arrays.copyOf(tokens[row], 32)), "row " + row);
            assertTrue(losses[row * 40] < 0.1, "loss " + losses[row * 40]);
        }
    }

    @Test
    void tenStepsAreFiveAndFiveResumedToTheBit(@TempDir Path folder) throws IOException {
        Torch.threads(1);
        try (Trainer trainer = new Trainer(training(), data, CONFIG, metrics -> { })) {
            trainer.run();
        }
        float[] whole = weight();
        start(new float[3 * 48]);
        try (Trainer trainer = new Trainer(training(), data, CONFIG, metrics -> { }).saveTo(folder)) {
            trainer.runTo(5);
        }
        assertFalse(Arrays.equals(whole, weight()));
        start(new float[3 * 48]);
        try (Trainer trainer = new Trainer(training(), data, CONFIG, metrics -> { }).saveTo(folder)) {
            assertTrue(trainer.resumeFrom(folder));
            trainer.run();
        }
        assertArrayEquals(whole, weight());
        RouterTraining other = new RouterTraining(routed).withPrefixes(4, 13);
        try (Trainer trainer = new Trainer(other, data, CONFIG, metrics -> { })) {
            String message = assertThrows(ResumeException.class, () -> trainer.resumeFrom(folder)).getMessage();
            assertTrue(message.contains("router.prefixes: saved 4 .. 12, now 4 .. 13"), message);
        }
    }

    @Test
    void itIsBoundToEveryModelsFiles() throws IOException {
        Map<String, String> identity = new RouterTraining(routed).identity();
        assertEquals("32 .. 256", identity.get("router.prefixes"));
        assertEquals("32", identity.get("router.decisionTokens"));
        for (String name : List.of("0:hub", "1:code", "2:math")) {
            assertEquals(64, identity.get(name + "/model.safetensors").length());
        }
        assertEquals("FLOAT32", identity.get("code computes in"));
        assertEquals(2 + 3 * 2 + 3 + 1, identity.size(), "with the types that they compute in, and the weights that it starts from");
        assertNotEquals(identity.get("1:code/model.safetensors"), identity.get("2:math/model.safetensors"));
    }

    @Test
    void validationScoresTheModelsThatAreChosen() throws IOException {
        start(floatsOfRange());
        int[][] windows = data.batch(0, 4, 16).rows();
        try (RoutedExperts early = routed.withDecisionTokens(4)) {
            float[][] losses = new RouterTraining(early).tokenLosses(windows);
            for (int row = 0; row < windows.length; row++) {
                int chosen = routed.choose(Arrays.copyOf(windows[row], 4));
                float[] own = routed.models().get(chosen).tokenLosses(new int[][] {windows[row]})[0];
                assertArrayEquals(Arrays.copyOfRange(own, 3, 16), Arrays.copyOfRange(losses[row], 3, 16), (float) TinyRuns.tolerance().ofLosses(own));
            }
        }
    }

    @Test
    void stepsLeaveNothingBehind() throws IOException {
        RouterTraining training = training();
        List<Integer> managed = new ArrayList<>();
        try (Trainer trainer = new Trainer(training, data, CONFIG,
                metrics -> managed.add(training.manager().getManagedArrays().size()))) {
            trainer.run();
        }
        assertEquals(1, managed.stream().distinct().count(), managed.toString());
    }

    @Test
    void sequencesShorterThanThePrefixAreRefused() throws IOException {
        RouterTraining training = new RouterTraining(routed);
        String message = assertThrows(IllegalArgumentException.class, () -> training.accumulateGradients(new int[2][32], 1f, 0)).getMessage();
        assertEquals("Sequences of 31 tokens are shorter than the shortest prefix, 32: train with a longer sequenceLength, or set withPrefixes(least, most)", message);
        assertThrows(IllegalArgumentException.class, () -> training.withPrefixes(0, 4));
        assertThrows(IllegalArgumentException.class, () -> training.withPrefixes(5, 4));
        assertThrows(IllegalStateException.class, () -> training.accumulateGradients(new int[2][33], 1f, 0), "nothing requires a gradient");
    }

    @Test
    void aTrainedRouterCanBeCopied() throws IOException {
        start(floatsOfRange());
        try (RoutedExperts other = experts()) {
            NDArray weight = routed.routerTensors().get("router.weight");
            weight.setRequiresGradient(true);
            other.setRouterTensors(routed.routerTensors());
            weight.setRequiresGradient(false);
            assertArrayEquals(routed.route(1, 2, 3), other.route(1, 2, 3));
        }
    }
}
