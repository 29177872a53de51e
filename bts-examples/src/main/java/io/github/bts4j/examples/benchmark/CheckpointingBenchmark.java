package io.github.bts4j.examples.benchmark;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.github.bts4j.core.torch.ActivationCheckpointing;
import io.github.bts4j.core.torch.Torch;
import io.github.bts4j.stitch.StitchedModel;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.EnumMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.atomic.AtomicBoolean;

/**
 * What activation checkpointing saves and costs: the time of a training pass with and without it, in turn, and the anonymous memory that each adds at its
 * peak to that of the loaded model (Linux). Takes {@link StitchBenchmark}'s options; prints one JSON object.
 */
public final class CheckpointingBenchmark {
    private CheckpointingBenchmark() {}

    /**
     * Runs the benchmark.
     *
     * @param arguments see the class
     * @throws IOException if a model cannot be written or read
     * @throws InterruptedException if interrupted
     */
    public static void main(String[] arguments) throws IOException, InterruptedException {
        BenchmarkOptions options = BenchmarkOptions.parse(arguments);
        options.threads().ifPresent(Torch::threads);
        options.writeModels();
        try (StitchedModel model = options.openStitched()) {
            model.stitchTensors().values().forEach(tensor -> tensor.setRequiresGradient(true));
            System.out.println(run(options, model));
        }
    }

    private static ObjectNode run(BenchmarkOptions options, StitchedModel model) throws IOException, InterruptedException {
        int[][] tokens = new int[options.batch()][options.sequence() + 1];
        Random random = new Random(1);
        for (int[] row : tokens) {
            Arrays.setAll(row, i -> random.nextInt(model.vocabSize()));
        }
        ObjectNode result = options.describe(new ObjectMapper().createObjectNode());
        pass(options, model, tokens, ActivationCheckpointing.FULL); // to warm up, and for the gradients' own memory
        double loaded = anonymousMib();
        result.put("loaded_mib", loaded);
        for (ActivationCheckpointing mode : List.of(ActivationCheckpointing.FULL, ActivationCheckpointing.PARTIAL, ActivationCheckpointing.OFF)) {
            result.put("peak_mib_" + mode.name().toLowerCase(Locale.ROOT), peak(() -> pass(options, model, tokens, mode)));
        }
        Map<ActivationCheckpointing, List<Double>> seconds = new EnumMap<>(ActivationCheckpointing.class);
        for (int i = 0; i < options.steps(); i++) {
            for (ActivationCheckpointing mode : ActivationCheckpointing.values()) {
                seconds.computeIfAbsent(mode, m -> new ArrayList<>()).add(seconds(() -> pass(options, model, tokens, mode)));
            }
        }
        seconds.forEach((mode, values) -> result.put("seconds_" + mode.name().toLowerCase(Locale.ROOT), median(values)));
        return result;
    }

    private static void pass(BenchmarkOptions options, StitchedModel model, int[][] tokens, ActivationCheckpointing mode) {
        model.accumulateGradients(tokens, 1f / (options.batch() * options.sequence()), 0, mode);
    }

    private static double seconds(Runnable work) {
        long begin = System.nanoTime();
        work.run();
        return (System.nanoTime() - begin) / 1e9;
    }

    private static double peak(Runnable work) throws IOException, InterruptedException {
        AtomicBoolean done = new AtomicBoolean();
        double[] peak = new double[1];
        Thread watcher = new Thread(() -> {
            while (!done.get()) {
                peak[0] = Math.max(peak[0], anonymousMib());
                Thread.yield();
            }
        });
        watcher.start();
        work.run();
        done.set(true);
        watcher.join();
        return peak[0];
    }

    private static double median(List<Double> values) {
        return values.stream().sorted().skip(values.size() / 2).findFirst().orElseThrow();
    }

    private static double anonymousMib() {
        try {
            for (String line : Files.readAllLines(Path.of("/proc/self/status"))) {
                if (line.startsWith("RssAnon:")) {
                    return Long.parseLong(line.replaceAll("\\D", "")) / 1024.0;
                }
            }
            return Double.NaN;
        } catch (IOException e) {
            throw new java.io.UncheckedIOException(e);
        }
    }
}
