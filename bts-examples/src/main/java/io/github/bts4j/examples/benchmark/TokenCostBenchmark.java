package io.github.bts4j.examples.benchmark;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.github.bts4j.core.CausalLm;
import io.github.bts4j.core.DecodeSession;
import io.github.bts4j.core.llama.Repacking;
import io.github.bts4j.core.support.JsonReader;
import io.github.bts4j.core.torch.Torch;
import io.github.bts4j.core.torch.llama.LoadOptions;
import io.github.bts4j.stitch.StitchedModel;
import java.lang.management.ManagementFactory;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * What a token of the stitched model costs in tokens of its seed. A shared machine's speed changes from second to second, so both models decode in turn, a few tokens at a time, and costs are medians
 * over these pairs with their quartiles. With {@code --threads 1} the time is that of the thread's own processor, which other programs disturb less.
 *
 * <p>Takes {@link StitchBenchmark}'s options; {@code --seq} is the prompt's length, {@code --steps} the number of pairs, {@code --rank} the rank of experts that are adapters, 0 for full experts.
 * {@code -Drepacking=ALWAYS} repacks the weights (see {@link Repacking}), {@code -Dsessions=1,2,3,8} decodes as many sessions together. Prints one JSON object.
 */
public final class TokenCostBenchmark {
    private static final int TOKENS = 4;
    private static final int WARM_UP = 6; // pairs

    private final BenchmarkOptions options;

    private TokenCostBenchmark(BenchmarkOptions options) {
        this.options = options;
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
        System.out.println(new TokenCostBenchmark(options).run());
    }

    private ObjectNode run() throws Exception {
        ObjectNode result = options.describe(JsonReader.object());
        Repacking repacking = Repacking.valueOf(System.getProperty("repacking", "AUTOMATIC"));
        try (StitchedModel model = options.openStitched(LoadOptions.defaults().withRepacking(repacking))) {
            CausalLm seed = model.models().get(0);
            result.put("decoded_by", model.models().get(0).decoder().rows().isPresent() ? "vector" : "torch").put("repacking", repacking.name());
            for (String sessions : System.getProperty("sessions", "1").split(",")) {
                compare(result.putObject(sessions + "_together"), seed, model, Integer.parseInt(sessions));
            }
        }
        return result;
    }

    private void compare(ObjectNode result, CausalLm seed, CausalLm stitched, int sessions) {
        double[] cost = new double[options.steps()];
        double[] ours = new double[options.steps()];
        double[] its = new double[options.steps()];
        List<DecodeSession> some = open(seed, sessions);
        List<DecodeSession> others = open(stitched, sessions);
        for (int i = -WARM_UP; i < cost.length; i++) {
            int at = Math.max(i, 0);
            its[at] = seconds(seed, some);
            ours[at] = seconds(stitched, others);
            cost[at] = ours[at] / its[at];
        }
        some.forEach(DecodeSession::close);
        others.forEach(DecodeSession::close);
        result.put("cost", quartile(cost, 2)).put("cost_lower_quartile", quartile(cost, 1)).put("cost_upper_quartile", quartile(cost, 3));
        result.put("seed_ms", 1e3 * quartile(its, 2)).put("stitched_ms", 1e3 * quartile(ours, 2));
    }

    private List<DecodeSession> open(CausalLm model, int sessions) {
        List<DecodeSession> open = new ArrayList<>();
        int[] prompt = new int[options.sequence()];
        Arrays.setAll(prompt, i -> i * 7 % model.vocabSize());
        for (int s = 0; s < sessions; s++) {
            open.add(model.newSession(options.sequence() + TOKENS * (WARM_UP + options.steps())));
            open.get(s).append(prompt);
        }
        return open;
    }

    /** Seconds of a token of all sessions. */
    private double seconds(CausalLm model, List<DecodeSession> sessions) {
        int[] tokens = new int[sessions.size()];
        Arrays.fill(tokens, 1);
        long begin = now();
        for (int i = 0; i < TOKENS; i++) {
            if (sessions.size() == 1) {
                sessions.get(0).append(tokens);
            } else {
                model.appendEach(sessions, tokens);
            }
        }
        return (now() - begin) / 1e9 / TOKENS;
    }

    private long now() {
        return options.threads().orElse(0) == 1 ? ManagementFactory.getThreadMXBean().getCurrentThreadCpuTime() : System.nanoTime();
    }

    private static double quartile(double[] values, int number) {
        double[] sorted = values.clone();
        Arrays.sort(sorted);
        return sorted[Math.min(sorted.length - 1, sorted.length * number / 4)];
    }
}
