package io.github.bts4j.examples.benchmark;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.github.bts4j.core.DecodeSession;
import io.github.bts4j.core.llama.Precision;
import io.github.bts4j.core.support.JsonReader;
import io.github.bts4j.core.torch.Torch;
import io.github.bts4j.core.torch.llama.LlamaModel;
import io.github.bts4j.core.torch.llama.LoadOptions;
import io.github.bts4j.core.torch.llama.Quantization;
import io.github.bts4j.core.torch.llama.Weights;
import java.lang.management.ManagementFactory;
import java.lang.management.ThreadMXBean;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;

/**
 * Prefill and greedy decoding of a GGUF file, as {@code docs/peer/llama_cpp.mjs} measures llama.cpp: the same prompt, medians of the times between tokens. With one thread it also
 * prints the median of its processor time, which other programs disturb less. Arguments: the file, threads, tokens of the prompt, tokens to decode,
 * rounds, the type to compute in (default bfloat16), the weights ({@code stored}, {@code dequantized} or {@code int8}), and how many sessions decode together
 * afterwards (default 1). Prints one JSON object.
 */
public final class GgufBenchmark {
    private GgufBenchmark() {
    }

    /**
     * Runs the benchmark.
     *
     * @param arguments see the class
     * @throws Exception if the model cannot be read
     */
    public static void main(String[] arguments) throws Exception {
        Path file = Path.of(arguments[0]);
        Torch.threads(Integer.parseInt(arguments[1]));
        int[] prompt = new int[Integer.parseInt(arguments[2])];
        Arrays.setAll(prompt, i -> 100 + i * 37 % 1000);
        int tokens = Integer.parseInt(arguments[3]);
        int rounds = Integer.parseInt(arguments[4]);
        LoadOptions options = LoadOptions.defaults().withPrecision(Precision.named(arguments.length > 5 ? arguments[5] : "bfloat16").orElseThrow());
        String weights = arguments.length > 6 ? arguments[6] : "stored";
        int sessions = arguments.length > 7 ? Integer.parseInt(arguments[7]) : 1;
        try (LlamaModel model = LlamaModel.open(file, withWeights(options, weights))) {
            double[] decoding = new double[rounds];
            double[] processor = new double[rounds];
            double[] prefill = new double[rounds];
            int[] made = new int[tokens];
            for (int round = -1; round < rounds; round++) { // the first one warms up
                round(model, prompt, made, Math.max(round, 0), prefill, decoding, processor);
            }
            ObjectNode result = JsonReader.object().put("file", file.getFileName().toString()).put("threads", Torch.threads()).put("decoded_by", model.decoder().rows().isPresent() ? "vector" : "torch");
            Arrays.sort(decoding);
            Arrays.sort(prefill);
            Arrays.sort(processor);
            result.put("tokens_per_s", 1 / decoding[rounds / 2]).put("best", 1 / decoding[0]).put("prefill_per_s", prompt.length / prefill[rounds / 2]);
            if (Torch.threads() == 1) {
                result.put("tokens_per_processor_s", 1 / processor[rounds / 2]);
            }
            if (sessions > 1) {
                result.put("sessions", sessions).put("together_per_s", together(model, prompt, tokens, rounds, sessions));
            }
            result.put("weights_bytes", model.weightBytes()).put("file_bytes", Files.size(file));
            Files.readAllLines(Path.of("/proc/self/status")).stream().filter(line -> line.startsWith("Rss")).forEach(line -> result.put(line.split(":")[0], line.split(":")[1].strip()));
            ArrayNode ids = result.putArray("ids");
            Arrays.stream(made).limit(12).forEach(ids::add);
            System.out.println(result);
        }
    }

    private static LoadOptions withWeights(LoadOptions options, String weights) {
        return switch (weights) {
            case "stored" -> options;
            case "dequantized" -> options.withWeights(Weights.DEQUANTIZED);
            case "int8" -> options.withWeights(Weights.DEQUANTIZED).withQuantization(Quantization.INT8);
            default -> throw new IllegalArgumentException(weights + " must be one of stored, dequantized, int8");
        };
    }

    /** Tokens of all sessions per second, the median of the rounds. */
    private static double together(LlamaModel model, int[] prompt, int tokens, int rounds, int sessions) {
        double[] speeds = new double[rounds];
        for (int round = -1; round < rounds; round++) { // the first one warms up
            speeds[Math.max(round, 0)] = StitchBenchmark.tokensPerSecond(model, prompt, tokens, sessions);
        }
        Arrays.sort(speeds);
        return speeds[rounds / 2];
    }

    /** Seconds of the prompt, and the medians of the seconds between two tokens and of this thread's processor time. */
    private static void round(LlamaModel model, int[] prompt, int[] made, int at, double[] prefill, double[] decoding, double[] processor) {
        double[] gaps = new double[made.length - 1];
        double[] times = new double[made.length - 1];
        ThreadMXBean threads = ManagementFactory.getThreadMXBean();
        try (DecodeSession session = model.newSession(prompt.length + made.length)) {
            long begin = System.nanoTime();
            float[] logits = session.append(prompt);
            prefill[at] = (System.nanoTime() - begin) / 1e9;
            for (int t = 0; t < made.length; t++) {
                made[t] = StitchBenchmark.argMax(logits);
                if (t < gaps.length) {
                    long before = System.nanoTime();
                    long used = threads.getCurrentThreadCpuTime();
                    logits = session.append(made[t]);
                    times[t] = (threads.getCurrentThreadCpuTime() - used) / 1e9;
                    gaps[t] = (System.nanoTime() - before) / 1e9;
                }
            }
        }
        Arrays.sort(gaps);
        Arrays.sort(times);
        decoding[at] = gaps[gaps.length / 2];
        processor[at] = times[times.length / 2];
    }
}
