package io.github.bts4j.stitch.baseline;

import static io.github.bts4j.core.support.Problems.throwIf;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.github.bts4j.core.MismatchException;
import io.github.bts4j.core.checkpoint.ModelFormatException;
import io.github.bts4j.core.torch.Torch;
import io.github.bts4j.core.torch.llama.LoadOptions;
import io.github.bts4j.stitch.BoundCheckpoint;
import io.github.bts4j.stitch.Member;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;

/**
 * A router's checkpoint: its matrix, the number of tokens for the decision, and the SHA-256 of all files of its models.
 *
 * <p>A folder holds {@code router.json} and the safetensors file that it names, replaced as described for {@link BoundCheckpoint}.
 */
public final class RouterCheckpoint {
    /** The file that describes a checkpoint. */
    public static final String DESCRIPTION = "router.json";

    private static final BoundCheckpoint<Description> FILES = new BoundCheckpoint<>("router", "this router was", Description.class);

    private RouterCheckpoint() {}

    /**
     * The content of router.json.
     *
     * @param format version of the layout, 1
     * @param weights name of the safetensors file
     * @param sha256 its hash
     * @param decisionTokens tokens that the route is chosen from on given text
     * @param models the seed first
     */
    record Description(int format, String weights, String sha256, int decisionTokens, List<BoundCheckpoint.Base> models)
            implements BoundCheckpoint.Description {
        @Override
        public void check() {
            throwIf(decisionTokens < 1, () -> new IllegalArgumentException("decisionTokens = " + decisionTokens + ": it must be at least 1"));
        }
    }

    /**
     * Writes a router.
     *
     * @param routed the model
     * @param folder the folder, made if absent; a router in it is replaced
     * @throws IOException if a file cannot be read or written; an older checkpoint stays whole
     */
    public static void save(RoutedExperts routed, Path folder) throws IOException {
        FILES.save(folder, routed.routerTensors(), routed.members(), routed.models(), header -> new Description(header.format(), header.weights(),
                header.sha256(), routed.decisionTokens(), header.models()));
    }

    /**
     * Loads a router and its models, which are found by their recorded paths.
     *
     * @param folder the checkpoint's folder
     * @param options device and precision of the models
     * @return routed experts, which the caller closes, and the models with them
     * @throws IOException if a file cannot be read
     * @throws ModelFormatException if the checkpoint is malformed
     * @throws MismatchException listing models whose files differ from the recorded ones
     */
    public static RoutedExperts open(Path folder, LoadOptions options) throws IOException {
        return open(folder, Map.of(), options);
    }

    /**
     * Loads a router whose models have moved.
     *
     * @param folder the checkpoint's folder
     * @param moved folders of models by their names; the others are found by their recorded paths
     * @param options device and precision of the models
     * @return routed experts, which the caller closes, and the models with them
     * @throws IOException if a file cannot be read
     * @throws ModelFormatException if the checkpoint is malformed
     * @throws MismatchException listing models whose files differ from the recorded ones, and unknown names
     */
    public static RoutedExperts open(Path folder, Map<String, Path> moved, LoadOptions options) throws IOException {
        Description description = FILES.read(folder);
        List<Member> members = FILES.members(folder, description, moved);
        try (NDManager scope = Torch.manager().newSubManager()) {
            Map<String, NDArray> tensors = FILES.tensors(scope, folder, description);
            return RoutedExperts.open(members, options, description.decisionTokens(), tensors);
        }
    }
}
