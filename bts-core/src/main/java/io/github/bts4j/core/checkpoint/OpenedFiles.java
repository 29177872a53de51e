package io.github.bts4j.core.checkpoint;

import static io.github.bts4j.core.support.Problems.throwIf;

import io.github.bts4j.core.support.Interrupts;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.nio.file.attribute.FileTime;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.function.Supplier;

/**
 * The files of a model when it was opened: size, modification time, and the file system's key. They reveal a change without
 * reading the files again. Thread-safe.
 */
public final class OpenedFiles {

    private record Stamp(long size, FileTime changed, Object key) {
        static Stamp of(Path file) throws IOException {
            BasicFileAttributes attributes = Files.readAttributes(file, BasicFileAttributes.class);
            return new Stamp(attributes.size(), attributes.lastModifiedTime(), attributes.fileKey());
        }

        @Override
        public String toString() {
            return size + " bytes of " + changed;
        }
    }

    private final Supplier<ModelFingerprint> hashing;
    private final Map<Path, Stamp> stamps = new LinkedHashMap<>();
    private final List<Path> weights;
    private Optional<ModelFingerprint> fingerprint = Optional.empty();

    private OpenedFiles(Supplier<ModelFingerprint> hashing, List<Path> weights) {
        this.hashing = hashing;
        this.weights = weights;
    }

    /**
     * Records the files of a model.
     *
     * @param model a folder with {@code config.json} and a checkpoint, or a GGUF file
     * @return the files as they are now
     * @throws IOException if a file's attributes cannot be read
     * @throws ModelFormatException if a file is missing or damaged
     */
    public static OpenedFiles of(Path model) throws IOException {
        List<Path> weights = Checkpoint.isGguf(model) ? GgufParts.of(model).files() : Checkpoint.open(model).files();
        return of(() -> ModelFingerprint.of(model), weights, ModelFingerprint.files(model));
    }

    /**
     * Records the files of a model that is stored as an adapter of a base.
     *
     * @param base a folder with {@code config.json} and a checkpoint, or a GGUF file
     * @param adapter files of the adapter, all in one folder
     * @return the files as they are now
     * @throws IOException if a file's attributes cannot be read
     * @throws ModelFormatException if a file is missing or damaged
     */
    public static OpenedFiles of(Path base, List<Path> adapter) throws IOException {
        List<Path> weights = Checkpoint.isGguf(base) ? GgufParts.of(base).files() : Checkpoint.open(base).files();
        List<Path> all = new ArrayList<>(ModelFingerprint.files(base));
        all.addAll(adapter);
        return of(() -> ModelFingerprint.of(base).withAdapter(adapter), weights, all);
    }

    private static OpenedFiles of(Supplier<ModelFingerprint> hashing, List<Path> weights, List<Path> all) throws IOException {
        OpenedFiles opened = new OpenedFiles(hashing, weights);
        for (Path file : all) {
            opened.stamps.put(file, Stamp.of(file));
        }
        return opened;
    }

    /**
     * Fails if a mapped weight file has been changed in place: the weights would differ, or the process would crash if it was truncated. A file
     * that was deleted or replaced by another one, for example by a rename, is not a change: the mapping remains valid.
     *
     * @throws ModelFormatException if a file was changed
     */
    public void requireWeightsInPlace() {
        for (Path file : weights) {
            Stamp then = stamps.get(file);
            Stamp now = now(file);
            boolean replaced = now == null || then.key() != null && !then.key().equals(now.key());
            throwIf(!replaced && !then.equals(now),
                    () -> changed(file, then, now, "open the model again; write new weights to another file and rename it, or open with --no-mmap (LoadOptions.withMapping(false))"));
        }
    }

    /**
     * Fails if any file has been replaced or changed.
     *
     * @throws ModelFormatException if a file was changed
     */
    public void requireUnchanged() {
        stamps.forEach((file, then) -> {
            Stamp now = now(file);
            throwIf(!then.equals(now), () -> changed(file, then, now, "open the model again"));
        });
    }

    /**
     * The fingerprint of the files that were opened, computed at the first call.
     *
     * @return the fingerprint
     * @throws ModelFormatException if a file was changed or replaced before it could be read
     */
    public synchronized ModelFingerprint fingerprint() {
        if (fingerprint.isEmpty()) {
            requireUnchanged();
            ModelFingerprint computed = hashing.get();
            requireUnchanged();
            fingerprint = Optional.of(computed);
        }
        return fingerprint.get();
    }

    private static ModelFormatException changed(Path file, Stamp then, Stamp now, String fix) {
        return new ModelFormatException(file, "was changed since the model was opened: it had " + then + ", " + (now == null ? "and is gone"
                : "and has " + now + (Objects.equals(then.key(), now.key()) ? "" : ", another file")) + "; " + fix);
    }

    private static Stamp now(Path file) {
        try {
            return Stamp.of(file);
        } catch (NoSuchFileException e) {
            return null;
        } catch (IOException e) {
            Interrupts.rethrow(file, e);
            throw new ModelFormatException(file, "cannot be looked at: " + e.getMessage(), e);
        }
    }
}
