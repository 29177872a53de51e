package io.github.bts4j.spark;

import io.github.bts4j.core.Lifetime;
import io.github.bts4j.core.MismatchException;
import io.github.bts4j.core.torch.KernelChoices;
import io.github.bts4j.core.torch.Torch;
import io.github.bts4j.train.Trainable;
import io.github.bts4j.train.TrainingSource;
import io.github.bts4j.train.optim.Gradients;
import java.io.IOException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;

/** A training that an executor has open, for one task at a time; it keeps the weights that it was sent last. */
final class ExecutorTraining implements AutoCloseable {
    /** Those that are open and that no task uses; the key is what they were opened for. */
    private static final Map<String, List<ExecutorTraining>> FREE = new HashMap<>();

    private final String key;
    private final TrainingSource.Opened opened;
    private final Trainable training;
    private String version = "";

    /** Work with an open training. */
    interface Work<T> {
        T with(Trainable training);
    }

    private ExecutorTraining(String key, TrainingSource.Opened opened) {
        this.key = key;
        this.opened = opened;
        this.training = opened.training();
        Gradients.begin(training.parameters());
    }

    /** Works with the training of a job, opened here if it is not open yet, and with some weights. After a failure it is opened again. */
    @SuppressWarnings("try") // the binding is only held
    static <T> T with(TrainingJob job, Weights weights, Work<T> work) throws IOException {
        Torch.threads(job.place().threads());
        try (KernelChoices.Binding same = job.place().bind()) {
            return bound(job, weights, work);
        }
    }

    @SuppressWarnings("try") // the lease is only held
    private static <T> T bound(TrainingJob job, Weights weights, Work<T> work) throws IOException {
        ExecutorTraining held = borrow(job);
        boolean done = false;
        try (Lifetime.Lease use = held.training.use()) {
            held.take(weights);
            T result = work.with(held.training);
            done = true;
            return result;
        } finally {
            if (done) {
                giveBack(held);
            } else {
                held.close();
            }
        }
    }

    private static ExecutorTraining borrow(TrainingJob job) throws IOException {
        List<ExecutorTraining> others = new ArrayList<>();
        synchronized (FREE) {
            List<ExecutorTraining> free = FREE.getOrDefault(job.key(), List.of());
            if (!free.isEmpty()) {
                return free.remove(free.size() - 1);
            }
            FREE.forEach((key, list) -> others.addAll(key.equals(job.key()) ? List.of() : list));
            FREE.keySet().removeIf(key -> !key.equals(job.key()));
        }
        others.forEach(ExecutorTraining::close); // of earlier jobs
        TrainingSource.Opened opened = job.source().open(job.place());
        try {
            requireSame(job.identity(), opened.training().identity());
            return new ExecutorTraining(job.key(), opened);
        } catch (RuntimeException e) {
            opened.close();
            throw e;
        }
    }

    private static void requireSame(Map<String, String> expected, Map<String, String> found) {
        TreeSet<String> names = new TreeSet<>(expected.keySet());
        names.addAll(found.keySet());
        names.removeIf(name -> name.equals(Trainable.STARTING_WEIGHTS) || String.valueOf(expected.get(name)).equals(found.get(name)));
        if (!names.isEmpty()) {
            String first = names.first();
            throw new MismatchException("This executor's files are not the driver's: " + first + " is " + found.getOrDefault(first, "absent") + " here, and " + expected.getOrDefault(first, "absent")
                    + " there; give all machines the same files");
        }
    }

    private static void giveBack(ExecutorTraining training) {
        synchronized (FREE) {
            FREE.computeIfAbsent(training.key, key -> new ArrayList<>()).add(training);
        }
    }

    /** Closes what this process has open for a job, and no task uses. */
    static void closeFree(String key) {
        List<ExecutorTraining> free;
        synchronized (FREE) {
            free = FREE.getOrDefault(key, List.of());
            FREE.remove(key);
        }
        free.forEach(ExecutorTraining::close);
    }

    private void take(Weights weights) {
        if (!weights.version().equals(version)) {
            version = "";
            training.write(() -> weights.writeTo(training.parameters().values()));
            version = weights.version();
        }
    }

    @Override
    public void close() {
        opened.close();
    }
}
