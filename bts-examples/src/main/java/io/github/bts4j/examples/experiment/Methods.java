package io.github.bts4j.examples.experiment;

import io.github.bts4j.examples.experiment.ExperimentSpec.TrainingSpec;
import io.github.bts4j.train.StitchTraining;
import io.github.bts4j.train.Trainable;
import io.github.bts4j.train.TrainerConfig;
import io.github.bts4j.train.data.Datamix;
import io.github.bts4j.train.optim.ParameterGroup;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/** Builds every method's models, one for each of its random seeds. */
final class Methods {
    private final ExperimentSpec spec;
    private final Texts texts;
    private final BaseModels base;
    private final boolean replaces;

    /**
     * A row of the results before it is scored.
     *
     * @param name the method's name in the experiment's file
     * @param method the method
     * @param seed its random seed
     * @param folder its folder
     */
    record Made(String name, Method method, long seed, Path folder) {
        boolean isFirst() {
            return !(method instanceof Method.Seeded seeded) || seeded.seeds().get(0) == seed;
        }

        /** The row's name in results. */
        String title() {
            return isFirst() ? name : name + ", random seed " + seed;
        }
    }

    /** Turns a name into a folder's name. */
    static String slug(String name) {
        return name.toLowerCase(Locale.ROOT).replaceAll("[^a-z0-9]+", "-");
    }

    Methods(ExperimentSpec spec, Texts texts, BaseModels base, boolean replaces) {
        this.replaces = replaces;
        this.spec = spec;
        this.texts = texts;
        this.base = base;
    }

    /** The folder of another method, made with the random seed of this folder. */
    static Path sibling(Path folder, String method) {
        String own = folder.getFileName().toString();
        return folder.resolveSibling(slug(method) + own.substring(own.lastIndexOf('-')));
    }

    /** The methods that a row continues from. */
    private static List<String> before(Made row) {
        return row.method() instanceof Derived derived ? derived.after() : List.of();
    }

    /** What a row starts from: the base models, and the method that it continues from. */
    private String start(Made row) throws IOException {
        StringBuilder start = new StringBuilder(base.fingerprint() + base.fingerprint(row.method().models()) + "frozen in " + spec.frozenPrecision() + (base.isMixed() ? ", trained in mixed precision; " : "; "));
        for (String before : before(row)) {
            start.append("after ").append(Stage.madeFrom(sibling(row.folder(), before))).append("; ");
        }
        return start.toString();
    }

    /** All rows: the first random seed of every method, then the second ones, so that a first table is available early. */
    List<Made> rows() {
        List<Made> rows = new ArrayList<>();
        boolean more = true;
        for (int turn = 0; more; turn++) {
            more = false;
            for (Map.Entry<String, Method> method : spec.methods().entrySet()) {
                List<Long> seeds = method.getValue() instanceof Method.Seeded seeded ? seeded.seeds() : List.of(0L);
                if (turn < seeds.size()) {
                    more = true;
                    Path folder = spec.output().resolve("methods").resolve(slug(method.getKey()) + "-" + seeds.get(turn));
                    rows.add(new Made(method.getKey(), method.getValue(), seeds.get(turn), folder));
                }
            }
        }
        return rows;
    }

    /** Whether everything that a row is made from exists: the seed and the experts, the other models that it names, and the methods that it continues from. */
    boolean isReady(Made row) {
        return base.areThere(base.names()) && base.areThere(row.method().models()) && before(row).stream().allMatch(name -> Stage.isThere(sibling(row.folder(), name)));
    }

    /** Builds a row's model unless it exists; false if training was interrupted. */
    boolean make(Made row) throws IOException {
        if (!(row.method() instanceof Method.Trained trained)) {
            return new Stage(row.folder(), withoutSeeds(row.method()) + " of " + start(row), replaces).make(() -> row.method().make(base, (model, save) -> true, row.folder()));
        }
        TrainingSpec how = spec.trainings().get(trained.training());
        Datamix mix = texts.mix(how, row.seed());
        String madeFrom = withoutSeeds(trained) + " with " + how + ", projections " + spec.projectionRate() + ", random seed " + row.seed() + ", of " + start(row) + "data " + mix.fingerprint();
        return new Stage(row.folder(), madeFrom, replaces).make(() -> row.method().make(base,
                (model, save) -> Training.run(row.name() + ", random seed " + row.seed(), model, mix,
                        config(how, row.seed(), model), row.folder(), save), row.folder()));
    }

    /** A description of a method without its random seeds, so that seeds can be added later. */
    private static String withoutSeeds(Method method) {
        return method instanceof Method.Seeded seeded ? method.toString().replace(", seeds=" + seeded.seeds(), "") : method.toString();
    }

    /** A description of a method without its training and random seeds: what has the same speed. */
    static String withoutTraining(Method method) {
        return method instanceof Method.Trained trained ? withoutSeeds(method).replace(", training=" + trained.training(), "") : method.toString();
    }

    private TrainerConfig config(TrainingSpec how, long seed, Trainable model) {
        TrainerConfig config = Training.config(spec, how, seed);
        ParameterGroup projections = StitchTraining.projections(config.optimization().optimizer(), spec.projectionRate());
        return model.parameters().keySet().stream().anyMatch(projections::holds) ? config.withParameterGroups(projections) : config;
    }
}
