package io.github.bts4j.examples.experiment;

import com.fasterxml.jackson.annotation.JsonSubTypes;
import com.fasterxml.jackson.annotation.JsonTypeInfo;
import io.github.bts4j.core.llama.LlamaConfig;
import io.github.bts4j.core.llama.LlamaTensors;
import io.github.bts4j.core.torch.llama.LlamaModel;
import io.github.bts4j.core.torch.llama.LoadOptions;
import io.github.bts4j.stitch.Init;
import io.github.bts4j.stitch.Member;
import io.github.bts4j.stitch.StitchCheckpoint;
import io.github.bts4j.stitch.StitchConfig;
import io.github.bts4j.stitch.StitchedModel;
import io.github.bts4j.stitch.StitchedModelBuilder;
import io.github.bts4j.stitch.baseline.BtmEnsemble;
import io.github.bts4j.stitch.baseline.ModelMerge;
import io.github.bts4j.stitch.baseline.ModelSoup;
import io.github.bts4j.stitch.baseline.RoutedExperts;
import io.github.bts4j.stitch.baseline.RouterCheckpoint;
import io.github.bts4j.stitch.baseline.UpcycledConfig;
import io.github.bts4j.stitch.baseline.UpcycledModel;
import io.github.bts4j.train.ExpertTraining;
import io.github.bts4j.train.RouterTraining;
import io.github.bts4j.train.StitchTraining;
import io.github.bts4j.train.Trainable;
import io.github.bts4j.train.UpcycledTraining;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** A way to build one model from the seed and its experts, with a row of the table for every random seed. */
@JsonTypeInfo(use = JsonTypeInfo.Id.NAME, property = "kind")
@JsonSubTypes({@JsonSubTypes.Type(value = Method.Soup.class, name = "soup"), @JsonSubTypes.Type(value = Method.Ties.class, name = "ties"),
    @JsonSubTypes.Type(value = Method.TaskArithmetic.class, name = "task-arithmetic"), @JsonSubTypes.Type(value = Method.Btm.class, name = "btm"),
    @JsonSubTypes.Type(value = Method.SoupOf.class, name = "soup-of"), @JsonSubTypes.Type(value = Method.BtmOf.class, name = "btm-of"),
    @JsonSubTypes.Type(value = Method.Routing.class, name = "routing"),
    @JsonSubTypes.Type(value = Method.Upcycled.class, name = "upcycled"), @JsonSubTypes.Type(value = Method.Stitch.class, name = "stitch"),
    @JsonSubTypes.Type(value = Method.Continued.class, name = "continued"), @JsonSubTypes.Type(value = Derived.Removed.class, name = "removed"),
    @JsonSubTypes.Type(value = Derived.Added.class, name = "added"), @JsonSubTypes.Type(value = Derived.Retrained.class, name = "retrained"),
    @JsonSubTypes.Type(value = Derived.Combined.class, name = "combined"), @JsonSubTypes.Type(value = Derived.Replaced.class, name = "replaced"),
    @JsonSubTypes.Type(value = Derived.Slices.class, name = "slices")})
sealed interface Method permits Derived, Method.Seeded, Method.Merged, Method.Ensemble {
    /** Trained, total and active parameters (arXiv 2502.00075, Table 2). */
    record Parameters(long trained, long total, long active) {}

    /**
     * Parameters of the experiment's models.
     *
     * @param config the one shape of the seed and the experts
     * @param all how many these are
     * @param adapters parameters of each adapter
     */
    record ModelCounts(LlamaConfig config, int all, Map<String, Long> adapters) {
        static ModelCounts of(ExperimentSpec spec, LlamaConfig config) {
            Map<String, Long> adapters = new LinkedHashMap<>();
            Adapters.all(spec).forEach((name, one) -> adapters.put(name, one.how().parameters(config, spec.expertsKeepEmbeddings())));
            return new ModelCounts(config, 1 + spec.experts().size(), adapters);
        }

        /** Together, where adapters are held beside the seed. */
        long of(List<String> models) {
            return models.stream().mapToLong(name -> adapters.getOrDefault(name, LlamaTensors.parameterCount(config))).sum();
        }
    }

    /** Writes the result of a training. */
    interface Save {
        void run() throws IOException;
    }

    /** Runs a training of a method, and saves the result; false if it was interrupted. */
    interface Run {
        boolean of(Trainable model, Save save) throws IOException;
    }

    /** Builds the model in a folder; false if training was interrupted. */
    boolean make(BaseModels base, Run run, Path folder) throws IOException;

    /** Opens the model. */
    Opened open(BaseModels base, Path folder) throws IOException;

    /** Counts parameters. Empty where they depend on another method. */
    Optional<Parameters> parameters(ModelCounts counts);

    /** The models that it names in the file; empty if it uses all. */
    default List<String> models() {
        return List.of();
    }

    /** A method with a row for each of several random seeds. */
    sealed interface Seeded extends Method permits Trained, Derived.Combined, Derived.Replaced {
        List<Long> seeds();
    }

    /** One whose training has a name in the experiment's file. */
    sealed interface Trained extends Seeded permits Derived.Added, Derived.Retrained, Derived.Slices, Routing, Upcycled, Stitch, Continued {
        String training();
    }

    /** One model whose weights are computed from all models' weights. */
    sealed interface Merged extends Method {
        /** The merged model of the seed and the experts behind it. */
        LlamaModel merge(List<LlamaModel> models);

        @Override
        default boolean make(BaseModels base, Run run, Path folder) throws IOException {
            List<LlamaModel> models = base.open(models().isEmpty() ? base.names() : models(), LoadOptions.defaults());
            try (LlamaModel merged = merge(models)) {
                merged.save(folder);
            } finally {
                models.forEach(LlamaModel::close);
            }
            return true;
        }

        @Override
        default Opened open(BaseModels base, Path folder) throws IOException {
            return Opened.alone(LlamaModel.open(folder, base.frozen()));
        }

        @Override
        default Optional<Parameters> parameters(ModelCounts counts) {
            long one = LlamaTensors.parameterCount(counts.config());
            return Optional.of(new Parameters(0, one, one));
        }
    }

    /** The average of all models' weights. */
    record Soup() implements Merged {
        @Override
        public LlamaModel merge(List<LlamaModel> models) {
            return ModelSoup.average(models);
        }
    }

    /**
     * The average of some models' weights, adapters merged.
     *
     * @param models the models
     */
    record SoupOf(List<String> models) implements Merged {
        @Override
        public LlamaModel merge(List<LlamaModel> opened) {
            return ModelSoup.average(opened);
        }
    }

    /**
     * TIES: trimmed task vectors of the elected sign, added to the seed.
     *
     * @param density share of each task vector that is kept
     * @param weight factor of each task vector
     */
    record Ties(double density, double weight) implements Merged {
        @Override
        public LlamaModel merge(List<LlamaModel> models) {
            return ModelMerge.ties(models.get(0), models.subList(1, models.size()), density, repeated(weight, models.size() - 1));
        }
    }

    /**
     * Task vectors added to the seed.
     *
     * @param weight factor of each task vector
     */
    record TaskArithmetic(double weight) implements Merged {
        @Override
        public LlamaModel merge(List<LlamaModel> models) {
            return ModelMerge.taskArithmetic(models.get(0), models.subList(1, models.size()), repeated(weight, models.size() - 1));
        }
    }

    private static double[] repeated(double value, int times) {
        double[] values = new double[times];
        Arrays.fill(values, value);
        return values;
    }

    /** An ensemble of output probabilities, weighted by Bayes' rule. */
    sealed interface Ensemble extends Method {
        @Override
        default boolean make(BaseModels base, Run run, Path folder) {
            return true; // nothing of its own
        }

        @Override
        default Opened open(BaseModels base, Path folder) throws IOException {
            List<LlamaModel> models = base.open(models().isEmpty() ? base.names() : models(), base.frozen());
            return new Opened(new BtmEnsemble(models), models);
        }

        @Override
        default Optional<Parameters> parameters(ModelCounts counts) {
            long together = models().isEmpty() ? counts.all() * LlamaTensors.parameterCount(counts.config()) : counts.of(models());
            return Optional.of(new Parameters(0, together, together));
        }
    }

    /** The ensemble of the seed and all experts. */
    record Btm() implements Ensemble {}

    /**
     * The ensemble of some models.
     *
     * @param models the models
     */
    record BtmOf(List<String> models) implements Ensemble {}

    /**
     * Expert routing: one model answers, chosen from the beginning of the text.
     *
     * @param training name of the training
     * @param seeds random seeds
     */
    record Routing(String training, List<Long> seeds) implements Trained {
        @Override
        public boolean make(BaseModels base, Run run, Path folder) throws IOException {
            List<Member> members = base.names().stream().map(name -> new Member(name, base.folder(name))).toList();
            try (RoutedExperts routed = RoutedExperts.open(members, base.frozen())) {
                return run.of(new RouterTraining(routed), () -> RouterCheckpoint.save(routed, folder));
            }
        }

        @Override
        public Opened open(BaseModels base, Path folder) throws IOException {
            return Opened.alone(RouterCheckpoint.open(folder, base.frozen()));
        }

        @Override
        public Optional<Parameters> parameters(ModelCounts counts) {
            long one = LlamaTensors.parameterCount(counts.config());
            long router = (long) counts.all() * counts.config().hiddenSize();
            return Optional.of(new Parameters(router, counts.all() * one + router, one + router));
        }
    }

    /**
     * Branch-Train-MiX or BAM.
     *
     * @param topOne sampled top-1 routing instead of soft routing
     * @param attentionExperts attention is a mixture too
     * @param adapters train only adapters and routers
     * @param models which models become experts, the seed's first
     * @param training name of the training
     * @param seeds random seeds
     */
    record Upcycled(boolean topOne, boolean attentionExperts, boolean adapters, List<String> models, String training, List<Long> seeds) implements Trained {
        private UpcycledConfig config(LlamaConfig config, List<String> names) {
            return new UpcycledConfig(config, names, topOne, attentionExperts, adapters);
        }

        @Override
        public boolean make(BaseModels base, Run run, Path folder) throws IOException {
            List<LlamaModel> opened = base.open(models, LoadOptions.defaults());
            try (UpcycledTraining upcycled = new UpcycledTraining(config(opened.get(0).config(), models), opened)) {
                return run.of(base.isMixed() ? upcycled.withMixedPrecision() : upcycled, () -> upcycled.save(folder));
            } finally {
                opened.forEach(LlamaModel::close);
            }
        }

        @Override
        public Opened open(BaseModels base, Path folder) throws IOException {
            return Opened.alone(UpcycledModel.open(folder, base.frozen()));
        }

        @Override
        public Optional<Parameters> parameters(ModelCounts counts) {
            UpcycledConfig mixture = config(counts.config(), models);
            return Optional.of(new Parameters(mixture.trainedCount(), mixture.parameterCount(), mixture.activeCount()));
        }
    }

    /**
     * Stitch layers between frozen models.
     *
     * @param stitches how many stitch layers
     * @param alternating both kinds in turn, instead of Experts-into-Hub alone
     * @param dropout of the gates in training
     * @param init how the layers are initialised
     * @param models the hub, followed by the experts
     * @param training name of the training
     * @param seeds random seeds
     */
    record Stitch(int stitches, boolean alternating, double dropout, Init init, List<String> models, String training, List<Long> seeds) implements Trained {
        private StitchConfig config(LlamaConfig config) {
            return StitchConfig.evenly(config.numLayers(), stitches).withAlternating(alternating).withDropout(dropout).withInit(init);
        }

        @Override
        public boolean make(BaseModels base, Run run, Path folder) throws IOException {
            Path hub = base.folder(models.get(0));
            StitchedModelBuilder builder = StitchedModel.builder().hub(models.get(0), hub).config(config(LlamaConfig.read(hub))).options(base.frozen());
            models.subList(1, models.size()).forEach(name -> builder.expert(name, base.folder(name)));
            try (StitchedModel model = builder.open()) {
                return run.of(new StitchTraining(model), () -> StitchCheckpoint.save(model, folder));
            }
        }

        @Override
        public Opened open(BaseModels base, Path folder) throws IOException {
            return Opened.alone(StitchCheckpoint.open(folder, base.frozen()));
        }

        @Override
        public Optional<Parameters> parameters(ModelCounts counts) {
            long own = config(counts.config()).parameterCount(models.size() - 1, counts.config().hiddenSize());
            long together = counts.of(models) + own;
            return Optional.of(new Parameters(own, together, together));
        }
    }

    /**
     * The seed, trained further on the same text: the data-matched control.
     *
     * @param training name of the training
     * @param seeds random seeds
     */
    record Continued(String training, List<Long> seeds) implements Trained {
        @Override
        public boolean make(BaseModels base, Run run, Path folder) throws IOException {
            try (LlamaModel seed = LlamaModel.open(base.folder(BaseModels.SEED)); ExpertTraining training = base.computing(ExpertTraining.branch(seed))) {
                return run.of(training, () -> training.save(folder, base.folder(BaseModels.SEED)));
            }
        }

        @Override
        public Opened open(BaseModels base, Path folder) throws IOException {
            return Opened.alone(LlamaModel.open(folder, base.frozen()));
        }

        @Override
        public Optional<Parameters> parameters(ModelCounts counts) {
            long one = LlamaTensors.parameterCount(counts.config());
            return Optional.of(new Parameters(one, one, one));
        }
    }
}
