package io.github.bts4j.cli;

import io.github.bts4j.train.BranchStep;
import io.github.bts4j.train.metrics.MetricsListener;
import io.github.bts4j.train.metrics.StepMetrics;
import java.io.PrintWriter;
import java.util.HashMap;
import java.util.Locale;
import java.util.Map;
import java.util.function.Consumer;

/** Prints how far several experts are: a line for each at its first and its last step, and every ten seconds in between. */
final class BranchReport implements Consumer<BranchStep> {
    private static final long EVERY_NANOS = 10_000_000_000L;

    private final PrintWriter out;
    private final Map<String, Long> printed = new HashMap<>();

    BranchReport(PrintWriter out) {
        this.out = out;
    }

    @Override
    public synchronized void accept(BranchStep step) {
        long now = System.nanoTime();
        Long before = printed.get(step.expert());
        if (before == null || step.step() == step.totalSteps() || now - before >= EVERY_NANOS) {
            printed.put(step.expert(), now);
            out.printf(Locale.ROOT, "expert %s: step %d/%d loss %.4f%s%n", step.expert(), step.step(), step.totalSteps(), step.loss(), step.attempt() == 0 ? "" : ", attempt " + (step.attempt() + 1));
            out.flush();
        }
    }

    /** The same of an expert that is trained in this process, with the trainer's messages. */
    MetricsListener of(String expert) {
        return new MetricsListener() {
            @Override
            public void onStep(StepMetrics step) {
                accept(new BranchStep(expert, step.step(), step.totalSteps(), step.loss(), 0));
            }

            @Override
            public void onMessage(String message) {
                out.println("expert " + expert + ": " + message);
            }
        };
    }
}
