package io.github.bts4j.examples.benchmark;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.github.bts4j.core.checkpoint.FileTree;
import io.github.bts4j.core.support.JsonReader;
import io.github.bts4j.core.torch.ActivationCheckpointing;
import io.github.bts4j.core.torch.Autograd;
import io.github.bts4j.core.torch.DecoderKernels;
import io.github.bts4j.core.torch.Kernels;
import io.github.bts4j.core.torch.Torch;
import io.github.bts4j.core.torch.llama.Decoder;
import io.github.bts4j.core.torch.llama.LlamaModel;
import io.github.bts4j.core.torch.llama.RopeRows;
import io.github.bts4j.stitch.FrozenStateCache;
import io.github.bts4j.stitch.PassOptions;
import io.github.bts4j.stitch.StitchedModel;
import io.github.bts4j.train.metrics.Median;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Random;
import java.util.stream.IntStream;

/**
 * Costs and savings of the ways to compute a training pass (forward and backward, without an optimizer step): the time of a pass with each of them, in
 * alternating order, and the peak of anonymous memory (Linux). For the frozen-state cache also the time of a forward pass to the losses, without it and with
 * it, and of all models' layers alone; and shares: of the layers below the first stitch, of the passes through a layer (layers times models) that it skips,
 * and of the time that it saves. Times are medians, and shares of time medians over neighbouring runs. Takes {@link StitchBenchmark}'s options; prints one
 * JSON object.
 */
public final class PassBenchmark {
    private static final DecoderKernels KERNELS = Kernels.of(DecoderKernels.class);

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
        ObjectNode result = options.describe(JsonReader.object());
        Path folder = Files.createTempDirectory(options.models(), "frozen-states");
        try (FrozenStateCache cache = FrozenStateCache.open(folder)) {
            Map<String, Runnable> ways = new LinkedHashMap<>();
            for (ActivationCheckpointing mode : List.of(ActivationCheckpointing.FULL, ActivationCheckpointing.PARTIAL, ActivationCheckpointing.OFF)) {
                ways.put("checkpointing_" + mode.name().toLowerCase(Locale.ROOT), () -> pass(options, model, tokens, PassOptions.DEFAULT.withCheckpointing(mode)));
            }
            ways.put("frozen_state_cache", () -> pass(options, model, tokens, PassOptions.DEFAULT.withFrozenStateCache(cache)));
            ways.put("forward", () -> model.tokenLosses(tokens));
            ways.put("forward_frozen_state_cache", () -> model.tokenLosses(tokens, cache));
            ways.put("layers", () -> layers(model, tokens));
            ways.get("checkpointing_full").run(); // to warm up, and for the gradients' own memory
            result.put("loaded_mib", ProcessMemory.anonymousMib());
            for (Map.Entry<String, Runnable> way : ways.entrySet()) {
                result.put("peak_mib_" + way.getKey(), ProcessMemory.peakMib(way.getValue()));
            }
            Map<String, List<Double>> seconds = new LinkedHashMap<>();
            List<String> order = new ArrayList<>(ways.keySet());
            for (int i = 0; i < options.steps(); i++) {
                order.forEach(name -> seconds.computeIfAbsent(name, n -> new ArrayList<>()).add(seconds(ways.get(name))));
                Collections.reverse(order);
            }
            ways.keySet().forEach(name -> result.put("seconds_" + name, Median.of(seconds.get(name))));
            putShares(result, model, seconds);
            return result;
        } finally {
            FileTree.delete(folder);
        }
    }

    private static void putShares(ObjectNode result, StitchedModel model, Map<String, List<Double>> seconds) {
        int layers = model.models().get(0).config().numLayers();
        int skipped = model.config().frozenLayers(0) + model.numExperts() * model.config().frozenLayers(1);
        result.put("share_of_layers_below_first_stitch", model.config().afterLayers().get(0) / (double) layers);
        result.put("share_of_layer_passes_skipped", skipped / (double) (layers * (model.numExperts() + 1)));
        List<Double> forward = saved(seconds, "forward", "forward_frozen_state_cache");
        List<Double> pass = saved(seconds, "checkpointing_off", "frozen_state_cache");
        result.put("share_of_forward_saved", Median.of(over(forward, seconds.get("forward"))));
        result.put("share_of_pass_saved", Median.of(over(pass, seconds.get("checkpointing_off"))));
        result.put("pass_saved_over_forward", Median.of(over(pass, seconds.get("forward"))));
        result.put("pass_saved_over_layers", Median.of(over(pass, seconds.get("layers"))));
    }

    private static List<Double> saved(Map<String, List<Double>> seconds, String without, String with) {
        return IntStream.range(0, seconds.get(with).size()).mapToObj(i -> seconds.get(without).get(i) - seconds.get(with).get(i)).toList();
    }

    private static List<Double> over(List<Double> parts, List<Double> wholes) {
        return IntStream.range(0, parts.size()).mapToObj(i -> parts.get(i) / wholes.get(i)).toList();
    }

    private static void layers(StitchedModel model, int[][] tokens) {
        int length = tokens[0].length - 1;
        try (NDManager scope = model.getNDManager().newSubManager()) {
            NDArray ids = scope.create(Arrays.stream(tokens).flatMapToLong(row -> Arrays.stream(row, 0, length).asLongStream()).toArray(),
                    new Shape(tokens.length, length));
            for (LlamaModel member : model.models()) {
                Decoder decoder = member.decoder();
                try (RopeRows rope = decoder.rope(0, length)) {
                    KERNELS.forwardHidden(scope, Autograd.OFF, ids, decoder.weights(), rope.tensors(), rope.row());
                }
            }
        }
    }

    private static void pass(BenchmarkOptions options, StitchedModel model, int[][] tokens, PassOptions how) {
        model.accumulateGradients(tokens, 1f / (options.batch() * options.sequence()), 0, how);
    }

    private static double seconds(Runnable work) {
        long begin = System.nanoTime();
        work.run();
        return (System.nanoTime() - begin) / 1e9;
    }
}
