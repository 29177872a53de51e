package io.github.bts4j.train.eval;

import io.github.bts4j.core.CausalLm;
import io.github.bts4j.core.tokenizer.LlamaTokenizer;
import java.util.Objects;

/**
 * A model to be evaluated. Neither model nor tokenizer is closed.
 *
 * @param name its name in results
 * @param model the model
 * @param tokenizer the tokenizer it was trained with
 * @param atOnce maximum number of texts to generate at once, at least 1; each has its own KV cache
 */
public record EvaluatedModel(String name, CausalLm model, LlamaTokenizer tokenizer, int atOnce) {
    /**
     * Checks the values.
     *
     * @param name its name in results
     * @param model the model
     * @param tokenizer the tokenizer
     * @param atOnce maximum number of texts to generate at once
     * @throws IllegalArgumentException if the name is blank or {@code atOnce} below 1
     */
    public EvaluatedModel {
        Objects.requireNonNull(model, "model");
        Objects.requireNonNull(tokenizer, "tokenizer");
        if (name.isBlank()) {
            throw new IllegalArgumentException("name = '" + name + "' is blank: results need a name");
        }
        if (atOnce < 1) {
            throw new IllegalArgumentException("atOnce = " + atOnce + ", must be at least 1");
        }
    }

    /**
     * A model that generates eight texts at once.
     *
     * @param name its name in results
     * @param model the model
     * @param tokenizer the tokenizer it was trained with
     * @return the model
     * @throws IllegalArgumentException if the name is blank
     */
    public static EvaluatedModel of(String name, CausalLm model, LlamaTokenizer tokenizer) {
        return new EvaluatedModel(name, model, tokenizer, 8);
    }

    ContinuationScorer scorer() {
        return new ContinuationScorer(model, tokenizer);
    }
}
