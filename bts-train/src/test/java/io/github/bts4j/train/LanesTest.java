package io.github.bts4j.train;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ai.djl.ndarray.NDArray;
import io.github.bts4j.core.LockedException;
import io.github.bts4j.core.torch.Torch;
import io.github.bts4j.stitch.StitchedModel;
import io.github.bts4j.train.optim.FlatTensors;
import io.github.bts4j.train.optim.Gradients;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Gradients by lanes, gradients as one vector, and the owner of a run's folder. */
class LanesTest {
    @TempDir
    private Path folder;

    private static List<Pass> passes(int count) {
        StepBatches batches = StepBatches.read(TinyRuns.data(), 0, count, TinyRuns.config(4).withAccumulation(count));
        return batches.passes(9, 0);
    }

    private static float[] flat(Map<String, NDArray> parameters) {
        try (Gradients gradients = Gradients.of(parameters)) {
            return floats(gradients.flat(all -> all.read(0, all.size())));
        }
    }

    private static float[] floats(byte[] bytes) {
        float[] floats = new float[bytes.length / 4];
        ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN).asFloatBuffer().get(floats);
        return floats;
    }

    /** Gradients of one pass alone, from zero, as DJL reads them. */
    private static float[] alone(StitchTraining training, Pass... passes) {
        try (Gradients gradients = Gradients.of(training.parameters())) {
            gradients.zero();
        }
        for (Pass pass : passes) {
            training.accumulateGradients(pass.tokens(), pass.tokenWeight(), pass.seed());
        }
        List<Float> all = new ArrayList<>();
        for (NDArray parameter : training.parameters().values()) {
            try (NDArray gradient = parameter.getGradient()) {
                for (float each : gradient.toFloatArray()) {
                    all.add(each);
                }
            }
        }
        float[] array = new float[all.size()];
        for (int i = 0; i < array.length; i++) {
            array[i] = all.get(i);
        }
        return array;
    }

    private static float[] plus(float[] a, float[] b) {
        float[] sum = new float[a.length];
        for (int i = 0; i < sum.length; i++) {
            sum[i] = a[i] + b[i];
        }
        return sum;
    }

    /** Five passes in two lanes: (1 + 2 + 3) + (4 + 5); in three: (1 + 2) + (3 + 4) + 5; in one: as they come. */
    @Test
    void lanesAreAddedInOrder() throws IOException {
        try (StitchedModel model = TinyRuns.stitched(0.1)) {
            StitchTraining training = new StitchTraining(model);
            Gradients.begin(training.parameters());
            Pass[] p = passes(5).toArray(Pass[]::new);
            float[] two = plus(alone(training, p[0], p[1], p[2]), alone(training, p[3], p[4]));
            float[] three = plus(plus(alone(training, p[0], p[1]), alone(training, p[2], p[3])), alone(training, p[4]));
            float[] one = alone(training, p);
            List<float[]> losses = training.accumulateStep(List.of(p), 2);
            assertArrayEquals(two, flat(training.parameters()));
            assertEquals(5, losses.size());
            for (int i = 0; i < 5; i++) {
                assertArrayEquals(training.accumulateGradients(p[i].tokens(), 0, p[i].seed()), losses.get(i));
            }
            training.accumulateStep(List.of(p), 3);
            assertArrayEquals(three, flat(training.parameters()));
            alone(training);
            training.accumulateStep(List.of(p), 1);
            assertArrayEquals(one, flat(training.parameters()));
            assertFalse(Arrays.equals(one, two) || Arrays.equals(two, three), "sums in another order are rounded differently");
        }
    }

    @ParameterizedTest
    @CsvSource({"5,2,3 2", "5,3,2 2 1", "8,4,2 2 2 2", "3,8,1 1 1", "7,1,7"})
    void passesOfLanes(int passes, int lanes, String expected) {
        assertEquals(expected, String.join(" ", Pass.lanes(passes(passes), lanes).stream().map(lane -> String.valueOf(lane.size())).toList()));
    }

    /** Dropout draws from the seed of its pass: what other threads draw at the same time makes no difference. */
    @Test
    @Timeout(120)
    void passesOnOtherThreadsDrawForThemselves() throws Exception {
        Pass pass = passes(1).get(0);
        float[] expected;
        try (StitchedModel model = TinyRuns.stitched(0.5)) {
            StitchTraining training = new StitchTraining(model);
            Gradients.begin(training.parameters());
            expected = alone(training, pass);
        }
        Callable<List<float[]>> work = () -> {
            Torch.threads(1);
            try (StitchedModel model = TinyRuns.stitched(0.5)) {
                StitchTraining training = new StitchTraining(model);
                Gradients.begin(training.parameters());
                List<float[]> all = new ArrayList<>();
                for (int i = 0; i < 30; i++) {
                    all.add(alone(training, pass));
                }
                return all;
            }
        };
        ExecutorService threads = Executors.newFixedThreadPool(3);
        try {
            for (Future<List<float[]>> each : threads.invokeAll(List.of(work, work, work))) {
                for (float[] found : each.get()) {
                    assertArrayEquals(expected, found);
                }
            }
        } finally {
            threads.shutdown();
        }
    }

    @Test
    void partsOfAVectorAreReadAndWritten() throws IOException {
        try (StitchedModel model = TinyRuns.stitched(0)) {
            Map<String, NDArray> tensors = model.stitchTensors();
            FlatTensors flat = FlatTensors.of(tensors.values());
            long size = tensors.values().stream().mapToLong(NDArray::size).sum();
            assertEquals(size, flat.size());
            byte[] whole = flat.read(0, size);
            float[] first = floats(whole);
            NDArray tensor = tensors.values().iterator().next();
            assertArrayEquals(tensor.toFloatArray(), Arrays.copyOf(first, (int) tensor.size()));
            for (long from = 0; from < size; from += 1_001) { // across the ends of tensors
                long to = Math.min(size, from + 1_001);
                assertArrayEquals(Arrays.copyOfRange(whole, (int) from * 4, (int) to * 4), flat.read(from, to));
                byte[] doubled = flat.read(from, to);
                FlatTensors.add(doubled, flat.read(from, to));
                flat.write(from, doubled);
            }
            for (int i = 0; i < first.length; i++) {
                first[i] += first[i];
            }
            assertArrayEquals(first, floats(flat.read(0, size)));
            assertThrows(IllegalArgumentException.class, () -> flat.read(0, size + 1));
            assertThrows(IllegalArgumentException.class, () -> flat.write(size - 1, new byte[8]));
        }
    }

    private List<String> run(String name, int lanes, long last) throws IOException {
        return ChildRun.run("stitch", folder.resolve(name), TinyRuns.config(6).withAccumulation(4).withLanes(lanes), last);
    }

    @Test
    void aResumedRunKeepsItsLanes() throws IOException {
        List<String> whole = run("whole", 2, 6);
        List<String> parts = new ArrayList<>(run("parts", 2, 3).subList(0, 3));
        parts.addAll(run("parts", 2, 6));
        assertEquals(whole, parts);
        run("other", 2, 3);
        String message = assertThrows(ResumeException.class, () -> run("other", 4, 6)).getMessage();
        assertTrue(message.contains("configuration lanes: saved 2, now 4"), message);
        assertFalse(whole.equals(run("four", 4, 6)));
    }

    @Test
    void moreLanesThanPassesAreRefused() {
        assertTrue(assertThrows(IllegalArgumentException.class, () -> TinyRuns.config(6).withAccumulation(4).withLanes(5)).getMessage()
                .contains("lanes = 5 is above accumulation = 4"));
        assertTrue(assertThrows(IllegalArgumentException.class, () -> TinyRuns.config(6).withLanes(0)).getMessage().contains("lanes = 0 is below 1"));
    }

    /** An attempt that was given up, and goes on: it writes nothing, and deletes nothing. */
    @Test
    void anAttemptThatWasTakenOverWritesNoCheckpoint() throws IOException {
        Path run = folder.resolve("run");
        try (StitchedModel model = TinyRuns.stitched(0.1); RunLock first = RunLock.takeOver(run);
                Trainer trainer = new Trainer(new StitchTraining(model), TinyRuns.data(), TinyRuns.config(6).withCheckpoints(1, 2), metrics -> { }).saveTo(first)) {
            trainer.runTo(2);
            try (RunLock second = RunLock.takeOver(run)) {
                Path own = Files.createDirectory(run.resolve(".checkpoint-of-the-second"));
                String message = assertThrows(LockedException.class, () -> trainer.runTo(3)).getMessage();
                assertTrue(message.contains(run.toString()) && message.contains("taken over by another attempt"), message);
                assertEquals(2, RunCheckpoint.state(RunCheckpoint.latest(run).orElseThrow()).step());
                assertTrue(Files.exists(own), "what the second is writing");
                second.requireOwned();
            }
            assertEquals("3 ", ChildRun.run("stitch", run, TinyRuns.config(6).withCheckpoints(1, 2), 6).get(0).substring(0, 2), "the next attempt goes on");
        }
    }
}
