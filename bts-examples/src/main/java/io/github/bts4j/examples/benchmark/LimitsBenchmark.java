package io.github.bts4j.examples.benchmark;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.github.bts4j.core.CausalLm;
import io.github.bts4j.core.DecodeSession;
import io.github.bts4j.core.llama.LlamaConfig;
import io.github.bts4j.core.llama.LlamaModel;
import io.github.bts4j.core.llama.LlamaTensors;
import io.github.bts4j.core.llama.LoadOptions;
import io.github.bts4j.core.llama.Quantization;
import io.github.bts4j.core.torch.Autograd;
import io.github.bts4j.core.torch.Kernels;
import io.github.bts4j.core.torch.Tensors;
import io.github.bts4j.core.torch.Torch;
import io.github.bts4j.core.torch.TorchType;
import io.github.bts4j.stitch.StitchedModel;
import java.io.IOException;
import java.util.Arrays;
import java.util.function.DoubleSupplier;

/**
 * How near one model comes to what the machine can do: decoding as a share of memory bandwidth over the bytes of weights that a token
 * reads, prefill as a share of the matrix product's peak. Both limits are measured in the same run: the bandwidth before and after each decoding, the better one counts; the peak before and after.
 * Then the same model with int8 weights, and what a token of the stitched model costs in tokens of the seed.
 *
 * <p>Takes {@link StitchBenchmark}'s options; {@code --seq} is the prompt's length. Prints one JSON object.
 */
public final class LimitsBenchmark {
    private static final int BUFFER = 1 << 28; // floats: 1 GiB, far above any cache
    private static final int SIDE = 4096;
    private static final double MIB = 1 << 20;

    private final BenchmarkOptions options;
    private final TorchType type;

    private LimitsBenchmark(BenchmarkOptions options) {
        this.options = options;
        this.type = TorchType.valueOf(options.precision().name());
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
        double peak = productPeak();
        ObjectNode result = options.describe(new ObjectMapper().createObjectNode());
        try (LlamaModel model = LlamaModel.open(options.folder(0))) {
            LlamaConfig config = model.config();
            double weights = LlamaTensors.parameterCount(config); // tied embeddings are read as the head, once
            Decoding decoding = decoding(model, weights * type.bytes());
            double tokenSeconds = decoding.tokenSeconds;
            double prefillSeconds = median(() -> prefillSeconds(model));
            peak = Math.max(peak, productPeak());
            double flops = prefillFlops(config, weights);
            result.put("decoded_by", model.decoder().rows().isPresent() ? "vector" : "torch");
            result.put("memory_gb_per_s", decoding.bandwidth / 1e9).put("product_gflops", peak / 1e9);
            result.put("decode_tokens_per_s", 1 / tokenSeconds).put("decode_share", decoding.share);
            result.put("prefill_tokens_per_s", options.sequence() / prefillSeconds).put("prefill_share", flops / peak / prefillSeconds);
            result.put("weights_mib", model.weightBytes() / MIB);
            quantised(result);
            result.put("stitched_decode_cost", stitchedTokenSeconds() / tokenSeconds).put("stitched_decode_goal", options.experts() + 1.2);
        }
        return result;
    }

    /** Medians over pairs of a decoding and a reading of memory, for a shared machine's bandwidth changes from second to second. */
    private record Decoding(double tokenSeconds, double bandwidth, double share) {}

    private Decoding decoding(LlamaModel model, double bytesPerToken) {
        decodeSeconds(model);
        double[] seconds = new double[options.steps()];
        double[] bandwidths = new double[options.steps()];
        double[] shares = new double[options.steps()];
        for (int i = 0; i < seconds.length; i++) {
            double before = bandwidth();
            seconds[i] = decodeSeconds(model);
            bandwidths[i] = Math.max(before, bandwidth());
            shares[i] = bytesPerToken / seconds[i] / bandwidths[i];
        }
        return new Decoding(median(seconds), median(bandwidths), median(shares));
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

    /** Bytes per second of a sum over 1 GiB, the fastest of ten. */
    private static double bandwidth() {
        try (NDManager scope = Torch.manager().newSubManager()) {
            NDArray buffer = scope.ones(new Shape(BUFFER));
            double best = Double.MAX_VALUE;
            for (int i = 0; i < 10; i++) {
                long begin = System.nanoTime();
                buffer.sum().close();
                best = Math.min(best, (System.nanoTime() - begin) / 1e9);
            }
            return 4.0 * BUFFER / best;
        }
    }

    /** Operations per second of a product of two square matrices as the model computes it, the fastest of ten. */
    private double productPeak() {
        Kernels kernels = Kernels.of(Torch.linearKernel(), "/io/github/bts4j/examples/benchmark/product.py");
        try (NDManager scope = Torch.manager().newSubManager()) {
            NDArray a = Tensors.place(scope, scope.randomUniform(-1, 1, new Shape(SIDE, SIDE)), type, Torch.manager().getDevice());
            double best = Double.MAX_VALUE;
            for (int i = 0; i < 10; i++) {
                long begin = System.nanoTime();
                kernels.tensor(scope, Autograd.INFERENCE, "product", a, a).close();
                best = Math.min(best, (System.nanoTime() - begin) / 1e9);
            }
            return 2.0 * SIDE * SIDE * SIDE / best;
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
            int[] prompt = new int[64];
            Arrays.setAll(prompt, i -> i + 1);
            session.append(prompt);
            long begin = System.nanoTime();
            for (int i = 0; i < options.newTokens(); i++) {
                session.append(i + 1);
            }
            return (System.nanoTime() - begin) / 1e9 / options.newTokens();
        }
    }

    private double prefillSeconds(LlamaModel model) {
        int[] prompt = new int[options.sequence()];
        Arrays.setAll(prompt, i -> i * 7 % model.vocabSize());
        try (DecodeSession session = model.newSession(prompt.length)) {
            long begin = System.nanoTime();
            session.append(prompt);
            return (System.nanoTime() - begin) / 1e9;
        }
    }

    /** The median over the steps, after one warm-up. */
    private double median(DoubleSupplier seconds) {
        seconds.getAsDouble();
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
