package io.github.bts4j.core.torch.djl;

import static io.github.bts4j.core.support.Problems.throwIf;

import ai.djl.Application;
import ai.djl.repository.MRL;
import ai.djl.repository.Repository;
import ai.djl.repository.zoo.Criteria;
import ai.djl.repository.zoo.ModelLoader;
import ai.djl.repository.zoo.ZooModel;
import ai.djl.translate.Translator;
import ai.djl.translate.TranslatorFactory;
import ai.djl.util.Progress;
import io.github.bts4j.core.text.ModelSource;
import io.github.bts4j.core.tokenizer.LlamaTokenizer;
import io.github.bts4j.core.torch.FrozenLm;
import io.github.bts4j.core.torch.llama.LoadOptions;
import java.io.IOException;
import java.nio.file.Path;

/** Loads the model of a {@link LocalModelZoo}. */
final class LocalModelLoader implements ModelLoader {
    private final Path path;
    private final LoadOptions options;

    LocalModelLoader(Path path, LoadOptions options) {
        this.path = path;
        this.options = options;
    }

    @Override
    public String getGroupId() {
        return LocalModelZoo.GROUP;
    }

    @Override
    public String getArtifactId() {
        return path.toAbsolutePath().normalize().getFileName().toString();
    }

    @Override
    public Application getApplication() {
        return Application.NLP.TEXT_GENERATION;
    }

    @Override
    public MRL getMrl() {
        return MRL.undefined(Repository.newInstance(getArtifactId(), path), LocalModelZoo.GROUP, getArtifactId());
    }

    @Override
    public <I, O> ZooModel<I, O> loadModel(Criteria<I, O> criteria) throws IOException {
        LoadOptions wanted = criteria.getDevice() == null ? options : options.withDevice(criteria.getDevice());
        TranslatorFactory factory = criteria.getTranslatorFactory();
        if (factory == null) {
            return generating(criteria, wanted);
        }
        FrozenLm model = ModelSource.load(path, wanted).model();
        try {
            return new ZooModel<>(model, factory.newInstance(criteria.getInputClass(), criteria.getOutputClass(), model, criteria.getArguments()));
        } catch (Exception e) {
            model.close();
            throw new IOException("The translator of the criteria cannot be created", e);
        }
    }

    @SuppressWarnings("unchecked") // the classes of I and O are compared first
    private <I, O> ZooModel<I, O> generating(Criteria<I, O> criteria, LoadOptions wanted) throws IOException {
        throwIf(criteria.getInputClass() != String.class || criteria.getOutputClass() != String.class,
                () -> new IllegalArgumentException("Types " + criteria.getInputClass().getName() + " -> " + criteria.getOutputClass().getName()
                        + " need a translator: set one with optTranslator, or use String -> String"));
        var generation = new GenerationArguments(criteria.getArguments()).config();
        ModelSource.Loaded loaded = ModelSource.load(path, wanted);
        try {
            LlamaTokenizer tokenizer = LlamaTokenizer.open(loaded.files());
            return new OwningZooModel<>(loaded.model(), (Translator<I, O>) new TextGenerationTranslator(tokenizer, generation), tokenizer);
        } catch (RuntimeException e) {
            loaded.model().close();
            throw e;
        }
    }

    @Override
    public <I, O> boolean isDownloaded(Criteria<I, O> criteria) {
        return true;
    }

    @Override
    public <I, O> void downloadModel(Criteria<I, O> criteria, Progress progress) {
        // local files: nothing to download
    }

    /** A zoo model that also closes its tokenizer. */
    private static final class OwningZooModel<I, O> extends ZooModel<I, O> {
        private final LlamaTokenizer tokenizer;

        OwningZooModel(FrozenLm model, Translator<I, O> translator, LlamaTokenizer tokenizer) {
            super(model, translator);
            this.tokenizer = tokenizer;
        }

        @Override
        public void close() {
            super.close();
            tokenizer.close();
        }
    }
}
