package io.github.bts4j.examples.benchmark;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.github.bts4j.core.CausalLm;
import io.github.bts4j.core.llama.Repacking;
import io.github.bts4j.core.support.JsonReader;
import io.github.bts4j.core.torch.Torch;
import io.github.bts4j.core.torch.llama.LoadOptions;
import io.github.bts4j.stitch.StitchedModel;
import io.github.bts4j.train.benchmark.PairedTimes;
import io.github.bts4j.train.benchmark.SessionSteps;
import java.lang.management.ManagementFactory;

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
        int room = TOKENS * (WARM_UP + options.steps());
        try (SessionSteps some = new SessionSteps(seed, sessions, options.sequence(), room); SessionSteps others = new SessionSteps(stitched, sessions, options.sequence(), room)) {
            for (int i = -WARM_UP; i < cost.length; i++) {
                int at = Math.max(i, 0);
                its[at] = seconds(some);
                ours[at] = seconds(others);
                cost[at] = ours[at] / its[at];
            }
        }
        result.put("cost", PairedTimes.quartile(cost, 2)).put("cost_lower_quartile", PairedTimes.quartile(cost, 1)).put("cost_upper_quartile", PairedTimes.quartile(cost, 3));
        result.put("seed_ms", 1e3 * PairedTimes.quartile(its, 2)).put("stitched_ms", 1e3 * PairedTimes.quartile(ours, 2));
    }

    /** Seconds of a token of all sessions; of one thread, those of its processor. */
    private double seconds(SessionSteps sessions) {
        long begin = ManagementFactory.getThreadMXBean().getCurrentThreadCpuTime();
        double elapsed = sessions.seconds(TOKENS);
        double used = (ManagementFactory.getThreadMXBean().getCurrentThreadCpuTime() - begin) / 1e9;
        return (options.threads().orElse(0) == 1 ? used : elapsed) / TOKENS;
    }
}
