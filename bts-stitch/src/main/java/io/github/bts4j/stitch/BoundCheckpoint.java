package io.github.bts4j.stitch;

import static io.github.bts4j.core.support.Problems.throwIf;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.github.bts4j.core.MismatchException;
import io.github.bts4j.core.adapter.Adapter;
import io.github.bts4j.core.checkpoint.AtomicFiles;
import io.github.bts4j.core.checkpoint.ModelFingerprint;
import io.github.bts4j.core.checkpoint.ModelFormatException;
import io.github.bts4j.core.support.JsonReader;
import io.github.bts4j.core.support.Problems;
import io.github.bts4j.core.torch.TensorFiles;
import io.github.bts4j.core.torch.llama.LlamaModel;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;

/**
 * A checkpoint of weights that were trained over frozen base models: a JSON description with the SHA-256 of all files of
 * all base models, and the safetensors file that it names.
 *
 * <p>The name of the weights' file has the beginning of its hash, and it is written first. Replacing the description then
 * replaces the checkpoint atomically: after a crash either the old or the new one is complete. Immutable and
 * thread-safe, but only one process may write into a folder at a time.
 *
 * @param <D> the description, a record
 */
public final class BoundCheckpoint<D extends Record & BoundCheckpoint.Description> {
    private static final int FORMAT = 1;
    private static final int SHORT = 16;

    private final String kind;
    private final String bound;
    private final Class<D> type;

    /** The common part of all descriptions. */
    public interface Description {
        /** {@return the version of the layout, 1} */
        int format();

        /** {@return the name of the safetensors file in the same folder} */
        String weights();

        /** {@return the SHA-256 of the safetensors file in 64 hexadecimal digits} */
        String sha256();

        /** {@return the base models, hub first} */
        List<Base> models();

        /**
         * Checks values that JSON allows but the model does not.
         *
         * @throws IllegalArgumentException saying which
         */
        void check();
    }

    /**
     * A base model.
     *
     * @param name its name
     * @param path its path relative to the checkpoint's folder
     * @param files the SHA-256 of its files by their names
     */
    public record Base(String name, String path, Map<String, String> files) {}

    /**
     * The common entries of a description.
     *
     * @param format version of the layout
     * @param weights name of the safetensors file
     * @param sha256 its hash
     * @param models the base models, hub first
     */
    public record Header(int format, String weights, String sha256, List<Base> models) {}

    /**
     * Completes a description.
     *
     * @param <D> type of the description
     */
    @FunctionalInterface
    public interface Describer<D> {
        /**
         * Adds the settings that belong to the weights.
         *
         * @param header the common entries
         * @return the description
         */
        D describe(Header header);
    }

    /**
     * A kind of checkpoint.
     *
     * @param kind one word, such as {@code stitch}: the description is {@code stitch.json}, the weights {@code stitch-HASH.safetensors}
     * @param bound subject and verb for the message about a wrong base model, such as {@code these stitches were}
     * @param type the description's record
     */
    public BoundCheckpoint(String kind, String bound, Class<D> type) {
        this.kind = kind;
        this.bound = bound;
        this.type = type;
    }

    /** {@return the name of the file that describes a checkpoint} */
    public String description() {
        return kind + ".json";
    }

    /**
     * Writes weights and their description.
     *
     * @param folder the folder, made if absent; a checkpoint of this kind in it is replaced
     * @param tensors the weights by name
     * @param members the base models, hub first
     * @param models the same, loaded
     * @param describer completes the description
     * @throws IOException if a file cannot be read or written; an older checkpoint stays whole
     */
    public void save(Path folder, Map<String, NDArray> tensors, List<Member> members, List<LlamaModel> models, Describer<D> describer)
            throws IOException {
        Files.createDirectories(folder);
        Path temporary = Files.createTempFile(folder, "." + kind, ".tmp");
        try {
            TensorFiles.write(temporary, tensors, Map.of("format", "bts4j-" + kind));
            String hash = ModelFingerprint.sha256(temporary);
            String name = kind + "-" + hash.substring(0, SHORT) + ".safetensors";
            Files.move(temporary, folder.resolve(name), StandardCopyOption.ATOMIC_MOVE);
            D description = describer.describe(new Header(FORMAT, name, hash, bases(folder, members, models)));
            AtomicFiles.write(folder.resolve(description()), JsonReader.pretty(description));
            removeOthers(folder, name);
        } finally {
            Files.deleteIfExists(temporary);
        }
    }

    private static List<Base> bases(Path folder, List<Member> members, List<LlamaModel> models) throws IOException {
        List<Base> bases = new ArrayList<>();
        Path here = folder.toRealPath();
        for (int i = 0; i < members.size(); i++) {
            String path = here.relativize(members.get(i).folder().toRealPath()).toString().replace('\\', '/');
            bases.add(new Base(members.get(i).name(), path, models.get(i).fingerprint().files()));
        }
        return bases;
    }

    private void removeOthers(Path folder, String keep) throws IOException {
        try (Stream<Path> files = Files.list(folder)) {
            for (Path file : files.toList()) {
                String name = file.getFileName().toString();
                if (name.startsWith(kind + "-") && name.endsWith(".safetensors") && !name.equals(keep)) {
                    Files.delete(file);
                }
            }
        }
    }

    /**
     * Reads a description.
     *
     * @param folder the checkpoint's folder
     * @return the description, checked
     * @throws IOException if the file cannot be read
     * @throws ModelFormatException if it is malformed
     */
    public D read(Path folder) throws IOException {
        Path file = folder.resolve(description());
        throwIf(!Files.exists(folder), () -> new ModelFormatException(folder, "does not exist"));
        throwIf(!Files.isRegularFile(file),
                () -> new ModelFormatException(folder, "is not " + (kind.equals("stitch") ? "a stitched model" : "a " + kind + " checkpoint") + ": it has no " + description()));
        D description = JsonReader.STRICT.record(file, type, ModelFormatException::new);
        try {
            throwIf(description.format() != FORMAT,
                    () -> new ModelFormatException(file, "format = " + description.format() + ", this version reads " + FORMAT));
            throwIf(!description.weights().matches(kind + "-[0-9a-f]{" + SHORT + "}\\.safetensors"),
                    () -> new ModelFormatException(file, "weights = " + description.weights() + " is not a file name of this library"));
            checkBases(description.models());
            description.check();
            return description;
        } catch (IllegalArgumentException e) {
            throw new ModelFormatException(file, e.getMessage(), e);
        }
    }

    private static void checkBases(List<Base> models) {
        throwIf(models.contains(null) || models.size() < 2,
                () -> new IllegalArgumentException("models = " + models + ": there must be at least two, and none may be null"));
        for (Base base : models) {
            new Member(base.name(), Path.of(base.path()));
            throwIf(base.files().containsValue(null),
                    () -> new IllegalArgumentException("model '" + base.name() + "' has a file without SHA-256: " + base.files()));
        }
    }

    /**
     * Finds the base models and compares their files with the recorded hashes.
     *
     * @param folder the checkpoint's folder
     * @param description its description
     * @param moved folders of base models by their names; the others are found by their recorded paths
     * @return names and folders, hub first
     * @throws MismatchException listing base models whose files differ from the recorded ones, and unknown names
     */
    public List<Member> members(Path folder, D description, Map<String, Path> moved) {
        return members(folder, description, moved, Set.of());
    }

    /** The same, where some models are others than the recorded ones, and are not compared. */
    List<Member> members(Path folder, D description, Map<String, Path> moved, Set<String> others) {
        Problems problems = new Problems();
        List<Member> members = new ArrayList<>();
        Optional<ModelFingerprint> hub = Optional.empty();
        for (Base base : description.models()) {
            Member member = new Member(base.name(), moved.getOrDefault(base.name(), folder.resolve(base.path()).normalize()));
            members.add(member);
            if (others.contains(base.name())) {
                continue;
            }
            if (!Files.exists(member.folder())) {
                problems.add("model '" + base.name() + "' is not in " + member.folder() + ": pass its folder");
                continue;
            }
            if (member.isAdapter() && hub.isEmpty()) {
                continue; // its base is the hub, which is not there
            }
            ModelFingerprint found = member.isAdapter() ? hub.get().withAdapter(Adapter.files(member.folder())) : ModelFingerprint.of(member.folder());
            hub = hub.isEmpty() && members.size() == 1 ? Optional.of(found) : hub;
            String difference = new ModelFingerprint(base.files()).describeDifference(found);
            problems.addIf(!difference.isEmpty(), "model '" + base.name() + "' in " + member.folder() + " is not the one " + bound + " trained with: " + difference);
        }
        List<String> names = description.models().stream().map(Base::name).toList();
        moved.keySet().stream().filter(name -> !names.contains(name)).sorted()
                .forEach(name -> problems.add("there is no model '" + name + "' in this checkpoint; its models are " + names));
        throwIf(!problems.isEmpty(), () -> new MismatchException(problems.message("The " + kind + " checkpoint in " + folder + " does not fit")));
        return members;
    }

    /**
     * Reads the weights after comparing their file with its recorded hash.
     *
     * @param owner owner of the tensors
     * @param folder the checkpoint's folder
     * @param description its description
     * @return name to tensor
     * @throws IOException if the file cannot be read
     * @throws ModelFormatException if the file is not the recorded one, or is malformed
     */
    public Map<String, NDArray> tensors(NDManager owner, Path folder, D description) throws IOException {
        Path weights = folder.resolve(description.weights());
        throwIf(!ModelFingerprint.sha256(weights).equals(description.sha256()),
                () -> new ModelFormatException(weights, "its SHA-256 is not the one in " + description() + ": was it changed or cut off?"));
        return TensorFiles.read(owner, weights);
    }
}
