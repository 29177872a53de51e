package io.github.bts4j.examples.experiment;

import io.github.bts4j.core.llama.LlamaConfig;
import io.github.bts4j.core.llama.Precision;
import io.github.bts4j.core.support.Problems;
import io.github.bts4j.examples.experiment.ExperimentSpec.Arithmetic;
import io.github.bts4j.examples.experiment.ExperimentSpec.EvaluationSpec;
import io.github.bts4j.examples.experiment.ExperimentSpec.ModelShape;
import io.github.bts4j.examples.experiment.ExperimentSpec.Published;
import io.github.bts4j.examples.experiment.ExperimentSpec.TrainingSpec;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Values of an experiment's file that no stage could use, reported before hours of training instead of after them. Limits that the
 * library's own configurations check are checked by creating them.
 */
final class SpecLimits {
    /** Any: the number of tokens is known only when the tokenizer has been read. */
    private static final int VOCABULARY = 256;
    /** Of a published model, whose layers are not known yet. */
    private static final int MOST_LAYERS = 1000;

    private final ExperimentSpec spec;
    private final Problems problems = new Problems();

    private SpecLimits(ExperimentSpec spec) {
        this.spec = spec;
    }

    static List<String> problems(ExperimentSpec spec) {
        SpecLimits limits = new SpecLimits(spec);
        limits.require(spec.sequenceLength() >= Texts.SEGMENTS, "sequence-length", spec.sequenceLength(), "at least " + Texts.SEGMENTS + ": switching windows have so many segments");
        limits.require(spec.projectionRate() > 0 && spec.projectionRate() < Double.POSITIVE_INFINITY, "projection-rate", spec.projectionRate(), "above 0");
        spec.domains().forEach((name, domain) -> {
            if (domain instanceof Arithmetic arithmetic) {
                limits.require(arithmetic.problems() >= Texts.HELD_OUT, "domains." + name + ".problems", arithmetic.problems(), "at least " + Texts.HELD_OUT + ": one in so many is held out");
                limits.require(arithmetic.perDocument() >= 1, "domains." + name + ".per-document", arithmetic.perDocument(), "at least 1");
            }
        });
        limits.require(spec.checkpointEvery() >= 1, ExperimentSpec.CHECKPOINT_EVERY, spec.checkpointEvery(), "at least 1");
        limits.require(spec.trainingPrecision() != Precision.FLOAT16, ExperimentSpec.TRAINING_PRECISION, spec.trainingPrecision(), "FLOAT32 or BFLOAT16: float16 loses small gradients");
        limits.model();
        spec.allTrainings().forEach(limits::training);
        limits.adapters();
        limits.methods();
        limits.evaluation(spec.evaluation());
        return limits.problems.all();
    }

    private void model() {
        if (spec.model() instanceof ModelShape shape) {
            attempt("model", () -> shape.config(VOCABULARY, spec.sequenceLength()));
            require(shape.deviation() > 0 && shape.deviation() < Double.POSITIVE_INFINITY, "model.deviation", shape.deviation(), "above 0");
        } else if (spec.model() instanceof Published published) {
            attempt("model.published", () -> PublishedModel.check(published.published()));
            require(published.validateEvery() >= 1, "model.validate-every", published.validateEvery(), "at least 1");
            require(published.patience() >= 1, "model.patience", published.patience(), "at least 1");
            require(published.windows() >= 1, "model.windows", published.windows(), "at least 1");
            require(!spec.experts().containsKey(BaseModels.PUBLISHED) && !spec.methods().containsKey(BaseModels.PUBLISHED), "model.published", "'" + BaseModels.PUBLISHED + "'",
                    "no expert's or method's name: it is that of the published model's row");
        }
    }

    private void training(String where, TrainingSpec training) {
        attempt(where, () -> Training.config(spec, training, 0));
        training.mix().forEach((domain, weight) -> require(weight > 0 && weight < Double.POSITIVE_INFINITY, where + ".mix." + domain, weight, "above 0"));
        require(!training.mix().isEmpty(), where + ".mix", "{}", "one domain or more");
        require(training.switching() >= 0 && training.switching() < 1, where + ".switching", training.switching(), "at least 0 and below 1");
        require(training.switching() == 0 || training.mix().size() > 1, where + ".switching", training.switching(), "0: the mix has one domain, nothing to switch to");
    }

    private void methods() {
        Map<String, String> folders = new LinkedHashMap<>();
        spec.methods().forEach((name, method) -> {
            String where = "methods." + name;
            String other = folders.put(Methods.slug(name), name);
            require(other == null, where, "'" + name + "'", "distinguished from '" + other + "' by letters and digits: both would use the folder " + Methods.slug(name));
            if (method instanceof Method.Seeded seeded) {
                require(!seeded.seeds().isEmpty() && Set.copyOf(seeded.seeds()).size() == seeded.seeds().size(), where + ".seeds", seeded.seeds(), "one number or more, each once");
            }
            if (method instanceof Derived derived) {
                derived(where, derived);
            }
            if (method instanceof Method.Ties ties) {
                require(ties.density() > 0 && ties.density() <= 1, where + ".density", ties.density(), "above 0 and at most 1");
            }
            if (method instanceof Method.Stitch || method instanceof Method.Upcycled || method instanceof Method.SoupOf || method instanceof Method.BtmOf) {
                boolean distinct = new HashSet<>(method.models()).size() == method.models().size();
                require(method.models().size() > 1 && distinct, where + ".models", method.models(), "two models or more, each once");
            }
            boolean adapted = method instanceof Method.Stitch && method.models().stream().anyMatch(Adapters.all(spec)::containsKey);
            require(!adapted || method.models().get(0).equals(BaseModels.SEED), where + ".models", method.models(), "the seed and its adapters, the seed first, which is their base");
            attempt(where, () -> method.parameters(Method.ModelCounts.of(spec, valid())));
        });
    }

    /** A row continues from rows of its own random seed. */
    private void derived(String where, Derived derived) {
        List<String> after = derived.after();
        require(!(derived instanceof Derived.Combined) || after.size() > 1 && Set.copyOf(after).size() == after.size(), where + ".of", after, "two methods or more, each once");
        after.stream().filter(spec.methods()::containsKey).forEach(name -> {
            List<Long> missing = new ArrayList<>(seeds(derived));
            missing.removeAll(seeds(spec.methods().get(name)));
            require(missing.isEmpty(), where + ".seeds", seeds(derived), "among those of '" + name + "', " + seeds(spec.methods().get(name)));
        });
    }

    private static List<Long> seeds(Method method) {
        return method instanceof Method.Seeded seeded ? seeded.seeds() : List.of(0L);
    }

    private void adapters() {
        spec.adapters().forEach((name, how) -> {
            String where = "adapters." + name;
            int side = spec.model() instanceof ModelShape shape ? Math.min(shape.hiddenSize(), shape.intermediateSize()) : Integer.MAX_VALUE; // a published model's matrices are not known yet
            require(how.rank() >= 1 && how.rank() <= side, where + ".rank", how.rank(), "from 1 to " + side + ", the smaller side of the models' matrices");
            if (how instanceof AdapterSpec.Trained trained) {
                require(trained.alpha() > 0 && trained.alpha() < Double.POSITIVE_INFINITY, where + ".alpha", trained.alpha(), "above 0");
                require(trained.learningRate() > 0 && trained.learningRate() < Double.POSITIVE_INFINITY, where + ".learning-rate", trained.learningRate(), "above 0");
            }
        });
        Map<String, String> slugs = new LinkedHashMap<>();
        spec.experts().keySet().forEach(name -> slugs.put(Methods.slug(name), name));
        spec.methods().keySet().forEach(name -> slugs.put(Methods.slug(name), name));
        Adapters.all(spec).keySet().forEach(name -> free("adapters", name, slugs));
        spec.newerExperts().keySet().forEach(name -> free("newer-experts", name, slugs));
    }

    private void free(String where, String name, Map<String, String> slugs) {
        require(slugs.put(Methods.slug(name), name) == null && !name.equals(BaseModels.SEED), where, "'" + name + "'", "a name that no other model or method has, by letters and digits");
    }

    /** A shape with the file's layers, so that other errors in the shape are reported once. */
    private LlamaConfig valid() {
        int layers = spec.model() instanceof ModelShape shape ? shape.layers() : MOST_LAYERS;
        return new ModelShape(2, 2, Math.max(1, layers), 1, 1).config(VOCABULARY, Texts.SEGMENTS);
    }

    private void evaluation(EvaluationSpec evaluation) {
        require(!evaluation.domains().isEmpty(), "evaluation.domains", evaluation.domains(), "one domain or more");
        require(evaluation.windows() >= 1, "evaluation.windows", evaluation.windows(), "at least 1");
        require(evaluation.items() >= 0, "evaluation.items", evaluation.items(), "at least 0");
        require(evaluation.problems() >= 1 || spec.domains().values().stream().noneMatch(Arithmetic.class::isInstance), "evaluation.problems", evaluation.problems(), "at least 1");
        evaluation.questions().keySet().forEach(name -> require(spec.domains().keySet().stream().noneMatch(domain -> name.equals(domain) || name.startsWith(domain + "-")), "evaluation.questions." + name,
                "'" + name + "'", "no domain's name with or without what follows a hyphen: those are names of other scores"));
        require(evaluation.methodBodies() >= 0, "evaluation.method-bodies", evaluation.methodBodies(), "at least 0");
    }

    private void require(boolean holds, String where, Object value, String what) {
        problems.addIf(!holds, where + ": " + value + " must be " + what);
    }

    private void attempt(String where, Runnable make) {
        try {
            make.run();
        } catch (IllegalArgumentException e) {
            problems.add(where + ": " + e.getMessage());
        }
    }
}
