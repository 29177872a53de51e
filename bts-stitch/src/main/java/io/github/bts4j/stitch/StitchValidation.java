package io.github.bts4j.stitch;

import io.github.bts4j.core.checkpoint.ModelFingerprint;
import io.github.bts4j.core.llama.LlamaConfig;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/** Checks that models can be stitched, from their configurations alone, before a single tensor is loaded; reports every problem at once. */
final class StitchValidation {
    private final List<String> problems = new ArrayList<>();
    private final List<LlamaConfig> configs = new ArrayList<>();
    private final List<Member> members;

    private StitchValidation(List<Member> members) {
        this.members = members;
    }

    /** The models' configurations, hub first; throws one IllegalArgumentException that lists all problems. */
    static List<LlamaConfig> check(List<Member> members, StitchConfig config) throws IOException {
        StitchValidation validation = new StitchValidation(members);
        validation.checkNames();
        for (Member member : members) {
            validation.configs.add(LlamaConfig.read(member.folder()));
        }
        for (int i = 1; i < members.size(); i++) {
            validation.compare(i);
        }
        validation.checkPlaces(config);
        if (!validation.problems.isEmpty()) {
            throw new IllegalArgumentException("These models cannot be stitched:\n  - " + String.join("\n  - ", validation.problems));
        }
        return validation.configs;
    }

    private void checkNames() {
        if (members.size() < 2) {
            problems.add("a hub and at least one expert are needed; there is " + members.size() + " model");
        }
        Set<String> names = new HashSet<>();
        for (Member member : members) {
            if (!names.add(member.name())) {
                problems.add("two models are called '" + member.name() + "': give each its own name");
            }
        }
    }

    private void compare(int i) throws IOException {
        LlamaConfig hub = configs.get(0);
        LlamaConfig expert = configs.get(i);
        String name = members.get(i).name();
        compare(name, "num_hidden_layers", expert.numLayers(), hub.numLayers(), "stitch layers join states of equal depth");
        compare(name, "hidden_size", expert.hiddenSize(), hub.hiddenSize(), "projections are [hidden, hidden]");
        compare(name, "vocab_size", expert.vocabSize(), hub.vocabSize(), "every model embeds the same token ids");
        Path ours = members.get(0).folder().resolve("tokenizer.json");
        Path theirs = members.get(i).folder().resolve("tokenizer.json");
        if (Files.exists(ours) && Files.exists(theirs) && !ModelFingerprint.sha256(ours).equals(ModelFingerprint.sha256(theirs))) {
            problems.add("expert '" + name + "' has another tokenizer.json than the hub '" + members.get(0).name()
                    + "': every model must give the same ids to the same text (branch experts from one seed)");
        }
    }

    private void compare(String name, String key, int value, int hub, String reason) {
        if (value != hub) {
            problems.add("expert '" + name + "' has " + key + " = " + value + ", the hub '" + members.get(0).name() + "' has " + hub
                    + ": " + reason);
        }
    }

    private void checkPlaces(StitchConfig config) {
        int layers = configs.get(0).numLayers();
        int last = config.places().get(config.numStitches() - 1);
        if (config.numStitches() > layers) {
            problems.add("K = " + config.numStitches() + " stitch layers, but the hub has L = " + layers + " Transformer layers: K is at most L");
        }
        if (last != layers) {
            problems.add("the last stitch layer follows layer " + last + ", the hub has " + layers
                    + " layers: it must follow the last one, because the hub's output is the model's");
        }
    }
}
