package io.github.bts4j.spark;

import io.github.bts4j.train.BranchStep;
import java.util.HashMap;
import java.util.Map;
import java.util.function.Consumer;
import org.apache.spark.scheduler.AccumulableInfo;
import org.apache.spark.scheduler.SparkListener;
import org.apache.spark.scheduler.SparkListenerExecutorMetricsUpdate;
import org.apache.spark.util.AccumulatorV2;

/** The newest step of each expert. Tasks add to it, and the executors' heartbeats bring it to the driver. Attempts that were lost are forgotten: the later attempt counts. */
final class BranchProgress extends AccumulatorV2<BranchStep, Map<String, BranchStep>> {
    private static final long serialVersionUID = 1L;
    static final String NAME = "bts4j.branch";

    private final HashMap<String, BranchStep> newest = new HashMap<>();

    @Override
    public synchronized boolean isZero() {
        return newest.isEmpty();
    }

    @Override
    public synchronized BranchProgress copy() {
        BranchProgress copy = new BranchProgress();
        copy.newest.putAll(newest);
        return copy;
    }

    @Override
    public synchronized void reset() {
        newest.clear();
    }

    @Override
    public synchronized void add(BranchStep step) {
        newest.merge(step.expert(), step, BranchProgress::later);
    }

    @Override
    public void merge(AccumulatorV2<BranchStep, Map<String, BranchStep>> other) {
        other.value().values().forEach(this::add);
    }

    @Override
    public synchronized Map<String, BranchStep> value() {
        return new HashMap<>(newest);
    }

    private static BranchStep later(BranchStep a, BranchStep b) {
        return isAfter(b, a) ? b : a;
    }

    private static boolean isAfter(BranchStep a, BranchStep b) {
        return a.attempt() != b.attempt() ? a.attempt() > b.attempt() : a.step() > b.step();
    }

    /** Reports what heartbeats bring, each step once. */
    static final class Heartbeats extends SparkListener {
        private final Map<String, BranchStep> told = new HashMap<>();
        private final Consumer<BranchStep> listener;

        Heartbeats(Consumer<BranchStep> listener) {
            this.listener = listener;
        }

        @Override
        public void onExecutorMetricsUpdate(SparkListenerExecutorMetricsUpdate update) {
            update.accumUpdates().foreach(task -> {
                task._4().foreach(this::tell);
                return task;
            });
        }

        private Object tell(AccumulableInfo info) {
            if (info.name().isDefined() && info.name().get().equals(NAME) && info.update().isDefined()) {
                ((Map<?, ?>) info.update().get()).values().forEach(step -> tell((BranchStep) step));
            }
            return info;
        }

        /** Reports a step that is later than the one before. */
        synchronized void tell(BranchStep step) {
            BranchStep before = told.get(step.expert());
            if (before == null || isAfter(step, before)) {
                told.put(step.expert(), step);
                listener.accept(step);
            }
        }
    }
}
