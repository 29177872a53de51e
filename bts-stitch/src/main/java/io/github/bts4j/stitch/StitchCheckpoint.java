package io.github.bts4j.stitch;

import static io.github.bts4j.core.support.Problems.throwIf;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.github.bts4j.core.checkpoint.ModelFormatException;
import io.github.bts4j.core.torch.Torch;
import io.github.bts4j.core.torch.llama.LoadOptions;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * A stitch checkpoint: the stitch weights, and the SHA-256 of all files of their base models.
 *
 * <p>A folder holds {@code stitch.json} and the safetensors file that it names, replaced as described for {@link BoundCheckpoint}.
 */
public final class StitchCheckpoint {
    /** The file that describes a checkpoint. */
    public static final String DESCRIPTION = "stitch.json";

    static final BoundCheckpoint<Description> FILES = new BoundCheckpoint<>("stitch", "these stitches were", Description.class);

    private StitchCheckpoint() {}

    /**
     * The content of stitch.json.
     *
     * @param format version of the layout, 1
     * @param weights name of the safetensors file
     * @param sha256 its hash
     * @param afterLayers layers after which stitches sit, from 1
     * @param alternating whether the kinds alternate
     * @param dropout gate dropout in training
     * @param init how the layers were initialised
     * @param lineage what happened to experts' places, oldest first
     * @param models hub first
     */
    public record Description(int format, String weights, String sha256, List<Integer> afterLayers, boolean alternating, double dropout, Init init,
            List<LineageStep> lineage, List<BoundCheckpoint.Base> models) implements BoundCheckpoint.Description {
        /**
         * The layout of the stitch layers.
         *
         * @return the configuration
         * @throws IllegalArgumentException if a value is out of range
         */
        public StitchConfig config() {
            return new StitchConfig(afterLayers, alternating, dropout, init);
        }

        @Override
        public void check() {
            throwIf(afterLayers.contains(null), () -> new IllegalArgumentException("afterLayers = " + afterLayers + ": none may be null"));
            throwIf(lineage.contains(null), () -> new IllegalArgumentException("lineage = " + lineage + ": none may be null"));
            config();
        }
    }

    /**
     * Reads a checkpoint's description.
     *
     * @param folder the checkpoint's folder
     * @return the content of its stitch.json, checked
     * @throws IOException if the file cannot be read
     * @throws ModelFormatException if it is malformed
     */
    public static Description describe(Path folder) throws IOException {
        return FILES.read(folder);
    }

    /**
     * Writes a model's stitch layers.
     *
     * @param model the model
     * @param folder the folder, made if absent; a checkpoint in it is replaced
     * @throws IOException if a file cannot be read or written; an older checkpoint stays whole
     */
    public static void save(StitchedModel model, Path folder) throws IOException {
        StitchConfig config = model.config();
        model.read(parts -> FILES.save(folder, parts.weights().tensors(), parts.members(), parts.models(), header -> new Description(header.format(),
                header.weights(), header.sha256(), config.afterLayers(), config.alternating(), config.dropout(), config.init(), parts.lineage(), header.models())));
    }

    /**
     * Loads a stitched model. The base models are found by their recorded paths.
     *
     * @param folder the checkpoint's folder
     * @param options device and precision of the base models
     * @return the model, which the caller closes
     * @throws IOException if a file cannot be read
     * @throws ModelFormatException if the checkpoint is malformed
     * @throws io.github.bts4j.core.MismatchException listing base models whose files differ from the recorded ones
     */
    public static StitchedModel open(Path folder, LoadOptions options) throws IOException {
        return open(folder, Map.of(), options);
    }

    /**
     * Loads a stitched model whose base models have moved.
     *
     * @param folder the checkpoint's folder
     * @param moved folders of base models by their names; the others are found by their recorded paths
     * @param options device and precision of the base models
     * @return the model, which the caller closes
     * @throws IOException if a file cannot be read
     * @throws ModelFormatException if the checkpoint is malformed
     * @throws io.github.bts4j.core.MismatchException listing base models whose files differ from the recorded ones, and unknown names
     */
    public static StitchedModel open(Path folder, Map<String, Path> moved, LoadOptions options) throws IOException {
        Description description = FILES.read(folder);
        return open(folder, description, FILES.members(folder, description, moved), description.lineage(), options);
    }

    /**
     * Loads a stitched model with another model, such as one that was trained further, in an expert's place: as after {@link StitchedModel#replaceExpert}, but the old expert is not read, and need not be there any more.
     *
     * @param folder the checkpoint's folder
     * @param name the expert's name, which stays
     * @param expert the new model's checkpoint folder, or the folder of a PEFT adapter of the hub
     * @param options device and precision of the base models
     * @return the model, which the caller closes
     * @throws IOException if a file cannot be read
     * @throws ModelFormatException if the checkpoint is malformed
     * @throws IllegalArgumentException if there is no such expert, or listing all reasons why the model does not fit
     * @throws io.github.bts4j.core.MismatchException listing other base models whose files differ from the recorded ones
     */
    public static StitchedModel openReplacing(Path folder, String name, Path expert, LoadOptions options) throws IOException {
        Description description = FILES.read(folder);
        List<BoundCheckpoint.Base> experts = description.models().subList(1, description.models().size());
        BoundCheckpoint.Base old = experts.stream().filter(each -> each.name().equals(name)).findFirst().orElseThrow(
                () -> new IllegalArgumentException("No expert is called '" + name + "'; the experts are " + experts.stream().map(BoundCheckpoint.Base::name).toList()));
        List<LineageStep> lineage = new ArrayList<>(description.lineage());
        lineage.add(new LineageStep(LineageStep.Change.REPLACED, name, old.files()));
        return open(folder, description, FILES.members(folder, description, Map.of(name, expert), Set.of(name)), lineage, options);
    }

    private static StitchedModel open(Path folder, Description description, List<Member> members, List<LineageStep> lineage, LoadOptions options) throws IOException {
        try (NDManager scope = Torch.manager().newSubManager()) {
            Map<String, NDArray> tensors = FILES.tensors(scope, folder, description);
            StitchedModel model = StitchedModelBuilder.open(members, description.config(), options, Map.of());
            try {
                model.restore(tensors, lineage);
                return model;
            } catch (RuntimeException e) {
                model.close();
                throw e;
            }
        }
    }

    /**
     * What happened to the places of a model's experts, in this process or before.
     *
     * @param model the model
     * @return the steps, oldest first
     * @throws IOException if the parts cannot be read
     */
    public static List<LineageStep> lineage(StitchedModel model) throws IOException {
        List<LineageStep> steps = new ArrayList<>();
        model.read(parts -> steps.addAll(parts.lineage()));
        return List.copyOf(steps);
    }

    /**
     * The identity of stitch weights: the layout and the hashes of all base files.
     *
     * @param model the model
     * @return name to value
     * @throws IOException if a base file cannot be read
     */
    public static Map<String, String> identity(StitchedModel model) throws IOException {
        Map<String, String> identity = new LinkedHashMap<>();
        identity.put("stitch.afterLayers", model.config().afterLayers().toString());
        identity.put("stitch.alternating", String.valueOf(model.config().alternating()));
        identity.put("stitch.dropout", String.valueOf(model.config().dropout()));
        identity.put("stitch.gateBias", String.valueOf(model.config().init().hasGateBias()));
        identity.putAll(Members.identity(model.members(), model.models()));
        return identity;
    }
}
