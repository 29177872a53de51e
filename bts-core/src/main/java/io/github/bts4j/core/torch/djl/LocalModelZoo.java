package io.github.bts4j.core.torch.djl;

import ai.djl.repository.zoo.ModelZoo;
import io.github.bts4j.core.torch.llama.LoadOptions;
import java.nio.file.Path;
import java.util.Set;

/**
 * A model zoo of one local model, for {@code Criteria.builder().optModelZoo(..)}.
 *
 * <p>The loaded {@code ZooModel<String, String>} generates text with the checkpoint's tokenizer. Arguments of the criteria, with the
 * defaults of {@link io.github.bts4j.core.generate.GenerationConfig#greedy}: {@code max_new_tokens} (128), {@code temperature},
 * {@code top_k}, {@code top_p}, {@code min_p}, {@code repetition_penalty}, {@code presence_penalty}, {@code frequency_penalty}, {@code seed}; the end-of-text tokens are the checkpoint's.
 * A translator in the criteria replaces the default one, with any types. The criteria's device is used, if set.
 */
public final class LocalModelZoo extends ModelZoo {
    /** The zoo's group id. */
    public static final String GROUP = "io.github.bts4j";

    private LocalModelZoo(Path path, LoadOptions options) {
        addModel(new LocalModelLoader(path, options));
    }

    /**
     * The zoo of one model on the CPU, in the precision of its files.
     *
     * @param path a checkpoint folder, a GGUF file or, with bts-stitch on the class path, a stitch checkpoint's folder
     * @return the zoo; nothing is read before a model is loaded
     */
    public static LocalModelZoo of(Path path) {
        return of(path, LoadOptions.defaults());
    }

    /**
     * The zoo of one model.
     *
     * @param path a checkpoint folder, a GGUF file or, with bts-stitch on the class path, a stitch checkpoint's folder
     * @param options device and precision
     * @return the zoo; nothing is read before a model is loaded
     */
    public static LocalModelZoo of(Path path, LoadOptions options) {
        return new LocalModelZoo(path, options);
    }

    @Override
    public String getGroupId() {
        return GROUP;
    }

    @Override
    public Set<String> getSupportedEngines() {
        return Set.of("PyTorch");
    }
}
