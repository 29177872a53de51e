package io.github.bts4j.examples.experiment;

import io.github.bts4j.stitch.StitchCheckpoint;
import io.github.bts4j.stitch.StitchCombination;
import io.github.bts4j.stitch.StitchedModel;
import io.github.bts4j.train.StitchTraining;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** A method that continues from others' stitch layers of the same random seed: after an expert is removed, added or replaced, or together. */
sealed interface Derived extends Method {
    /** The methods that it continues from. */
    List<String> after();

    /** One that continues from a single method. */
    sealed interface OfOne extends Derived {
        String of();

        @Override
        default List<String> after() {
            return List.of(of());
        }
    }

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
    record Removed(String of, String expert) implements OfOne {
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
    record Added(String of, String expert, String training, List<Long> seeds) implements OfOne, Trained {
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
    record Retrained(String of, String training, List<Long> seeds) implements OfOne, Trained {
        @Override
        public boolean make(BaseModels base, Run run, Path folder) throws IOException {
            try (StitchedModel model = openOf(base, of, folder)) {
                return run.of(new StitchTraining(model), () -> StitchCheckpoint.save(model, folder));
            }
        }
    }

    /**
     * The stitches of experts whose owners trained them apart, in one model, without any text.
     *
     * @param of the owners' methods
     * @param seeds random seeds
     */
    record Combined(List<String> of, List<Long> seeds) implements Derived, Seeded {
        @Override
        public List<String> after() {
            return of;
        }

        @Override
        public boolean make(BaseModels base, Run run, Path folder) throws IOException {
            List<Path> parts = of.stream().map(name -> Methods.sibling(folder, name)).toList();
            try (StitchedModel model = StitchCombination.open(parts, Map.of(), base.frozen())) {
                StitchCheckpoint.save(model, folder);
                return true;
            }
        }
    }

    /**
     * Another model takes an expert's place, without any training.
     *
     * @param of the method that it continues from
     * @param expert the expert
     * @param by the model
     * @param untrained whether its slices of the stitch layers start untrained, instead of with the expert's
     * @param seeds random seeds
     */
    record Replaced(String of, String expert, String by, boolean untrained, List<Long> seeds) implements OfOne, Seeded {
        @Override
        public List<String> models() {
            return List.of(by);
        }

        @Override
        public boolean make(BaseModels base, Run run, Path folder) throws IOException {
            try (StitchedModel model = openOf(base, of, folder)) {
                if (untrained) {
                    model.removeExpert(expert);
                    model.addExpert(expert, base.folder(by));
                } else {
                    model.replaceExpert(expert, base.folder(by));
                }
                StitchCheckpoint.save(model, folder);
                return true;
            }
        }
    }

    /**
     * One expert's slices of the stitch layers are trained further.
     *
     * @param of the method that it continues from
     * @param expert the expert
     * @param training name of the training
     * @param seeds random seeds
     */
    record Slices(String of, String expert, String training, List<Long> seeds) implements OfOne, Trained {
        @Override
        public boolean make(BaseModels base, Run run, Path folder) throws IOException {
            try (StitchedModel model = openOf(base, of, folder)) {
                return run.of(new StitchTraining(model).onlyExpert(expert), () -> StitchCheckpoint.save(model, folder));
            }
        }
    }
}
