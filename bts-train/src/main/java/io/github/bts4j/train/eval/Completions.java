package io.github.bts4j.train.eval;

import io.github.bts4j.core.generate.GenerationConfig;
import io.github.bts4j.core.generate.Generator;
import io.github.bts4j.core.generate.TokenStream;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.function.Predicate;

/** Greedy continuations of prompts, several at a time. The beginning of prompts that are too long for the context is cut off. */
final class Completions {
    private final EvaluatedModel model;
    private final GenerationConfig config;
    private final Predicate<String> enough;

    /**
     * Creates a generator; the tokenizer's end token also ends a text.
     *
     * @param model the model
     * @param maxNewTokens maximum number of tokens to generate
     * @param stopStrings the texts that end a text
     * @param enough whether a generated text is complete
     */
    Completions(EvaluatedModel model, int maxNewTokens, List<String> stopStrings, Predicate<String> enough) {
        if (maxNewTokens >= model.model().contextLength()) {
            throw new IllegalArgumentException("maxNewTokens = " + maxNewTokens + " leaves no room for a prompt (max_position_embeddings "
                    + model.model().contextLength() + ")");
        }
        this.model = model;
        Set<Integer> ends = model.tokenizer().eosTokenId().isPresent() ? Set.of(model.tokenizer().eosTokenId().getAsInt()) : Set.of();
        this.config = GenerationConfig.greedy(maxNewTokens).withEndTokens(ends).withStopStrings(stopStrings);
        this.enough = enough;
    }

    /** The generated texts in the prompts' order. */
    List<String> of(List<String> prompts) {
        Generator generator = new Generator(model.model(), model.tokenizer());
        List<TokenStream> all = new ArrayList<>();
        List<TokenStream> active = new ArrayList<>();
        try {
            while (all.size() < prompts.size() || !active.isEmpty()) {
                while (all.size() < prompts.size() && active.size() < model.atOnce()) {
                    TokenStream stream = generator.stream(encode(prompts.get(all.size())), config);
                    all.add(stream);
                    active.add(stream);
                }
                generator.nextEach(active);
                active.removeIf(this::isDone);
            }
        } finally {
            active.forEach(TokenStream::close);
        }
        return all.stream().map(stream -> stream.result().text()).toList();
    }

    private boolean isDone(TokenStream stream) {
        if (stream.hasNext() && enough.test(stream.result().text())) {
            stream.close();
        }
        return !stream.hasNext();
    }

    private int[] encode(String prompt) {
        int[] ids = model.tokenizer().encode(prompt, true);
        int room = model.model().contextLength() - config.maxNewTokens();
        return Arrays.copyOfRange(ids, Math.max(0, ids.length - room), ids.length);
    }
}
