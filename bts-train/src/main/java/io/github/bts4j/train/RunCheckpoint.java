package io.github.bts4j.train;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.github.bts4j.core.checkpoint.AtomicFiles;
import io.github.bts4j.core.checkpoint.FileTree;
import io.github.bts4j.core.checkpoint.ModelFingerprint;
import io.github.bts4j.core.checkpoint.ModelFormatException;
import io.github.bts4j.core.support.JsonReader;
import io.github.bts4j.core.torch.TensorFiles;
import io.github.bts4j.train.optim.TensorCopies;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Consumer;
import java.util.stream.Stream;

/**
 * Checkpoints of a run: weights, both moments, step, seeds and data position, each in a folder {@code checkpoint-STEP}.
 *
 * <p>A checkpoint is written into a hidden folder, flushed to the disk and renamed, so that a folder of that name is always complete,
 * even if the run is killed. For the same reason, older ones are renamed before they are deleted.
 */
public final class RunCheckpoint {
    private static final String PREFIX = "checkpoint-";
    private static final String TEMPORARY = ".checkpoint-";
    private static final String STATE = "state.json";
    private static final String WEIGHTS = "weights.safetensors";
    private static final String OPTIMIZER = "optimizer.safetensors";

    private RunCheckpoint() {}

    /** state.json: the state and the hashes of the tensor files. */
    record Stored(RunState state, Map<String, String> files) {}

    /**
     * Writes a checkpoint and removes older ones.
     *
     * @param run the run's folder, made if absent
     * @param state the run's state
     * @param weights trained tensors by name
     * @param optimizer optimizer state by name
     * @param keep how many checkpoints to keep, at least 1
     * @param every steps between regular checkpoints. Checkpoints at other steps, made when a run was stopped, do not count and are deleted when there is a
     *     newer one. The one with the best validation loss is always kept
     * @return the checkpoint's folder
     * @throws IOException if writing fails; older checkpoints stay whole
     */
    public static Path write(Path run, RunState state, Map<String, NDArray> weights, Map<String, NDArray> optimizer, int keep, long every)
            throws IOException {
        return write(run, state, weights, optimizer, new TrainerConfig.Checkpoints(every, keep), () -> { });
    }

    /** Fails when the run belongs to somebody else by now. */
    interface Fence {
        void check() throws IOException;
    }

    /** The same where another attempt may have taken over the run. */
    static Path write(Path run, RunState state, Map<String, NDArray> weights, Map<String, NDArray> optimizer, TrainerConfig.Checkpoints when, Fence fence) throws IOException {
        Files.createDirectories(run);
        fence.check();
        removeLeftovers(run);
        Path temporary = Files.createTempDirectory(run, TEMPORARY);
        Path target = run.resolve(PREFIX + String.format(Locale.ROOT, "%010d", state.step()));
        try {
            TensorFiles.write(temporary.resolve(WEIGHTS), weights, Map.of("format", "pt"));
            TensorFiles.write(temporary.resolve(OPTIMIZER), optimizer, Map.of("format", "pt"));
            Map<String, String> files = new LinkedHashMap<>();
            for (String name : List.of(WEIGHTS, OPTIMIZER)) {
                files.put(name, ModelFingerprint.sha256(temporary.resolve(name)));
            }
            AtomicFiles.write(temporary.resolve(STATE), JsonReader.pretty(new Stored(state, files)));
            fence.check();
            if (Files.exists(target)) {
                retire(run, target); // the same step was written before this run was resumed
            }
            Files.move(temporary, target, StandardCopyOption.ATOMIC_MOVE);
            AtomicFiles.forceFolder(run);
        } finally {
            FileTree.delete(temporary);
        }
        List<Path> all = list(run);
        List<Path> regular = all.stream().filter(path -> isRegular(path, when.every())).toList();
        for (Path old : all) {
            boolean superfluous = isRegular(old, when.every()) ? regular.indexOf(old) < regular.size() - when.keep() : !old.equals(target);
            if (superfluous && !old.equals(target) && stepOf(old) != state.validation().bestStep()) {
                fence.check();
                retire(run, old);
            }
        }
        return target;
    }

    private static boolean isRegular(Path checkpoint, long every) {
        return every < 1 || stepOf(checkpoint) % every == 0;
    }

    /**
     * The newest checkpoint of a run.
     *
     * @param run the run's folder
     * @return its folder, if there is one
     * @throws IOException if the folder cannot be read
     */
    public static Optional<Path> latest(Path run) throws IOException {
        List<Path> all = Files.isDirectory(run) ? list(run) : List.of();
        return all.isEmpty() ? Optional.empty() : Optional.of(all.get(all.size() - 1));
    }

    /**
     * The newest checkpoint of a run that is undamaged.
     *
     * @param run the run's folder
     * @param listener receives a message for every newer one that is damaged
     * @return its folder, if there is one
     * @throws IOException if the folder cannot be read
     * @throws ModelFormatException if there are checkpoints and all are damaged; describes the newest
     */
    public static Optional<Path> latestWhole(Path run, Consumer<String> listener) throws IOException {
        List<Path> all = new ArrayList<>(Files.isDirectory(run) ? list(run) : List.of());
        Collections.reverse(all);
        Optional<ModelFormatException> first = Optional.empty();
        List<String> damaged = new ArrayList<>();
        for (Path checkpoint : all) {
            try {
                requireWhole(checkpoint);
                damaged.forEach(what -> listener.accept(what + ". Resuming from " + checkpoint.getFileName()));
                return Optional.of(checkpoint);
            } catch (ModelFormatException e) {
                damaged.add(e.getMessage());
                first = first.or(() -> Optional.of(e));
            } catch (NoSuchFileException e) {
                damaged.add(e.getMessage() + " is missing");
                first = first.or(() -> Optional.of(new ModelFormatException(Path.of(e.getFile()), "the file is missing")));
            }
        }
        if (first.isPresent()) {
            throw first.get();
        }
        return Optional.empty();
    }

    private static Stored requireWhole(Path checkpoint) throws IOException {
        Stored stored = stored(checkpoint);
        for (Map.Entry<String, String> file : stored.files().entrySet()) {
            Path path = checkpoint.resolve(file.getKey());
            if (!Files.exists(path)) {
                throw new ModelFormatException(path, "the file is missing: the checkpoint is damaged");
            }
            if (!ModelFingerprint.sha256(path).equals(file.getValue())) {
                throw new ModelFormatException(path, "its SHA-256 is not the one in " + STATE + ": the checkpoint is damaged, use an older one");
            }
        }
        return stored;
    }

    /**
     * The checkpoint with the best validation loss.
     *
     * @param run the run's folder
     * @return its folder, if the run was validated
     * @throws IOException if the folder cannot be read
     * @throws ModelFormatException if the newest checkpoint, which records the best step, is damaged
     */
    public static Optional<Path> best(Path run) throws IOException {
        Optional<Path> latest = latest(run);
        if (latest.isEmpty()) {
            return latest;
        }
        long step = state(latest.get()).validation().bestStep();
        return list(run).stream().filter(path -> stepOf(path) == step).findFirst();
    }

    /**
     * The newest regular checkpoint at or before a step, or else the oldest one.
     *
     * @param run the run's folder
     * @param step the step to be at or before
     * @param every steps between regular checkpoints; others are ignored, so that a run that was stopped goes back to the same step as an uninterrupted one
     * @return its folder, if there is any regular checkpoint
     * @throws IOException if the folder cannot be read
     */
    static Optional<Path> before(Path run, long step, long every) throws IOException {
        List<Path> all = Files.isDirectory(run) ? list(run).stream().filter(path -> isRegular(path, every)).toList() : List.of();
        List<Path> old = all.stream().filter(path -> stepOf(path) <= step).toList();
        return old.isEmpty() ? all.stream().findFirst() : Optional.of(old.get(old.size() - 1));
    }

    static boolean exists(Path run, long step) throws IOException {
        return list(run).stream().anyMatch(path -> stepOf(path) == step);
    }

    /** Removes the checkpoints after a step, newest first, so that the rest is a consistent history even if the process dies. */
    static void removeAfter(Path run, long step) throws IOException {
        List<Path> all = new ArrayList<>(list(run));
        Collections.reverse(all);
        for (Path path : all) {
            if (stepOf(path) > step) {
                retire(run, path);
            }
        }
    }

    private static long stepOf(Path checkpoint) {
        return Long.parseLong(checkpoint.getFileName().toString().substring(PREFIX.length()));
    }

    /**
     * Reads a run's state.
     *
     * @param checkpoint a checkpoint's folder
     * @return the state
     * @throws IOException if a file cannot be read
     * @throws ModelFormatException if the checkpoint is damaged
     */
    public static RunState state(Path checkpoint) throws IOException {
        return stored(checkpoint).state();
    }

    /**
     * Restores tensors in place.
     *
     * @param checkpoint a checkpoint's folder
     * @param weights trained tensors, which are overwritten
     * @param optimizer the optimizer's state, which is overwritten
     * @throws IOException if a file cannot be read
     * @throws ModelFormatException if a file is damaged
     * @throws IllegalArgumentException if names or shapes differ
     */
    public static void restore(Path checkpoint, Map<String, NDArray> weights, Map<String, NDArray> optimizer) throws IOException {
        requireWhole(checkpoint);
        NDManager manager = weights.values().iterator().next().getManager();
        try (NDManager scope = manager.newSubManager()) {
            Map<String, NDArray> savedWeights = TensorFiles.read(scope, checkpoint.resolve(WEIGHTS));
            Map<String, NDArray> savedState = TensorFiles.read(scope, checkpoint.resolve(OPTIMIZER));
            TensorCopies.copyInto(weights, savedWeights, "weights");
            TensorCopies.copyInto(optimizer, savedState, "optimizer state");
        }
    }

    /**
     * Restores the weights alone, such as those of the {@link #best} checkpoint when a run is over. {@link Trainable#weightsChanged} must be called afterwards.
     *
     * @param checkpoint a checkpoint's folder
     * @param weights trained tensors, which are overwritten
     * @throws IOException if a file cannot be read
     * @throws ModelFormatException if a file is damaged
     * @throws IllegalArgumentException if names or shapes differ
     */
    public static void restoreWeights(Path checkpoint, Map<String, NDArray> weights) throws IOException {
        requireWhole(checkpoint);
        try (NDManager scope = weights.values().iterator().next().getManager().newSubManager()) {
            TensorCopies.copyInto(weights, TensorFiles.read(scope, checkpoint.resolve(WEIGHTS)), "weights");
        }
    }

    private static Stored stored(Path checkpoint) throws IOException {
        Path file = checkpoint.resolve(STATE);
        Stored stored = JsonReader.STRICT.record(file, Stored.class, ModelFormatException::new);
        if (!stored.files().keySet().equals(Set.of(WEIGHTS, OPTIMIZER))) {
            throw new ModelFormatException(file, "it has no hashes of " + WEIGHTS + " and " + OPTIMIZER);
        }
        return stored;
    }

    private static List<Path> list(Path run) throws IOException {
        try (Stream<Path> entries = Files.list(run)) {
            List<Path> found = new ArrayList<>(entries.filter(path -> path.getFileName().toString().matches(PREFIX + "\\d{10}")).toList());
            found.sort(Comparator.comparing(path -> path.getFileName().toString()));
            return found;
        }
    }

    /** Renames a checkpoint in one step, then deletes it. */
    private static void retire(Path run, Path checkpoint) throws IOException {
        Path away = Files.createTempDirectory(run, TEMPORARY);
        Path moved = away.resolve(checkpoint.getFileName());
        Files.move(checkpoint, moved, StandardCopyOption.ATOMIC_MOVE);
        FileTree.delete(away);
    }

    /** Deletes the temporary folders of killed runs. */
    private static void removeLeftovers(Path run) throws IOException {
        try (Stream<Path> entries = Files.list(run)) {
            for (Path path : entries.filter(p -> p.getFileName().toString().startsWith(TEMPORARY)).toList()) {
                FileTree.delete(path);
            }
        }
    }
}
