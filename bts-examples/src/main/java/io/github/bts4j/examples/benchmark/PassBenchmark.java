package io.github.bts4j.examples.benchmark;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.github.bts4j.core.checkpoint.FileTree;
import io.github.bts4j.core.torch.ActivationCheckpointing;
import io.github.bts4j.core.torch.Torch;
import io.github.bts4j.stitch.PassOptions;
import io.github.bts4j.stitch.PrefixCache;
import io.github.bts4j.stitch.StitchedModel;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Random;

/**
 * What the ways to compute a training pass cost and save: the time of a pass with each, in turn, and the anonymous memory at its peak (Linux). For the prefix
 * cache also the time of a forward pass to the losses, without it and with it, and the shares: of the layers below the first stitch, of the forward passes
 * through layers (layers times models) that it skips, and of the seconds that it saves. Takes {@link StitchBenchmark}'s options; prints one JSON object.
 */
public final class PassBenchmark {
    private PassBenchmark() {}

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
        Path folder = Files.createTempDirectory(options.models(), "prefix-cache");
        try (PrefixCache cache = PrefixCache.open(folder)) {
            Map<String, Runnable> ways = new LinkedHashMap<>();
            for (ActivationCheckpointing mode : List.of(ActivationCheckpointing.FULL, ActivationCheckpointing.PARTIAL, ActivationCheckpointing.OFF)) {
                ways.put("checkpointing_" + mode.name().toLowerCase(Locale.ROOT), () -> pass(options, model, tokens, PassOptions.DEFAULT.withCheckpointing(mode)));
            }
            ways.put("prefix_cache", () -> pass(options, model, tokens, PassOptions.DEFAULT.withPrefixCache(cache)));
            ways.put("forward", () -> model.tokenLosses(tokens));
            ways.put("forward_prefix_cache", () -> model.tokenLosses(tokens, cache));
            ways.get("checkpointing_full").run(); // to warm up, and for the gradients' own memory
            result.put("loaded_mib", ProcessMemory.anonymousMib());
            for (Map.Entry<String, Runnable> way : ways.entrySet()) {
                result.put("peak_mib_" + way.getKey(), ProcessMemory.peakMib(way.getValue()));
            }
            Map<String, List<Double>> seconds = new LinkedHashMap<>();
            for (int i = 0; i < options.steps(); i++) {
                ways.forEach((name, way) -> seconds.computeIfAbsent(name, n -> new ArrayList<>()).add(seconds(way)));
            }
            seconds.forEach((name, values) -> result.put("seconds_" + name, median(values)));
            putShares(result, model);
            return result;
        } finally {
            FileTree.delete(folder);
        }
    }

    private static void putShares(ObjectNode result, StitchedModel model) {
        int layers = model.models().get(0).config().numLayers();
        int skipped = model.config().frozenLayers(0) + model.numExperts() * model.config().frozenLayers(1);
        double saved = result.get("seconds_checkpointing_off").asDouble() - result.get("seconds_prefix_cache").asDouble();
        double forward = result.get("seconds_forward").asDouble();
        result.put("share_of_layers_below_first_stitch", model.config().places().get(0) / (double) layers);
        result.put("share_of_layer_passes_skipped", skipped / (double) (layers * (model.numExperts() + 1)));
        result.put("share_of_forward_saved", 1 - result.get("seconds_forward_prefix_cache").asDouble() / forward);
        result.put("step_seconds_saved_over_forward", saved / forward);
        result.put("share_of_step_saved", saved / result.get("seconds_checkpointing_off").asDouble());
    }

    private static void pass(BenchmarkOptions options, StitchedModel model, int[][] tokens, PassOptions how) {
        model.accumulateGradients(tokens, 1f / (options.batch() * options.sequence()), 0, how);
    }

    private static double seconds(Runnable work) {
        long begin = System.nanoTime();
        work.run();
        return (System.nanoTime() - begin) / 1e9;
    }

    private static double median(List<Double> values) {
        return values.stream().sorted().skip(values.size() / 2).findFirst().orElseThrow();
    }
}
