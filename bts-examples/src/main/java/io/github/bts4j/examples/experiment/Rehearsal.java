package io.github.bts4j.examples.experiment;

import io.github.bts4j.core.CausalLm;
import io.github.bts4j.core.adapter.AdapterConfig;
import io.github.bts4j.core.adapter.ModuleNames;
import io.github.bts4j.core.llama.Precision;
import io.github.bts4j.core.torch.llama.LlamaModel;
import io.github.bts4j.core.torch.llama.LoadOptions;
import io.github.bts4j.examples.experiment.ExperimentSpec.TrainingSpec;
import io.github.bts4j.train.AdapterTraining;
import io.github.bts4j.train.ExpertTraining;
import io.github.bts4j.train.Trainable;
import io.github.bts4j.train.Trainer;
import io.github.bts4j.train.data.Window;
import io.github.bts4j.train.eval.BitsPerByte;
import io.github.bts4j.train.metrics.Median;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * Measures how fast an experiment's trainings and its scoring are: some steps of each, of which nothing is kept. One model is used for the seed and all experts, because speed does not depend
 * on weights.
 */
final class Rehearsal {
    /** The first ones prepare kernels and memory. */
    private static final int STEPS = 4;
    private static final int WINDOWS = 8;
    private static final double NANOS = 1e9;

    private final ExperimentSpec spec;
    private final Texts texts;
    private final BaseModels standIns;
    private final Path folder;

    /**
     * Prepares it.
     *
     * @param standIns models in the folder
     * @param folder a folder to write stand-ins into, which the caller deletes
     */
    Rehearsal(ExperimentSpec spec, Texts texts, BaseModels standIns, Path folder) {
        this.spec = spec;
        this.texts = texts;
        this.standIns = standIns;
        this.folder = folder;
    }

    /** The speed of training all weights of one model, in tokens per second. */
    double whole(TrainingSpec how, boolean keepsEmbeddings) throws IOException {
        try (LlamaModel seed = seed(Precision.FLOAT32); ExpertTraining training = standIns.computing(ExpertTraining.branch(seed))) {
            return speed(keepsEmbeddings ? training.withFrozenEmbeddings() : training, how);
        }
    }

    /** The same of an adapter. */
    double adapter(AdapterSpec how, TrainingSpec training) throws IOException {
        try (LlamaModel seed = seed(spec.trainingPrecision()); AdapterTraining adapter = AdapterTraining.start(seed, untrained(how), 0)) {
            return speed(adapter, training);
        }
    }

    /** Writes an untrained adapter in a trained one's place. */
    void standIn(String name, AdapterSpec how) throws IOException {
        try (LlamaModel seed = seed(spec.frozenPrecision()); AdapterTraining adapter = AdapterTraining.start(seed, untrained(how), 0)) {
            adapter.save(standIns.folder(name));
        }
    }

    private LlamaModel seed(Precision precision) throws IOException {
        return LlamaModel.open(standIns.folder(BaseModels.SEED), LoadOptions.defaults().withPrecision(precision));
    }

    private static AdapterConfig untrained(AdapterSpec how) {
        return AdapterConfig.lora(how.rank(), how.rank(), new ModuleNames.AllLinear()).withBase("../" + BaseModels.SEED);
    }

    /** The same of a method. */
    double method(Method method, TrainingSpec how) throws IOException {
        List<Double> found = new ArrayList<>();
        method.make(standIns, (model, save) -> found.add(speed(model, how)), folder);
        return found.get(0);
    }

    private double speed(Trainable model, TrainingSpec how) throws IOException {
        List<Double> steps = new ArrayList<>();
        TrainingSpec few = how.withSteps(STEPS);
        try (Trainer trainer = new Trainer(model, texts.mix(few, 0), Training.config(spec, few, 0), metrics -> steps.add(metrics.tokensPerSecond()))) {
            trainer.run();
        }
        return Median.of(steps.subList(STEPS / 2, STEPS));
    }

    /** The speed of scoring the seed, in tokens per second. */
    double scoring(List<Window> windows) throws IOException {
        List<Window> some = Scoring.some(windows, WINDOWS);
        try (LlamaModel seed = seed(spec.frozenPrecision())) {
            score(seed, some);
            return (double) some.size() * spec.sequenceLength() * NANOS / score(seed, some);
        }
    }

    private long score(CausalLm model, List<Window> windows) {
        long begin = System.nanoTime();
        new BitsPerByte(texts.tokenBytes(), WINDOWS).of(model, windows);
        return System.nanoTime() - begin;
    }
}
