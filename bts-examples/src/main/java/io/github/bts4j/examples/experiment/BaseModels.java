package io.github.bts4j.examples.experiment;

import ai.djl.Device;
import io.github.bts4j.core.checkpoint.ModelFingerprint;
import io.github.bts4j.core.llama.LlamaConfig;
import io.github.bts4j.core.torch.llama.AdaptedLlama;
import io.github.bts4j.core.torch.llama.LlamaModel;
import io.github.bts4j.core.torch.llama.LoadOptions;
import io.github.bts4j.examples.experiment.ExperimentSpec.TrainingSpec;
import io.github.bts4j.train.ExpertTraining;
import io.github.bts4j.train.data.Datamix;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** The seed, the experts, newer versions of them and adapters in their place: made once, and used by every method. */
final class BaseModels {
    /** The seed's name among the models; experts go by their own. */
    static final String SEED = "seed";

    /** The random seed of the order of an expert's text. */
    static final long EXPERTS_TEXT = 1;

    /** The same of a newer expert's. */
    private static final long NEWER_TEXT = 2;

    private static final long RANDOM_SEED = 0;

    private final ExperimentSpec spec;
    private final Texts texts;
    private final int vocabSize;
    private final boolean replaces;
    private final Adapters adapters;

    BaseModels(ExperimentSpec spec, Texts texts, int vocabSize, boolean replaces) {
        this.replaces = replaces;
        this.spec = spec;
        this.texts = texts;
        this.vocabSize = vocabSize;
        this.adapters = new Adapters(spec, this);
    }

    /** The seed and the experts. */
    List<String> names() {
        List<String> names = new ArrayList<>(List.of(SEED));
        names.addAll(spec.experts().keySet());
        return names;
    }

    /** Adapters, and newer versions of experts. */
    List<String> others() {
        List<String> names = new ArrayList<>(adapters.all().keySet());
        names.addAll(spec.newerExperts().keySet());
        return names;
    }

    /** The location of a model. */
    Path folder(String name) {
        return adapters.all().containsKey(name) ? adapters.folder(name) : spec.output().resolve("models").resolve(name.equals(SEED) ? SEED : "expert-" + name);
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
            } else if (spec.newerExperts().containsKey(name)) {
                text.append(weights(name));
            }
        }
        return text.toString();
    }

    /** What makes the models that are not there yet: the seed, then the experts, then the adapters. */
    List<List<Turns.Piece>> pieces() {
        List<Turns.Piece> experts = new ArrayList<>();
        for (String expert : spec.experts().keySet()) {
            experts.add(new Turns.Piece("expert-" + Methods.slug(expert), () -> true,
                    () -> makeExpert(expert, spec.experts().get(expert), SEED, EXPERTS_TEXT)));
        }
        List<Turns.Piece> others = new ArrayList<>();
        spec.newerExperts().forEach((name, newer) -> others.add(new Turns.Piece("expert-" + Methods.slug(name), () -> true,
                () -> makeExpert(name, spec.trainings().get(newer.training()), newer.of(), NEWER_TEXT))));
        for (String name : adapters.all().keySet()) {
            others.add(new Turns.Piece("adapter-" + Methods.slug(name), () -> true, () -> adapters.make(name, texts, replaces)));
        }
        return List.of(List.of(new Turns.Piece(SEED, () -> true, this::makeSeed)), experts, others);
    }

    private boolean makeSeed() throws IOException {
        Datamix mix = texts.mix(spec.seed(), RANDOM_SEED);
        LlamaConfig config = config();
        return stage(folder(SEED), spec.seed(), mix, config.toString()).make(() -> {
            try (ExpertTraining training = ExpertTraining.fromScratch(config, spec.model().deviation(), RANDOM_SEED, Device.cpu())) {
                return Training.run("seed", training, mix, Training.config(spec, spec.seed(), RANDOM_SEED), folder(SEED), () -> training.save(folder(SEED), spec.tokenizer()));
            }
        });
    }

    private boolean makeExpert(String name, TrainingSpec how, String from, long order) throws IOException {
        Datamix mix = texts.mix(how, order);
        String start = "the " + (from.equals(SEED) ? "" : "expert ") + from + " " + ModelFingerprint.of(folder(from)) + (spec.expertsKeepEmbeddings() ? " with its embeddings" : "");
        return stage(folder(name), how, mix, start).make(() -> {
            try (LlamaModel before = LlamaModel.open(folder(from)); ExpertTraining training = ExpertTraining.branch(before)) {
                if (spec.expertsKeepEmbeddings()) {
                    training.withFrozenEmbeddings();
                }
                return Training.run("expert " + name, training, mix, Training.config(spec, how, RANDOM_SEED), folder(name), () -> training.save(folder(name), spec.tokenizer()));
            }
        });
    }

    private Stage stage(Path folder, TrainingSpec how, Datamix mix, String start) {
        return new Stage(folder, how + " from " + start + ", data " + mix.fingerprint(), replaces);
    }

    LlamaConfig config() {
        return spec.model().config(vocabSize, spec.sequenceLength());
    }
}
