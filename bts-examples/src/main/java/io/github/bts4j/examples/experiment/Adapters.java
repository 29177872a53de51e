package io.github.bts4j.examples.experiment;

import ai.djl.ndarray.NDManager;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.github.bts4j.core.adapter.Adapter;
import io.github.bts4j.core.adapter.AdapterConfig;
import io.github.bts4j.core.adapter.AdapterExtraction;
import io.github.bts4j.core.adapter.AdapterWriter;
import io.github.bts4j.core.adapter.ModuleNames;
import io.github.bts4j.core.checkpoint.AtomicFiles;
import io.github.bts4j.core.checkpoint.ModelFingerprint;
import io.github.bts4j.core.support.JsonReader;
import io.github.bts4j.core.torch.Torch;
import io.github.bts4j.core.torch.llama.LlamaModel;
import io.github.bts4j.core.torch.llama.LoadOptions;
import io.github.bts4j.examples.experiment.ExperimentSpec.TrainingSpec;
import io.github.bts4j.train.AdapterTraining;
import io.github.bts4j.train.data.Datamix;
import java.io.IOException;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;

/** Makes adapters of the seed in place of experts: an expert's name and a kind's name together name an adapter. */
final class Adapters {
    private static final long RANDOM_SEED = 0;

    private final ExperimentSpec spec;
    private final BaseModels base;
    private final Map<String, One> all;

    /**
     * An adapter.
     *
     * @param expert the expert in whose place it is
     * @param how how it is made
     */
    record One(String expert, AdapterSpec how) {}

    Adapters(ExperimentSpec spec, BaseModels base) {
        this.spec = spec;
        this.base = base;
        this.all = all(spec);
    }

    /** All adapters of an experiment by their names, kind by kind. */
    static Map<String, One> all(ExperimentSpec spec) {
        Map<String, One> all = new LinkedHashMap<>();
        spec.adapters().forEach((kind, how) -> spec.experts().keySet().forEach(expert -> all.put(expert + " " + kind, new One(expert, how))));
        return all;
    }

    Map<String, One> all() {
        return all;
    }

    Path folder(String name) {
        return base.folder(name);
    }

    /** The hash of an adapter's tensors. */
    String fingerprint(String name) {
        return name + ' ' + ModelFingerprint.sha256(folder(name).resolve(Adapter.WEIGHTS)) + "; ";
    }

    /** Whether the expert exists that an adapter is extracted from; a trained one needs the seed alone. */
    boolean isReady(String name) {
        One one = all.get(name);
        return one.how() instanceof AdapterSpec.Trained || Stage.isThere(folder(one.expert()));
    }

    /** Makes an adapter unless it is there; false if its training was interrupted. */
    boolean make(String name, Texts texts, boolean replaces) throws IOException {
        One one = all.get(name);
        String seed = "the seed " + ModelFingerprint.of(base.folder(BaseModels.SEED));
        if (one.how() instanceof AdapterSpec.Extracted extracted) {
            String madeFrom = extracted + " from the expert " + ModelFingerprint.of(base.folder(one.expert())) + " and " + seed;
            return new Stage(folder(name), madeFrom, replaces).make(() -> extract(name, one.expert(), extracted));
        }
        AdapterSpec.Trained trained = (AdapterSpec.Trained) one.how();
        TrainingSpec how = spec.experts().get(one.expert()).withRate(trained.learningRate(), 0);
        Datamix mix = texts.mix(how, BaseModels.EXPERTS_TEXT);
        return new Stage(folder(name), trained + " by " + how + (base.isMixed() ? " in mixed precision" : "") + " from " + seed + ", data " + mix.fingerprint(), replaces).make(() -> train(name, trained, how, mix));
    }

    private boolean train(String name, AdapterSpec.Trained how, TrainingSpec training, Datamix mix) throws IOException {
        AdapterConfig config = AdapterConfig.lora(how.rank(), how.alpha(), new ModuleNames.AllLinear()).withBase("../" + BaseModels.SEED);
        LoadOptions options = LoadOptions.defaults().withPrecision(spec.trainingPrecision());
        try (LlamaModel seed = LlamaModel.open(base.folder(BaseModels.SEED), options); AdapterTraining adapter = AdapterTraining.start(seed, config, RANDOM_SEED)) {
            return Training.run("adapter " + name, adapter, mix, Training.config(spec, training, RANDOM_SEED), folder(name), () -> adapter.save(folder(name)));
        }
    }

    /** Also writes {@code extraction.json}: how far each tensor is from the seed's, and how much of that is lost. */
    private boolean extract(String name, String expert, AdapterSpec.Extracted how) throws IOException {
        System.err.println("adapter " + name + ": extracted from expert " + expert);
        try (LlamaModel seed = LlamaModel.open(base.folder(BaseModels.SEED)); LlamaModel full = LlamaModel.open(base.folder(expert)); NDManager manager = Torch.manager().newSubManager()) {
            AdapterExtraction found = AdapterExtraction.of(manager, full.tensors(), seed.tensors(), how.rank(), how.keepWhole());
            AdapterWriter.write(folder(name), found.config().withBase("../" + BaseModels.SEED), found.modules(), found.whole());
            ObjectNode losses = JsonReader.object();
            found.parts().forEach(part -> losses.putObject(part.tensor()).put("change", part.change()).put("error", part.error()));
            AtomicFiles.write(folder(name).resolve("extraction.json"), losses.toPrettyString());
            return true;
        }
    }
}
