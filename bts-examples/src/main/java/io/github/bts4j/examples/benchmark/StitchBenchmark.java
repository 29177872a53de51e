package io.github.bts4j.examples.benchmark;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.github.bts4j.core.CausalLm;
import io.github.bts4j.core.DecodeSession;
import io.github.bts4j.core.TokenBatch;
import io.github.bts4j.core.llama.Precision;
import io.github.bts4j.core.support.JsonReader;
import io.github.bts4j.core.torch.Torch;
import io.github.bts4j.stitch.StitchedModel;
import io.github.bts4j.train.metrics.Median;
import io.github.bts4j.train.optim.AdamW;
import io.github.bts4j.train.optim.AdamWConfig;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;

/**
 * Measures what the Python peer ({@code docs/peer/peer_torch.py}) measures, on the same shapes, and prints the same fields as one JSON object.
 *
 * <p>train: a full step (forward of n + 1 frozen models and K stitch layers, cross-entropy of the hub's logits, backward, clip,
 * AdamW); forward: logits of one batch without gradient; seed_*: the hub alone; decode: greedy tokens per second, batch 1, KV
 * caches, after a 64-token prompt; decode_8_together: eight such sequences in step, all their tokens per second. Medians over the steps,
 * after one warm-up.
 */
public final class StitchBenchmark {
    private static final int PROMPT = 64;
    private static final int DECODES = 3;
    private static final int TOGETHER = 8;

    private final BenchmarkOptions options;
    private final Random random = new Random(0);

    private StitchBenchmark(BenchmarkOptions options) {
        this.options = options;
    }

    /**
     * Runs the benchmark; the random checkpoints are made by a process of their own first, so that they do not count as memory.
     *
     * @param arguments {@code --shape s|m --dtype float32|bfloat16 --experts 3 --stitches 4 --batch 4 --seq 256 --steps 8
     *     --threads N --new-tokens 64 --rank 0 --models DIR}; with a rank, the experts are adapters of the hub
     * @throws IOException if a file cannot be read or written
     * @throws InterruptedException if the wait for the preparing process is interrupted
     */
    public static void main(String[] arguments) throws IOException, InterruptedException {
        BenchmarkOptions options = BenchmarkOptions.parse(arguments);
        StitchBenchmark benchmark = new StitchBenchmark(options);
        if (options.prepare()) {
            options.writeModels();
            return;
        }
        if (!Files.exists(options.last())) {
            options.prepareInAnotherProcess(arguments);
        }
        options.threads().ifPresent(Torch::threads);
        System.out.println(benchmark.run());
    }

    private ObjectNode run() throws IOException {
        ObjectNode result = options.describe(JsonReader.object());
        try (StitchedModel model = options.openStitched()) {
            int[][] tokens = tokens();
            int count = options.batch() * options.sequence();
            result.put("train_tokens_per_s", count / medianSeconds(train(model, tokens)));
            result.put("train_peak_mib", peakMib());
            CausalLm seed = model.models().get(0);
            result.put("forward_tokens_per_s", count / medianSeconds(() -> forward(model, tokens)));
            result.put("seed_forward_tokens_per_s", count / medianSeconds(() -> forward(seed, tokens)));
            result.put("decode_tokens_per_s", decode(model, tokens[0], 1));
            result.put("seed_decode_tokens_per_s", decode(seed, tokens[0], 1));
            result.put("decode_8_together_tokens_per_s", decode(model, tokens[0], TOGETHER));
            result.put("seed_decode_8_together_tokens_per_s", decode(seed, tokens[0], TOGETHER));
        }
        return result;
    }

    private int[][] tokens() {
        int[][] tokens = new int[options.batch()][options.sequence() + 1];
        for (int[] row : tokens) {
            Arrays.setAll(row, i -> random.nextInt(options.shape().config().vocabSize()));
        }
        return tokens;
    }

    private Runnable train(StitchedModel model, int[][] tokens) {
        AdamW optimizer = new AdamW(new AdamWConfig(0.9, 0.95, 1e-8, 0.1), model.getNDManager(), model.stitchTensors());
        float weight = 1f / (tokens.length * (tokens[0].length - 1));
        return () -> {
            model.accumulateGradients(tokens, weight, 0);
            optimizer.clip(optimizer.gradientNorm(), 1.0);
            optimizer.step(1e-3);
            model.weightsChanged();
        };
    }

    private void forward(CausalLm model, int[][] tokens) {
        try (NDManager scope = Torch.manager().newSubManager()) {
            NDArray ids = TokenBatch.tensor(scope, tokens, 0, options.sequence(), model.vocabSize());
            model.forward(ids);
        }
    }

    private double decode(CausalLm model, int[] tokens, int sessions) {
        double[] speeds = new double[DECODES + 1];
        for (int run = 0; run < speeds.length; run++) {
            speeds[run] = tokensPerSecond(model, Arrays.copyOf(tokens, PROMPT), options.newTokens(), sessions);
        }
        return Median.of(Arrays.copyOfRange(speeds, 1, speeds.length)); // the first one warms up
    }

    /** Greedy tokens of all sessions per second, decoded together after a prompt that is not counted. */
    static double tokensPerSecond(CausalLm model, int[] prompt, int newTokens, int sessions) {
        List<DecodeSession> open = new ArrayList<>();
        try {
            float[][] logits = new float[sessions][];
            for (int i = 0; i < sessions; i++) {
                open.add(model.newSession(prompt.length + newTokens));
                logits[i] = open.get(i).append(prompt);
            }
            long begin = System.nanoTime();
            for (int i = 0; i < newTokens; i++) {
                int[] next = Arrays.stream(logits).mapToInt(StitchBenchmark::argMax).toArray();
                logits = sessions == 1 ? new float[][] {open.get(0).append(next)} : model.appendEach(open, next);
            }
            return sessions * newTokens / ((System.nanoTime() - begin) / 1e9);
        } finally {
            open.forEach(DecodeSession::close);
        }
    }

    static int argMax(float[] logits) {
        int best = 0;
        for (int i = 1; i < logits.length; i++) {
            best = logits[i] > logits[best] ? i : best;
        }
        return best;
    }

    private double medianSeconds(Runnable work) {
        work.run();
        double[] seconds = new double[options.steps()];
        for (int i = 0; i < seconds.length; i++) {
            long begin = System.nanoTime();
            work.run();
            seconds[i] = (System.nanoTime() - begin) / 1e9;
        }
        return Median.of(seconds);
    }

    /** The process's largest resident set so far, in MiB (Linux). */
    private static double peakMib() throws IOException {
        for (String line : Files.readAllLines(Path.of("/proc/self/status"))) {
            if (line.startsWith("VmHWM:")) {
                return Long.parseLong(line.replaceAll("\\D", "")) / 1024.0;
            }
        }
        return Double.NaN;
    }

    static Precision precision(String dtype) {
        return Precision.named(dtype).orElseThrow(() -> new IllegalArgumentException("--dtype " + dtype + " must be one of float32, float16, bfloat16"));
    }
}
