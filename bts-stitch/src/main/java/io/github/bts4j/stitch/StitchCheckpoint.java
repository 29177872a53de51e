package io.github.bts4j.stitch;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import com.fasterxml.jackson.core.JacksonException;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.github.bts4j.core.checkpoint.AtomicFiles;
import io.github.bts4j.core.checkpoint.ModelFingerprint;
import io.github.bts4j.core.checkpoint.ModelFormatException;
import io.github.bts4j.core.checkpoint.TensorFiles;
import io.github.bts4j.core.llama.LoadOptions;
import io.github.bts4j.core.torch.Torch;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

/**
 * A stitch checkpoint: the stitch weights alone, and the SHA-256 of every file of every base model they belong to.
 *
 * <p>A folder holds {@code stitch.json} and the safetensors file that it names. The weights' file carries the beginning of its
 * own hash in its name and is written first, so replacing {@code stitch.json} is the one moment at which a new checkpoint takes
 * the old one's place: a crash leaves one of the two, whole. Not for instances.
 */
public final class StitchCheckpoint {
    /** The file that describes a checkpoint. */
    public static final String DESCRIPTION = "stitch.json";

    private static final int FORMAT = 1;
    private static final int SHORT = 16;
    private static final String WEIGHTS = "stitch-[0-9a-f]{" + SHORT + "}\\.safetensors";
    /** Strict: an entry that is missing, null or unknown is an error, never a default. */
    private static final ObjectMapper JSON = new ObjectMapper()
            .enable(DeserializationFeature.FAIL_ON_MISSING_CREATOR_PROPERTIES)
            .enable(DeserializationFeature.FAIL_ON_NULL_CREATOR_PROPERTIES)
            .enable(DeserializationFeature.FAIL_ON_NULL_FOR_PRIMITIVES)
            .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS);

    private StitchCheckpoint() {}

    /**
     * What stitch.json holds.
     *
     * @param format version of the layout, 1
     * @param weights name of the safetensors file
     * @param sha256 its hash
     * @param places layers that stitches follow, from 1
     * @param alternating whether the kinds alternate
     * @param dropout gate dropout in training
     * @param init how the layers were started
     * @param models hub first
     */
    record Description(int format, String weights, String sha256, List<Integer> places, boolean alternating, double dropout, Init init,
            List<Base> models) {
        StitchConfig config() {
            return new StitchConfig(places, alternating, dropout, init);
        }
    }

    /** A base model: its name, where it lay as seen from the checkpoint's folder, and the hashes of its files. */
    record Base(String name, String path, Map<String, String> files) {}

    /**
     * Writes a model's stitch layers.
     *
     * @param model the model
     * @param folder the folder, made if absent; a checkpoint in it is replaced
     * @throws IOException if a file cannot be read or written; an older checkpoint stays whole
     */
    public static void save(StitchedModel model, Path folder) throws IOException {
        Files.createDirectories(folder);
        Path temporary = Files.createTempFile(folder, ".stitch", ".tmp");
        try {
            TensorFiles.write(temporary, model.stitchTensors(), Map.of("format", "bts4j-stitch"));
            String hash = ModelFingerprint.sha256(temporary);
            String name = "stitch-" + hash.substring(0, SHORT) + ".safetensors";
            Files.move(temporary, folder.resolve(name), java.nio.file.StandardCopyOption.ATOMIC_MOVE);
            Description description = describe(model, folder, name, hash);
            AtomicFiles.write(folder.resolve(DESCRIPTION), JSON.writerWithDefaultPrettyPrinter().writeValueAsBytes(description));
            removeOthers(folder, name);
        } finally {
            Files.deleteIfExists(temporary);
        }
    }

    private static Description describe(StitchedModel model, Path folder, String name, String hash) throws IOException {
        StitchConfig config = model.config();
        List<Base> bases = new ArrayList<>();
        Path here = folder.toRealPath();
        for (int i = 0; i < model.members().size(); i++) {
            Member member = model.members().get(i);
            String path = here.relativize(member.folder().toRealPath()).toString().replace('\\', '/');
            bases.add(new Base(member.name(), path, model.models().get(i).fingerprint().files()));
        }
        return new Description(FORMAT, name, hash, config.places(), config.alternating(), config.dropout(), config.init(), bases);
    }

    private static void removeOthers(Path folder, String keep) throws IOException {
        try (Stream<Path> files = Files.list(folder)) {
            for (Path file : files.toList()) {
                String name = file.getFileName().toString();
                if (name.startsWith("stitch-") && name.endsWith(".safetensors") && !name.equals(keep)) {
                    Files.delete(file);
                }
            }
        }
    }

    /**
     * Loads a stitched model, looking for the base models where they lay when the checkpoint was written.
     *
     * @param folder the checkpoint's folder
     * @param options device and precision of the base models
     * @return the model, which the caller closes
     * @throws IOException if a file cannot be read
     * @throws ModelFormatException if the checkpoint is malformed
     * @throws IllegalArgumentException naming every base model whose files are not those of the checkpoint
     */
    public static StitchedModel open(Path folder, LoadOptions options) throws IOException {
        return open(folder, Map.of(), options);
    }

    /**
     * Loads a stitched model whose base models have moved.
     *
     * @param folder the checkpoint's folder
     * @param moved folders of base models by their names; the others are looked for where they lay
     * @param options device and precision of the base models
     * @return the model, which the caller closes
     * @throws IOException if a file cannot be read
     * @throws ModelFormatException if the checkpoint is malformed
     * @throws IllegalArgumentException naming every base model whose files are not those of the checkpoint, and every unknown name
     */
    public static StitchedModel open(Path folder, Map<String, Path> moved, LoadOptions options) throws IOException {
        Description description = read(folder);
        List<Member> members = members(folder, description, moved);
        Path weights = folder.resolve(description.weights());
        if (!ModelFingerprint.sha256(weights).equals(description.sha256())) {
            throw new ModelFormatException(weights, "its SHA-256 is not the one in " + DESCRIPTION + ": was it changed or cut off?");
        }
        StitchedModel model = StitchedModel.open(members, description.config(), options, Map.of());
        try (NDManager scope = Torch.manager().newSubManager()) {
            Map<String, NDArray> tensors = TensorFiles.read(scope, weights);
            model.setStitchTensors(tensors);
            return model;
        } catch (IOException | RuntimeException e) {
            model.close();
            throw e;
        }
    }

    private static Description read(Path folder) throws IOException {
        Path file = folder.resolve(DESCRIPTION);
        try {
            Description description = JSON.readValue(Files.readAllBytes(file), Description.class);
            if (description == null) {
                throw new ModelFormatException(file, "it holds null");
            }
            if (description.format() != FORMAT) {
                throw new ModelFormatException(file, "format = " + description.format() + ", this version reads " + FORMAT);
            }
            if (!description.weights().matches(WEIGHTS)) {
                throw new ModelFormatException(file, "weights = " + description.weights() + " is no file name that this library gives");
            }
            check(description);
            return description;
        } catch (JacksonException e) {
            throw caused(file, "no stitch checkpoint: " + e.getOriginalMessage(), e);
        } catch (IllegalArgumentException e) {
            throw caused(file, e.getMessage(), e);
        }
    }

    /** Refuses what JSON allows and a model does not. */
    private static void check(Description description) {
        if (description.places().contains(null) || description.models().contains(null) || description.models().size() < 2) {
            throw new IllegalArgumentException("places = " + description.places() + ", models = " + description.models()
                    + ": neither holds null, and there are at least two models");
        }
        description.config();
        for (Base base : description.models()) {
            new Member(base.name(), Path.of(base.path()));
            if (base.files().containsValue(null)) {
                throw new IllegalArgumentException("model '" + base.name() + "' has a file without SHA-256: " + base.files());
            }
        }
    }

    private static ModelFormatException caused(Path file, String message, Exception cause) {
        ModelFormatException exception = new ModelFormatException(file, message);
        exception.initCause(cause);
        return exception;
    }

    private static List<Member> members(Path folder, Description description, Map<String, Path> moved) throws IOException {
        List<String> problems = new ArrayList<>();
        List<Member> members = new ArrayList<>();
        for (Base base : description.models()) {
            Member member = new Member(base.name(), moved.getOrDefault(base.name(), folder.resolve(base.path()).normalize()));
            members.add(member);
            if (!Files.exists(member.folder())) {
                problems.add("model '" + base.name() + "' is not in " + member.folder() + ": pass its folder");
                continue;
            }
            String difference = new ModelFingerprint(base.files()).describeDifference(ModelFingerprint.of(member.folder()));
            if (!difference.isEmpty()) {
                problems.add("model '" + base.name() + "' in " + member.folder() + " is not the one these stitches were trained with: " + difference);
            }
        }
        List<String> names = description.models().stream().map(Base::name).toList();
        moved.keySet().stream().filter(name -> !names.contains(name)).sorted()
                .forEach(name -> problems.add("there is no model '" + name + "' in this checkpoint; its models are " + names));
        if (!problems.isEmpty()) {
            throw new IllegalArgumentException("The stitch checkpoint in " + folder + " does not fit:\n  - " + String.join("\n  - ", problems));
        }
        return members;
    }

    /**
     * What stitch weights are bound to: the layout and the hashes of all base files.
     *
     * @param model the model
     * @return name to value
     * @throws IOException if a base file cannot be read
     */
    public static Map<String, String> identity(StitchedModel model) throws IOException {
        Map<String, String> identity = new LinkedHashMap<>();
        identity.put("stitch.places", model.config().places().toString());
        identity.put("stitch.alternating", String.valueOf(model.config().alternating()));
        identity.put("stitch.dropout", String.valueOf(model.config().dropout()));
        identity.put("stitch.gateBias", String.valueOf(model.config().init().hasGateBias()));
        for (int i = 0; i < model.members().size(); i++) {
            String name = i + ":" + model.members().get(i).name();
            model.models().get(i).fingerprint().files().forEach((file, hash) -> identity.put(name + "/" + file, hash));
        }
        return identity;
    }
}
