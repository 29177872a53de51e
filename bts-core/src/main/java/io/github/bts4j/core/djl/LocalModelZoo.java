package io.github.bts4j.core.djl;

import ai.djl.repository.zoo.ModelZoo;
import io.github.bts4j.core.FrozenLm;
import io.github.bts4j.core.llama.LlamaModel;
import io.github.bts4j.core.llama.LoadOptions;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Set;

/**
 * A model zoo of one local checkpoint, for {@code Criteria.builder().optModelZoo(..)}.
 *
 * <p>The loaded {@code ZooModel<String, String>} generates text with the checkpoint's own tokenizer. Arguments of the criteria, with the
 * defaults of {@link io.github.bts4j.core.generate.GenerationConfig#greedy}: {@code max_new_tokens} (128), {@code temperature},
 * {@code top_k}, {@code top_p}, {@code min_p}, {@code repetition_penalty}, {@code seed}; the end-of-text tokens are the checkpoint's.
 * A translator given to the criteria takes this one's place, whatever its types. The criteria's device, where given, is used.
 */
public final class LocalModelZoo extends ModelZoo {
    /** The zoo's group id. */
    public static final String GROUP = "io.github.bts4j";

    /** Loads the model. */
    @FunctionalInterface
    public interface Opener {
        /**
         * Loads the model.
         *
         * @param options the precision asked for, on the criteria's device
         * @return the model, which the zoo model closes
         * @throws IOException if a file cannot be read
         */
        FrozenLm open(LoadOptions options) throws IOException;
    }

    /**
     * Makes a zoo.
     *
     * @param name the model's name, its artifact id
     * @param hub the checkpoint folder whose tokenizer and end-of-text tokens count: of a stitched model, the hub's
     * @param options device and precision
     * @param opener loads the model
     */
    public LocalModelZoo(String name, Path hub, LoadOptions options, Opener opener) {
        addModel(new LocalModelLoader(name, hub, options, opener));
    }

    /**
     * The zoo of one Llama checkpoint.
     *
     * @param folder its folder
     * @return the zoo; nothing is read before it is asked to load
     */
    public static LocalModelZoo llama(Path folder) {
        return llama(folder, LoadOptions.defaults());
    }

    /**
     * The zoo of one Llama checkpoint, with options.
     *
     * @param folder its folder
     * @param options device and precision
     * @return the zoo
     */
    public static LocalModelZoo llama(Path folder, LoadOptions options) {
        return new LocalModelZoo("llama", folder, options, wanted -> LlamaModel.open(folder, wanted));
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
