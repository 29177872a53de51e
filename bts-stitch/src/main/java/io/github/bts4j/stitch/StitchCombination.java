package io.github.bts4j.stitch;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDArrays;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import io.github.bts4j.core.MismatchException;
import io.github.bts4j.core.support.Problems;
import io.github.bts4j.core.torch.FiniteTensors;
import io.github.bts4j.core.torch.Torch;
import io.github.bts4j.core.torch.llama.LoadOptions;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;

/**
 * Puts stitches that were trained apart, each between the same hub and experts of their own, into one model, without any text.
 *
 * <p>In an Experts-into-Hub layer only differences of gate logits count, since softmax subtracts what they share. So the hub's slice becomes zero, and every expert's slice is its own less the hub's of the model that it
 * comes from: for each token and channel, an expert and the hub get weights in the ratio that they had there. In Hub-into-Experts layers each gate belongs to one expert. Without the other experts, the combined model is the model that was combined.
 */
public final class StitchCombination {
    private final List<Path> folders;
    private final Map<String, Path> moved;
    private final List<StitchCheckpoint.Description> parts = new ArrayList<>();

    private StitchCombination(List<Path> folders, Map<String, Path> moved) throws IOException {
        this.folders = folders;
        this.moved = moved;
        for (Path folder : folders) {
            parts.add(StitchCheckpoint.describe(folder));
        }
    }

    /**
     * Combines stitch checkpoints.
     *
     * @param folders their folders, two or more
     * @param moved folders of models by their names, where they are not at the recorded paths
     * @param options device and precision of the base models
     * @return the combined model, which the caller closes; experts are in the order of the folders
     * @throws IOException if a file cannot be read
     * @throws io.github.bts4j.core.checkpoint.ModelFormatException if a checkpoint is malformed
     * @throws MismatchException if the stitches have another hub or layout, two experts the same name, a model's files are not the recorded ones, or tensors are missing or have another shape
     * @throws io.github.bts4j.core.FileFormatException if a weight of the stitches is NaN or infinite
     */
    public static StitchedModel open(List<Path> folders, Map<String, Path> moved, LoadOptions options) throws IOException {
        StitchCombination combination = new StitchCombination(folders, moved);
        combination.check();
        return combination.open(options);
    }

    private void check() {
        Problems problems = new Problems();
        problems.addIf(folders.size() < 2, "there is only " + folders + ": at least two are combined");
        StitchCheckpoint.Description first = parts.get(0);
        Set<String> names = new TreeSet<>();
        Set<String> experts = new HashSet<>();
        for (int i = 0; i < parts.size(); i++) {
            StitchCheckpoint.Description part = parts.get(i);
            problems.addIf(!part.models().get(0).files().equals(first.models().get(0).files()),
                    folders.get(i) + " has another hub than " + folders.get(0) + ": the SHA-256 of their files differ; both must be trained with one hub");
            problems.addIf(!part.afterLayers().equals(first.afterLayers()) || part.alternating() != first.alternating(),
                    folders.get(i) + " has stitches after layers " + layout(part) + ", " + folders.get(0) + " after " + layout(first));
            problems.addIf(part.init().hasGateBias() != first.init().hasGateBias(), folders.get(i) + " was initialised as " + part.init() + ", " + folders.get(0) + " as " + first.init()
                    + ": either all gates have biases, or none");
            part.models().forEach(model -> names.add(model.name()));
            part.models().stream().skip(1).map(BoundCheckpoint.Base::name).filter(name -> !experts.add(name))
                    .forEach(name -> problems.add("two experts are called '" + name + "': each needs a name of its own"));
        }
        moved.keySet().stream().filter(name -> !names.contains(name)).forEach(name -> problems.add("there is no model '" + name + "'; the models are " + names));
        if (!problems.isEmpty()) {
            throw new MismatchException(problems.message("These stitches cannot be combined"));
        }
    }

    private static String layout(StitchCheckpoint.Description part) {
        return part.afterLayers() + (part.alternating() ? " of alternating kinds" : " that all lead into the hub");
    }

    private StitchedModel open(LoadOptions options) throws IOException {
        List<Member> members = new ArrayList<>();
        List<LineageStep> lineage = new ArrayList<>();
        try (NDManager scope = Torch.manager().newSubManager()) {
            List<Map<String, NDArray>> tensors = new ArrayList<>();
            for (int i = 0; i < parts.size(); i++) {
                StitchCheckpoint.Description part = parts.get(i);
                List<Member> own = StitchCheckpoint.FILES.members(folders.get(i), part, movedOf(part));
                members.addAll(members.isEmpty() ? own : own.subList(1, own.size()));
                tensors.add(read(scope, folders.get(i), part, Members.config(own.get(0), own.get(0)).hiddenSize()));
                lineage.addAll(part.lineage());
                own.stream().skip(1).forEach(member -> lineage.add(new LineageStep(LineageStep.Change.COMBINED, member.name(), Map.of(part.weights(), part.sha256()))));
            }
            StitchedModel model = StitchedModelBuilder.open(members, parts.get(0).config(), options, Map.of());
            try {
                model.restore(combined(scope, tensors), lineage);
                return model;
            } catch (RuntimeException e) {
                model.close();
                throw e;
            }
        }
    }

    /** The tensors of one part, which somebody else may have written. */
    private static Map<String, NDArray> read(NDManager scope, Path folder, StitchCheckpoint.Description part, int hiddenSize) throws IOException {
        Map<String, NDArray> tensors = StitchCheckpoint.FILES.tensors(scope, folder, part);
        Problems problems = StitchTensorCheck.problems(tensors, part.config(), part.models().size() - 1, hiddenSize);
        if (!problems.isEmpty()) {
            throw new MismatchException(problems.message("The tensors in " + folder.resolve(part.weights()) + " do not fit its stitch.json"));
        }
        FiniteTensors.require(folder.toString(), tensors);
        return tensors;
    }

    private Map<String, Path> movedOf(StitchCheckpoint.Description part) {
        Map<String, Path> own = new LinkedHashMap<>(moved);
        own.keySet().retainAll(part.models().stream().map(BoundCheckpoint.Base::name).toList());
        return own;
    }

    private Map<String, NDArray> combined(NDManager scope, List<Map<String, NDArray>> tensors) {
        StitchConfig config = parts.get(0).config();
        Map<String, NDArray> values = new LinkedHashMap<>();
        for (int j = 0; j < config.numStitches(); j++) {
            String prefix = "stitch." + j + ".";
            int expert = 1;
            for (int i = 0; i < parts.size(); i++) {
                for (int k = 1; k < parts.get(i).models().size(); k++) {
                    values.put(prefix + "proj." + expert++ + ".weight", tensors.get(i).get(prefix + "proj." + k + ".weight"));
                }
            }
            for (String gate : List.of("gate.weight", "gate.bias")) {
                if (tensors.get(0).containsKey(prefix + gate)) {
                    values.put(prefix + gate, gates(scope, tensors.stream().map(each -> each.get(prefix + gate)).toList(), config.intoHub(j)));
                }
            }
        }
        return values;
    }

    /** The slices of the hub and of all experts: {@code [models, ..]} each. */
    private static NDArray gates(NDManager scope, List<NDArray> gates, boolean intoHub) {
        NDList slices = new NDList();
        for (NDArray gate : gates) {
            NDArray hub = attached(scope, gate.get(0));
            if (slices.isEmpty()) {
                slices.add(attached(scope, hub.zerosLike()));
            }
            for (int k = 1; k < gate.getShape().get(0); k++) {
                NDArray own = attached(scope, gate.get(k));
                slices.add(intoHub ? attached(scope, own.sub(hub)) : own);
            }
        }
        return attached(scope, NDArrays.stack(slices));
    }

    private static NDArray attached(NDManager scope, NDArray tensor) {
        tensor.attach(scope);
        return tensor;
    }
}
