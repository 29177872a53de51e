package io.github.bts4j.examples.benchmark;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.github.bts4j.core.CausalLm;
import io.github.bts4j.core.llama.LlamaConfig;
import io.github.bts4j.core.llama.LlamaTensors;
import io.github.bts4j.core.llama.Repacking;
import io.github.bts4j.core.rows.Arithmetic;
import io.github.bts4j.core.support.ElementType;
import io.github.bts4j.core.support.JsonReader;
import io.github.bts4j.core.torch.Tensors;
import io.github.bts4j.core.torch.Torch;
import io.github.bts4j.core.torch.llama.LlamaModel;
import io.github.bts4j.core.torch.llama.LoadOptions;
import io.github.bts4j.core.torch.llama.Quantization;
import io.github.bts4j.stitch.StitchedModel;
import io.github.bts4j.train.benchmark.MachineLimits;
import io.github.bts4j.train.benchmark.PairedTimes;
import io.github.bts4j.train.benchmark.SessionSteps;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
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
    private static final int BUFFER = 1 << 30; // 1 GiB, far above any cache
    private static final int SIDE = 4096;
    private static final double MIB = 1 << 20;
    private static final int ROUNDS = 8; // of the decoding, for each step asked for
    private static final int TOKENS = 4;
    private static final int SESSIONS = 8;
    private static final int PROMPT = 64; // before decoding

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
        try (LlamaModel model = LlamaModel.open(options.folder(0)); MachineLimits machine = new MachineLimits(BUFFER, SIDE, type)) {
            double weights = LlamaTensors.parameterCount(model.config()); // tied embeddings are read as the head, once
            NDArray file = mapped(machine.scope(), options.folder(0));
            PairedTimes decoding = decoding(model, machine::memory);
            PairedTimes reading = decoding(model, () -> MachineLimits.memory(file));
            PairedTimes prefill = PairedTimes.of(options.steps(), machine::product, () -> prefillSeconds(model));
            result.put("decoded_by", model.decoder().rows().isPresent() ? "vector" : "torch");
            result.put("memory_gb_per_s", decoding.limit() / 1e9).put("product_gflops", prefill.limit() / 1e9);
            result.put("decode_tokens_per_s", 1 / decoding.median()).put("decode_share", decoding.share(weights * type.bytes()));
            result.put("weights_gb_per_s", reading.limit() / 1e9).put("decode_share_of_reading_the_weights", reading.share(weights * type.bytes()));
            result.put("prefill_tokens_per_s", options.sequence() / prefill.median()).put("prefill_share", prefill.share(prefillFlops(model.config(), weights)));
            result.put("weights_mib", model.weightBytes() / MIB);
            result.put("eight_sessions_tokens_per_s", SESSIONS / median(() -> tokenSeconds(model, SESSIONS)));
            repacked(result, machine, file, weights * type.bytes());
            quantised(result);
            result.put("stitched_decode_cost", stitchedTokenSeconds() / median(() -> tokenSeconds(model, 1))).put("stitched_decode_goal", options.experts() + 1.2);
        }
        return result;
    }

    private PairedTimes decoding(LlamaModel model, DoubleSupplier bandwidth) {
        int count = options.steps() * ROUNDS;
        try (SessionSteps session = new SessionSteps(model, 1, PROMPT, (count + 1) * TOKENS)) {
            return PairedTimes.of(count, bandwidth, () -> session.seconds(TOKENS) / TOKENS);
        }
    }

    /** The model's file read as meaningless floats: the pages that decoding reads. */
    private static NDArray mapped(NDManager scope, Path folder) throws IOException {
        Path file = folder.resolve("model.safetensors");
        long floats = Files.size(file) / 4;
        return Tensors.view(scope, Tensors.map(scope, file, 4 * floats), ElementType.FLOAT32, 0, floats);
    }

    /** With the weights on the Java heap, which bts-vector alone can read. */
    private void repacked(ObjectNode result, MachineLimits machine, NDArray file, double bytes) throws IOException {
        if (Arithmetic.available().isEmpty()) {
            return;
        }
        try (LlamaModel model = LlamaModel.open(options.folder(0), LoadOptions.defaults().withRepacking(Repacking.ALWAYS))) {
            PairedTimes decoding = decoding(model, machine::memory);
            PairedTimes reading = decoding(model, () -> MachineLimits.memory(file));
            result.put("repacked_memory_gb_per_s", decoding.limit() / 1e9);
            result.put("repacked_decode_tokens_per_s", 1 / decoding.median()).put("repacked_decode_share", decoding.share(bytes));
            result.put("repacked_decode_share_of_reading_the_weights", reading.share(bytes));
            result.put("repacked_eight_sessions_tokens_per_s", SESSIONS / median(() -> tokenSeconds(model, SESSIONS)));
        }
    }

    /** Seconds of a step of some sessions. */
    private double tokenSeconds(CausalLm model, int sessions) {
        try (SessionSteps steps = new SessionSteps(model, sessions, PROMPT, options.newTokens())) {
            return steps.seconds(options.newTokens()) / options.newTokens();
        }
    }

    private void quantised(ObjectNode result) throws IOException {
        try (LlamaModel model = LlamaModel.open(options.folder(0), LoadOptions.defaults().withQuantization(Quantization.INT8))) {
            result.put("int8_decode_tokens_per_s", 1 / median(() -> tokenSeconds(model, 1)));
            result.put("int8_prefill_tokens_per_s", options.sequence() / median(() -> prefillSeconds(model)));
            result.put("int8_weights_mib", model.weightBytes() / MIB);
        }
    }

    private double stitchedTokenSeconds() throws IOException {
        try (StitchedModel model = options.openStitched()) {
            return median(() -> tokenSeconds(model, 1));
        }
    }

    /** Two operations per weight and token in the layers, the causal half of both attention products, and the head for the last token alone. */
    private double prefillFlops(LlamaConfig config, double weights) {
        double head = (double) config.vocabSize() * config.hiddenSize();
        double length = options.sequence();
        double attention = 2.0 * config.numLayers() * config.numHeads() * config.headDim() * length * (length + 1);
        return 2 * (weights - head) * length + attention + 2 * head;
    }

    private double prefillSeconds(LlamaModel model) {
        return SessionSteps.prefillSeconds(model, options.sequence());
    }

    /** The median over the steps, after one warm-up. */
    private double median(DoubleSupplier seconds) {
        return PairedTimes.of(options.steps(), () -> 1, seconds).median();
    }
}
