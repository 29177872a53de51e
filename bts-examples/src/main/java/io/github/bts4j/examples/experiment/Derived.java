package io.github.bts4j.examples.experiment;

import io.github.bts4j.stitch.StitchCheckpoint;
import io.github.bts4j.stitch.StitchedModel;
import io.github.bts4j.train.StitchTraining;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/** A method that continues from another one's stitch layers of the same random seed, after an expert is removed or added. */
sealed interface Derived extends Method {
    /** The method that it continues from. */
    String of();

    @Override
    default Opened open(BaseModels base, Path folder) throws IOException {
        return Opened.alone(StitchCheckpoint.open(folder, base.frozen()));
    }

    @Override
    default Optional<Parameters> parameters(ModelCounts counts) {
        return Optional.empty();
    }

    private static StitchedModel openOf(BaseModels base, String of, Path folder) throws IOException {
        return StitchCheckpoint.open(Methods.sibling(folder, of), base.frozen());
    }

    /**
     * An expert is removed, without any training.
     *
     * @param of the method that it continues from
     * @param expert the expert
     */
    record Removed(String of, String expert) implements Derived {
        @Override
        public boolean make(BaseModels base, Run run, Path folder) throws IOException {
            try (StitchedModel model = openOf(base, of, folder)) {
                model.removeExpert(expert);
                StitchCheckpoint.save(model, folder);
                return true;
            }
        }
    }

    /**
     * An expert is added, and its weights alone are trained.
     *
     * @param of the method that it continues from
     * @param expert the expert
     * @param training name of the training
     * @param seeds random seeds
     */
    record Added(String of, String expert, String training, List<Long> seeds) implements Derived, Trained {
        @Override
        public List<String> models() {
            return List.of(expert);
        }

        @Override
        public boolean make(BaseModels base, Run run, Path folder) throws IOException {
            try (StitchedModel model = openOf(base, of, folder)) {
                model.addExpert(expert, base.folder(expert));
                return run.of(new StitchTraining(model).onlyExpert(expert), () -> StitchCheckpoint.save(model, folder));
            }
        }
    }

    /**
     * All stitch layers are trained further.
     *
     * @param of the method that it continues from
     * @param training name of the training
     * @param seeds random seeds
     */
    record Retrained(String of, String training, List<Long> seeds) implements Derived, Trained {
        @Override
        public boolean make(BaseModels base, Run run, Path folder) throws IOException {
            try (StitchedModel model = openOf(base, of, folder)) {
                return run.of(new StitchTraining(model), () -> StitchCheckpoint.save(model, folder));
            }
        }
    }
}
