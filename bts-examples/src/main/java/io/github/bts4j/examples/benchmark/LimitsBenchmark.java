package io.github.bts4j.examples.benchmark;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.github.bts4j.core.CausalLm;
import io.github.bts4j.core.DecodeSession;
import io.github.bts4j.core.llama.LlamaConfig;
import io.github.bts4j.core.llama.LlamaTensors;
import io.github.bts4j.core.llama.Repacking;
import io.github.bts4j.core.rows.Arithmetic;
import io.github.bts4j.core.support.ElementType;
import io.github.bts4j.core.support.JsonReader;
import io.github.bts4j.core.torch.Autograd;
import io.github.bts4j.core.torch.Kernels;
import io.github.bts4j.core.torch.Tensors;
import io.github.bts4j.core.torch.Torch;
import io.github.bts4j.core.torch.llama.LlamaModel;
import io.github.bts4j.core.torch.llama.LoadOptions;
import io.github.bts4j.core.torch.llama.Quantization;
import io.github.bts4j.stitch.StitchedModel;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.DoubleSupplier;

/**
 * How close one model comes to the machine's limits: decoding as a share of the rate at which memory bandwidth allows its weights to be read, prefill as a
 * share of the matrix product's peak. A shared machine's limits change from second to second, so each is measured immediately before the few tokens or the
 * prompt that it is compared with, and the shares are medians over these pairs. Bandwidth is that of a sum over 1 GiB; that of a sum over the mapped weights is
 * reported too, for memory can be slower in some places than in others. Then eight sessions at once, the same model with its weights repacked and with int8
 * weights, and what a token of the stitched model costs in tokens of the seed.
 *
 * <p>Repacked weights need a heap of 1 GiB for shape m. Takes {@link StitchBenchmark}'s options; {@code --seq} is the prompt's length. Prints one JSON object.
 */
public final class LimitsBenchmark {
    private static final int BUFFER = 1 << 28; // floats: 1 GiB, far above any cache
    private static final int SIDE = 4096;
    private static final double MIB = 1 << 20;
    private static final int ROUNDS = 8; // of the decoding, for each step asked for
    private static final int TOKENS = 4;
    private static final int SESSIONS = 8;

    private final BenchmarkOptions options;
    private final ElementType type;

    private LimitsBenchmark(BenchmarkOptions options) {
        this.options = options;
        this.type = options.precision().elementType();
    }

    /**
     * Runs the benchmark.
     *
     * @param arguments see the class
     * @throws Exception if a model cannot be written or read
     */
    public static void main(String[] arguments) throws Exception {
        BenchmarkOptions options = BenchmarkOptions.parse(arguments);
        options.threads().ifPresent(Torch::threads);
        options.writeModels();
        System.out.println(new LimitsBenchmark(options).run());
    }

    private ObjectNode run() throws Exception {
        ObjectNode result = options.describe(JsonReader.object());
        try (LlamaModel model = LlamaModel.open(options.folder(0)); NDManager scope = Torch.manager().newSubManager()) {
            double weights = LlamaTensors.parameterCount(model.config()); // tied embeddings are read as the head, once
            NDArray buffer = scope.ones(new Shape(BUFFER));
            NDArray file = mapped(scope, options.folder(0));
            Pairs decoding = decoding(model, () -> bandwidth(buffer));
            Pairs reading = decoding(model, () -> bandwidth(file));
            NDArray square = Tensors.place(scope, scope.randomUniform(-1, 1, new Shape(SIDE, SIDE)), type, Torch.manager().getDevice());
            Pairs prefill = pairs(options.steps(), () -> 2.0 * SIDE * SIDE * SIDE / seconds(() -> multiply(scope, square)), () -> prefillSeconds(model));
            result.put("decoded_by", model.decoder().rows().isPresent() ? "vector" : "torch");
            result.put("memory_gb_per_s", decoding.limit() / 1e9).put("product_gflops", prefill.limit() / 1e9);
            result.put("decode_tokens_per_s", 1 / decoding.seconds()).put("decode_share", decoding.share(weights * type.bytes()));
            result.put("weights_gb_per_s", reading.limit() / 1e9).put("decode_share_of_reading_the_weights", reading.share(weights * type.bytes()));
            result.put("prefill_tokens_per_s", options.sequence() / prefill.seconds()).put("prefill_share", prefill.share(prefillFlops(model.config(), weights)));
            result.put("weights_mib", model.weightBytes() / MIB);
            result.put("eight_sessions_tokens_per_s", SESSIONS / median(() -> sessionsSeconds(model)));
            repacked(result, buffer, file, weights * type.bytes());
            quantised(result);
            result.put("stitched_decode_cost", stitchedTokenSeconds() / median(() -> decodeSeconds(model))).put("stitched_decode_goal", options.experts() + 1.2);
        }
        return result;
    }

    /** Measurements of a limit, per second, each followed by the seconds that a computation took. */
    private record Pairs(double[] limits, double[] times) {
        double limit() {
            return median(limits);
        }

        double seconds() {
            return median(times);
        }

        double share(double work) {
            double[] shares = new double[limits.length];
            Arrays.setAll(shares, i -> work / times[i] / limits[i]);
            return median(shares);
        }
    }

    /** A first pair warms up and does not count. */
    private static Pairs pairs(int count, DoubleSupplier limit, DoubleSupplier seconds) {
        double[] limits = new double[count];
        double[] times = new double[count];
        for (int i = -1; i < count; i++) {
            limits[Math.max(i, 0)] = limit.getAsDouble();
            times[Math.max(i, 0)] = seconds.getAsDouble();
        }
        return new Pairs(limits, times);
    }

    private Pairs decoding(LlamaModel model, DoubleSupplier bandwidth) {
        int count = options.steps() * ROUNDS;
        try (DecodeSession session = model.newSession(64 + (count + 1) * TOKENS)) {
            session.append(prompt(64));
            return pairs(count, bandwidth, () -> seconds(() -> {
                for (int i = 0; i < TOKENS; i++) {
                    session.append(i + 1);
                }
            }) / TOKENS);
        }
    }

    /** Bytes per second of a sum. */
    private static double bandwidth(NDArray floats) {
        return 4.0 * floats.size() / seconds(() -> floats.sum().close());
    }

    /** The model's file read as meaningless floats: the pages that decoding reads. */
    private static NDArray mapped(NDManager scope, Path folder) throws IOException {
        Path file = folder.resolve("model.safetensors");
        long floats = Files.size(file) / 4;
        return Tensors.view(scope, Tensors.map(scope, file, 4 * floats), ElementType.FLOAT32, 0, floats);
    }

    private static double seconds(Runnable work) {
        long begin = System.nanoTime();
        work.run();
        return (System.nanoTime() - begin) / 1e9;
    }

    private static void multiply(NDManager scope, NDArray a) {
        Kernels.of(ProductKernels.class).product(scope, Autograd.INFERENCE, a, a).close();
    }

    private static int[] prompt(int length) {
        int[] prompt = new int[length];
        Arrays.setAll(prompt, i -> i + 1);
        return prompt;
    }

    /** With the weights on the Java heap, which bts-vector alone can read. */
    private void repacked(ObjectNode result, NDArray buffer, NDArray file, double bytes) throws IOException {
        if (Arithmetic.available().isEmpty()) {
            return;
        }
        try (LlamaModel model = LlamaModel.open(options.folder(0), LoadOptions.defaults().withRepacking(Repacking.ALWAYS))) {
            Pairs decoding = decoding(model, () -> bandwidth(buffer));
            Pairs reading = decoding(model, () -> bandwidth(file));
            result.put("repacked_memory_gb_per_s", decoding.limit() / 1e9);
            result.put("repacked_decode_tokens_per_s", 1 / decoding.seconds()).put("repacked_decode_share", decoding.share(bytes));
            result.put("repacked_decode_share_of_reading_the_weights", reading.share(bytes));
            result.put("repacked_eight_sessions_tokens_per_s", SESSIONS / median(() -> sessionsSeconds(model)));
        }
    }

    /** Seconds of a step of several sessions. */
    private double sessionsSeconds(LlamaModel model) {
        List<DecodeSession> sessions = new ArrayList<>();
        try {
            for (int s = 0; s < SESSIONS; s++) {
                sessions.add(model.newSession(64 + options.newTokens()));
                sessions.get(s).append(prompt(64));
            }
            return seconds(() -> {
                for (int i = 0; i < options.newTokens(); i++) {
                    int[] tokens = new int[SESSIONS];
                    Arrays.fill(tokens, i + 1);
                    model.appendEach(sessions, tokens);
                }
            }) / options.newTokens();
        } finally {
            sessions.forEach(DecodeSession::close);
        }
    }

    private void quantised(ObjectNode result) throws IOException {
        try (LlamaModel model = LlamaModel.open(options.folder(0), LoadOptions.defaults().withQuantization(Quantization.INT8))) {
            result.put("int8_decode_tokens_per_s", 1 / median(() -> decodeSeconds(model)));
            result.put("int8_prefill_tokens_per_s", options.sequence() / median(() -> prefillSeconds(model)));
            result.put("int8_weights_mib", model.weightBytes() / MIB);
        }
    }

    private double stitchedTokenSeconds() throws IOException {
        try (StitchedModel model = options.openStitched()) {
            return median(() -> decodeSeconds(model));
        }
    }

    /** Two operations per weight and token in the layers, the causal half of both attention products, and the head for the last token alone. */
    private double prefillFlops(LlamaConfig config, double weights) {
        double head = (double) config.vocabSize() * config.hiddenSize();
        double length = options.sequence();
        double attention = 2.0 * config.numLayers() * config.numHeads() * config.headDim() * length * (length + 1);
        return 2 * (weights - head) * length + attention + 2 * head;
    }

    private double decodeSeconds(CausalLm model) {
        try (DecodeSession session = model.newSession(64 + options.newTokens())) {
            session.append(prompt(64));
            return seconds(() -> {
                for (int i = 0; i < options.newTokens(); i++) {
                    session.append(i + 1);
                }
            }) / options.newTokens();
        }
    }

    private double prefillSeconds(LlamaModel model) {
        int[] prompt = new int[options.sequence()];
        Arrays.setAll(prompt, i -> i * 7 % model.vocabSize());
        try (DecodeSession session = model.newSession(prompt.length)) {
            return seconds(() -> session.append(prompt));
        }
    }

    /** The median over the steps, after one warm-up. */
    private double median(DoubleSupplier seconds) {
        double unused = seconds.getAsDouble();
        double[] all = new double[options.steps()];
        Arrays.setAll(all, i -> seconds.getAsDouble());
        return median(all);
    }

    private static double median(double[] values) {
        double[] sorted = values.clone();
        Arrays.sort(sorted);
        return sorted[sorted.length / 2];
    }
}
