package io.github.bts4j.core.generate;

import io.github.bts4j.core.CausalLm;
import io.github.bts4j.core.tokenizer.LlamaTokenizer;

/**
 * Generates text with any causal language model: one Llama, a stitched model, an ensemble.
 *
 * <p>Thread-safe: every generation has a session of its own. It closes neither the model nor the tokenizer.
 */
public final class Generator {
    private final CausalLm model;
    private final LlamaTokenizer tokenizer;

    /**
     * Joins a model and its tokenizer.
     *
     * @param model the model
     * @param tokenizer the tokenizer it was trained with
     * @throws IllegalArgumentException if the tokenizer can give ids that the model does not have
     */
    public Generator(CausalLm model, LlamaTokenizer tokenizer) {
        if (tokenizer.vocabSize() > model.vocabSize()) {
            throw new IllegalArgumentException("The tokenizer " + tokenizer.path() + " has " + tokenizer.vocabSize()
                    + " ids, the model's vocabulary " + model.vocabSize() + ": they do not belong together");
        }
        this.model = model;
        this.tokenizer = tokenizer;
    }

    /**
     * Generates to the end.
     *
     * @param prompt the text to continue; special tokens (such as the begin token) are added as the tokenizer's own template says
     * @param config the options
     * @return the generated tokens and text
     * @throws IllegalArgumentException if the prompt is empty or longer than the context
     */
    public GenerationResult generate(String prompt, GenerationConfig config) {
        try (TokenStream stream = stream(prompt, config)) {
            while (stream.hasNext()) {
                stream.next();
            }
            return stream.result();
        }
    }

    /**
     * Generates token by token.
     *
     * @param prompt the text to continue, encoded as by {@link #generate}
     * @param config the options
     * @return a stream, which the caller closes; the prompt has been processed when it is returned
     * @throws IllegalArgumentException if the prompt is empty or longer than the context
     */
    public TokenStream stream(String prompt, GenerationConfig config) {
        return stream(tokenizer.encode(prompt, true), config);
    }

    /**
     * Generates token by token from token ids.
     *
     * @param prompt token ids, at least one
     * @param config the options
     * @return a stream, which the caller closes
     * @throws IllegalArgumentException if the prompt is empty or longer than the context, or an id is out of range
     */
    public TokenStream stream(int[] prompt, GenerationConfig config) {
        return new TokenStream(model, tokenizer, prompt, config);
    }
}
