package io.github.bts4j.stitch;

import io.github.bts4j.core.checkpoint.ModelFingerprint;
import io.github.bts4j.core.llama.LlamaConfig;
import io.github.bts4j.core.support.Problems;
import io.github.bts4j.core.torch.llama.AdaptedLlama;
import io.github.bts4j.core.torch.llama.LlamaModel;
import io.github.bts4j.core.torch.llama.LoadOptions;
import io.github.bts4j.core.torch.llama.Weights;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** Compatibility of models that are joined in any way, and their identity. */
public final class Members {
    private Members() {}

    /**
     * Reasons why models cannot be joined: too few of them, duplicate names, or token ids with different meanings. Reads only
     * their configurations and tokenizers.
     *
     * @param members hub first
     * @return all problems, or an empty list
     * @throws IOException if a configuration or tokenizer cannot be read
     */
    public static List<String> problems(List<Member> members) throws IOException {
        Problems problems = new Problems();
        problems.addIf(members.size() < 2, "a hub and at least one expert are required; there is " + members.size() + " model");
        Set<String> names = new HashSet<>();
        for (Member member : members) {
            problems.addIf(!names.add(member.name()), "two models are called '" + member.name() + "': give each its own name");
        }
        if (!members.isEmpty() && members.get(0).isAdapter()) {
            problems.add("the hub '" + members.get(0).name() + "' in " + members.get(0).folder() + " is an adapter: give its base as the hub and the adapter as an expert, or merge the two (bts convert BASE OUT --adapter "
                    + members.get(0).folder() + ") and give OUT as the hub");
            return problems.all();
        }
        for (int i = 1; i < members.size(); i++) {
            compare(members.get(0), members.get(i), problems);
        }
        return problems.all();
    }

    /**
     * Why a hub and an expert cannot be stitched, whatever the stitch layers.
     *
     * @param hub the hub
     * @param expert the expert
     * @return one sentence for each problem; none if they fit
     * @throws IOException if a configuration cannot be read
     */
    public static List<String> stitchProblems(Member hub, Member expert) throws IOException {
        Problems problems = new Problems();
        problems.addAll(problems(List.of(hub, expert)));
        if (!hub.isAdapter()) {
            compareShapes(hub, config(hub, hub), expert, config(hub, expert), problems);
        }
        return problems.all();
    }

    /** Stitch layers join states of equal depth and width. */
    static void compareShapes(Member hub, LlamaConfig ours, Member expert, LlamaConfig theirs, Problems problems) {
        compare(hub, expert, problems, "num_hidden_layers", ours.numLayers(), theirs.numLayers(), "stitch layers join states of equal depth");
        compare(hub, expert, problems, "hidden_size", ours.hiddenSize(), theirs.hiddenSize(), "projections are [hidden, hidden]");
    }

    private static void compare(Member hub, Member expert, Problems problems, String key, int ours, int theirs, String reason) {
        problems.addIf(theirs != ours, "expert '" + expert.name() + "' has " + key + " = " + theirs + ", the hub '" + hub.name() + "' has " + ours + ": " + reason);
    }

    private static void compare(Member hub, Member expert, Problems problems) throws IOException {
        compareTokenizers(hub, expert, problems);
        if (expert.isAdapter()) {
            return; // of the hub, which its tensors have to fit
        }
        int ours = LlamaConfig.read(hub.folder()).vocabSize();
        int theirs = LlamaConfig.read(expert.folder()).vocabSize();
        problems.addIf(theirs != ours,
                "expert '" + expert.name() + "' has vocab_size = " + theirs + ", the hub '" + hub.name() + "' has " + ours
                + ": all models must have the same token ids");
    }

    private static void compareTokenizers(Member hub, Member expert, Problems problems) {
        Path our = hub.folder().resolve("tokenizer.json");
        Path their = expert.folder().resolve("tokenizer.json");
        problems.addIf(Files.exists(our) && Files.exists(their) && !ModelFingerprint.sha256(our).equals(ModelFingerprint.sha256(their)),
                "expert '" + expert.name() + "' has a different tokenizer.json from the hub '" + hub.name()
                + "': all models must tokenise text in the same way (branch experts from one seed)");
    }

    /**
     * How members are loaded: the base of adapters with its weights dequantised.
     *
     * @param members hub first
     * @param options how to load them
     * @return the same, or with {@link Weights#DEQUANTIZED}
     */
    public static LoadOptions options(List<Member> members, LoadOptions options) {
        return members.stream().anyMatch(Member::isAdapter) ? options.withWeights(Weights.DEQUANTIZED) : options;
    }

    /**
     * Loads an expert; an adapter on the hub's device computes with the hub's weights.
     *
     * @param hub the hub, which is the base of adapters
     * @param loaded the hub, loaded
     * @param member the expert
     * @param options device and precision
     * @return the model, which the caller closes
     * @throws IOException if a file cannot be read
     * @throws io.github.bts4j.core.checkpoint.ModelFormatException if a file is malformed, or an adapter is not one of the hub
     */
    public static LlamaModel open(Member hub, LlamaModel loaded, Member member, LoadOptions options) throws IOException {
        if (!member.isAdapter()) {
            return LlamaModel.open(member.folder(), options);
        }
        boolean together = loaded.device().equals(options.device()) && !loaded.isQuantized();
        return together ? AdaptedLlama.beside(loaded, hub.folder(), member.folder(), options) : AdaptedLlama.merged(hub.folder(), member.folder(), options);
    }

    /**
     * The dimensions of a model that takes part.
     *
     * @param hub the hub, which is the base of adapters
     * @param member the hub or an expert
     * @return its configuration; that of the base, for an adapter
     * @throws IOException if the file cannot be read
     */
    public static LlamaConfig config(Member hub, Member member) throws IOException {
        return LlamaConfig.read((member.isAdapter() ? hub : member).folder());
    }

    /**
     * The SHA-256 of every file of every model, by {@code number:name/file}.
     *
     * @param members hub first
     * @param models the loaded models, in the same order
     * @return name to hash
     * @throws IOException if a file cannot be read
     */
    public static Map<String, String> identity(List<Member> members, List<LlamaModel> models) throws IOException {
        Map<String, String> identity = new LinkedHashMap<>();
        for (int i = 0; i < members.size(); i++) {
            String name = i + ":" + members.get(i).name();
            models.get(i).fingerprint().files().forEach((file, hash) -> identity.put(name + "/" + file, hash));
        }
        return identity;
    }
}
