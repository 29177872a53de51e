package io.github.bts4j.examples.experiment;

import ai.djl.Device;
import io.github.bts4j.core.checkpoint.ModelFingerprint;
import io.github.bts4j.core.llama.LlamaConfig;
import io.github.bts4j.core.llama.Precision;
import io.github.bts4j.core.torch.llama.AdaptedLlama;
import io.github.bts4j.core.torch.llama.LlamaModel;
import io.github.bts4j.core.torch.llama.LoadOptions;
import io.github.bts4j.examples.experiment.ExperimentSpec.ModelShape;
import io.github.bts4j.examples.experiment.ExperimentSpec.Published;
import io.github.bts4j.examples.experiment.ExperimentSpec.TrainingSpec;
import io.github.bts4j.train.ExpertTraining;
import io.github.bts4j.train.Validation;
import io.github.bts4j.train.data.Datamix;
import io.github.bts4j.train.data.Window;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** The seed, the experts, newer versions of them and adapters in their place: made once, and used by every method. */
final class BaseModels {
    /** The seed's name among the models; experts go by their own. */
    static final String SEED = "seed";

    /** The name of the published model that the seed was trained from. */
    static final String PUBLISHED = "published";

    /** The folder of all models, in the output. */
    static final String MODELS = "models";

    /** The random seed of the order of an expert's text. */
    static final long EXPERTS_TEXT = 1;

    /** The same of a newer expert's. */
    private static final long NEWER_TEXT = 2;

    private static final long RANDOM_SEED = 0;

    private final ExperimentSpec spec;
    private final Texts texts;
    private final int vocabSize;
    private final boolean replaces;
    private final Path models;
    private final boolean standIns;
    private final Adapters adapters;

    BaseModels(ExperimentSpec spec, Texts texts, int vocabSize, boolean replaces) {
        this(spec, texts, vocabSize, replaces, spec.output().resolve(MODELS), false);
    }

    private BaseModels(ExperimentSpec spec, Texts texts, int vocabSize, boolean replaces, Path models, boolean standIns) {
        this.replaces = replaces;
        this.spec = spec;
        this.texts = texts;
        this.vocabSize = vocabSize;
        this.models = models;
        this.standIns = standIns;
        this.adapters = new Adapters(spec, this);
    }

    /** Models in another folder, all of one shape, to measure with: the seed there is used for every expert, too. */
    BaseModels standIns(Path folder) {
        return new BaseModels(spec, texts, vocabSize, replaces, folder, true);
    }

    /** The seed and the experts. */
    List<String> names() {
        List<String> names = new ArrayList<>(List.of(SEED));
        names.addAll(spec.experts().keySet());
        return names;
    }

    /** Adapters, and newer versions of experts. */
    List<String> others() {
        List<String> names = new ArrayList<>(spec.model() instanceof Published ? List.of(PUBLISHED) : List.of());
        names.addAll(adapters.all().keySet());
        names.addAll(spec.newerExperts().keySet());
        return names;
    }

    /** The location of a model. */
    Path folder(String name) {
        if (adapters.all().containsKey(name)) {
            return models.resolve("adapter-" + Methods.slug(name));
        }
        return models.resolve(standIns ? SEED : isBelow(name) ? name : "expert-" + name);
    }

    private boolean isBelow(String name) {
        return name.equals(SEED) || name.equals(PUBLISHED) && spec.model() instanceof Published;
    }

    /** Load options of models that are not trained. */
    LoadOptions frozen() {
        return LoadOptions.defaults().withPrecision(spec.frozenPrecision());
    }

    /** Opens models, adapters merged with the seed; the caller closes them. */
    List<LlamaModel> open(List<String> names, LoadOptions options) throws IOException {
        List<LlamaModel> models = new ArrayList<>();
        try {
            for (String name : names) {
                models.add(adapters.all().containsKey(name) ? AdaptedLlama.merged(folder(SEED), folder(name), options) : LlamaModel.open(folder(name), options));
            }
            return models;
        } catch (IOException | RuntimeException e) {
            models.forEach(LlamaModel::close);
            throw e;
        }
    }

    /** A description of what all methods start from, for their stages' records. */
    String fingerprint() throws IOException {
        StringBuilder text = new StringBuilder();
        for (String name : names()) {
            text.append(weights(name));
        }
        return text.toString();
    }

    private String weights(String name) throws IOException {
        return name + " " + ModelFingerprint.of(folder(name)).files().get("model.safetensors") + "; ";
    }

    /** The same of the adapters and newer experts among a method's models. */
    String fingerprint(List<String> models) throws IOException {
        StringBuilder text = new StringBuilder();
        for (String name : models) {
            if (adapters.all().containsKey(name)) {
                text.append(adapters.fingerprint(name));
            } else if (spec.newerExperts().containsKey(name) || name.equals(PUBLISHED)) {
                text.append(weights(name));
            }
        }
        return text.toString();
    }

    /** Whether all of these models exist. */
    boolean areThere(List<String> names) {
        return names.stream().allMatch(name -> Stage.isThere(folder(name)));
    }

    /** What makes the seed unless it is there. */
    Turns.Piece seed() {
        return new Turns.Piece(SEED, () -> true, this::makeSeed);
    }

    /** What makes the experts and adapters that are not there yet, once the seed is. */
    List<Turns.Piece> pieces() {
        List<Turns.Piece> others = new ArrayList<>();
        spec.experts().forEach((name, training) -> others.add(new Turns.Piece("expert-" + Methods.slug(name), () -> true, () -> makeExpert(name, training, SEED, EXPERTS_TEXT))));
        spec.newerExperts().forEach((name, newer) -> others.add(new Turns.Piece("expert-" + Methods.slug(name), () -> areThere(List.of(newer.of())),
                () -> makeExpert(name, spec.trainings().get(newer.training()), newer.of(), NEWER_TEXT))));
        for (String name : adapters.all().keySet()) {
            others.add(new Turns.Piece("adapter-" + Methods.slug(name), () -> adapters.isReady(name), () -> adapters.make(name, texts, replaces)));
        }
        return others;
    }

    private boolean makeSeed() throws IOException {
        Datamix mix = texts.mix(spec.seed(), RANDOM_SEED);
        if (spec.model() instanceof Published published) {
            return healSeed(published, mix);
        }
        LlamaConfig config = config();
        double deviation = ((ModelShape) spec.model()).deviation();
        return stage(folder(SEED), spec.seed(), mix, config.toString()).make(() -> {
            try (ExpertTraining training = computing(ExpertTraining.fromScratch(config, deviation, RANDOM_SEED, Device.cpu()))) {
                return Training.run("seed", training, mix, Training.config(spec, spec.seed(), RANDOM_SEED), folder(SEED), () -> training.save(folder(SEED), spec.tokenizer()));
            }
        });
    }

    /** Whether all of a model's weights are trained with passes in bfloat16. */
    boolean isMixed() {
        return spec.trainingPrecision() == Precision.BFLOAT16;
    }

    /** A training in the experiment's precision. */
    ExpertTraining computing(ExpertTraining training) {
        return isMixed() ? training.withMixedPrecision() : training;
    }

    /** Trains a published model on as much of the text as it still gains from. */
    private boolean healSeed(Published published, Datamix mix) throws IOException {
        List<Window> windows = Scoring.some(texts.heldOut(spec.general()).windows(spec.sequenceLength()), published.windows());
        Validation validation = Validation.of(published.validateEvery(), Map.of(spec.general(), windows), texts.tokenBytes()).withEarlyStopping(published.patience(), 0);
        String start = "the published model " + ModelFingerprint.of(folder(PUBLISHED)) + ", validated every " + published.validateEvery() + " steps on " + windows.size() + " windows, patience "
                + published.patience();
        return stage(folder(SEED), spec.seed(), mix, start).make(() -> {
            try (LlamaModel before = LlamaModel.open(folder(PUBLISHED)); ExpertTraining training = computing(ExpertTraining.branch(before))) {
                return Training.runValidated(SEED, training, mix, Training.config(spec, spec.seed(), RANDOM_SEED), validation, folder(SEED), () -> save(training, folder(SEED)));
            }
        });
    }

    /** With everything beside the weights that a published model brings. */
    private void save(ExpertTraining training, Path folder) throws IOException {
        training.save(folder, spec.tokenizer());
        if (spec.model() instanceof Published) {
            PublishedModel.copyBesides(folder(PUBLISHED), folder);
        }
    }

    private boolean makeExpert(String name, TrainingSpec how, String from, long order) throws IOException {
        Datamix mix = texts.mix(how, order);
        String start = "the " + (from.equals(SEED) ? "" : "expert ") + from + " " + ModelFingerprint.of(folder(from)) + (spec.expertsKeepEmbeddings() ? " with its embeddings" : "");
        return stage(folder(name), how, mix, start).make(() -> {
            try (LlamaModel before = LlamaModel.open(folder(from)); ExpertTraining training = computing(ExpertTraining.branch(before))) {
                if (spec.expertsKeepEmbeddings()) {
                    training.withFrozenEmbeddings();
                }
                return Training.run("expert " + name, training, mix, Training.config(spec, how, RANDOM_SEED), folder(name), () -> save(training, folder(name)));
            }
        });
    }

    private Stage stage(Path folder, TrainingSpec how, Datamix mix, String start) {
        return new Stage(folder, how + (isMixed() ? " in mixed precision" : "") + " from " + start + ", data " + mix.fingerprint(), replaces);
    }

    LlamaConfig config() throws IOException {
        return spec.model() instanceof ModelShape shape ? shape.config(vocabSize, spec.sequenceLength()) : LlamaConfig.read(folder(PUBLISHED));
    }
}
