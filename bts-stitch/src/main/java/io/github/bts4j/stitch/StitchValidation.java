package io.github.bts4j.stitch;

import io.github.bts4j.core.llama.LlamaConfig;
import io.github.bts4j.core.support.Problems;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;

/** Checks from their configurations whether models can be stitched, before tensors are loaded; reports all problems. */
final class StitchValidation {
    private final Problems problems = new Problems();
    private static final String HEADING = "These models cannot be stitched";
    private final List<LlamaConfig> configs = new ArrayList<>();
    private final List<Member> members;

    private StitchValidation(List<Member> members) {
        this.members = members;
    }

    /** The models' configurations, hub first; throws an IllegalArgumentException that lists all problems. */
    static List<LlamaConfig> check(List<Member> members, StitchConfig config) throws IOException {
        StitchValidation validation = new StitchValidation(members);
        validation.problems.addAll(Members.problems(members));
        if (members.get(0).isAdapter()) {
            validation.problems.throwAsArgument(HEADING);
        }
        for (Member member : members) {
            validation.configs.add(Members.config(members.get(0), member));
        }
        for (int i = 1; i < members.size(); i++) {
            validation.compare(i);
        }
        validation.checkPlaces(config);
        validation.problems.throwAsArgument(HEADING);
        return validation.configs;
    }

    private void compare(int i) {
        Members.compareShapes(members.get(0), configs.get(0), members.get(i), configs.get(i), problems);
    }

    private void checkPlaces(StitchConfig config) {
        int layers = configs.get(0).numLayers();
        int last = config.afterLayers().get(config.numStitches() - 1);
        problems.addIf(config.numStitches() > layers,
                "K = " + config.numStitches() + " stitch layers, but the hub has L = " + layers + " Transformer layers: K is at most L");
        problems.addIf(last != layers,
                "the last stitch layer follows layer " + last + ", the hub has " + layers
                + " layers: it must follow the last layer");
    }
}
