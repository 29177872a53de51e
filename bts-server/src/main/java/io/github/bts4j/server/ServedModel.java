package io.github.bts4j.server;

import io.github.bts4j.core.CausalLm;
import io.github.bts4j.core.chat.ChatTemplate;
import io.github.bts4j.core.tokenizer.LlamaTokenizer;
import io.github.bts4j.stitch.Member;
import io.github.bts4j.stitch.StitchedModel;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;

/**
 * What a server serves. It closes neither the model nor the tokenizer.
 *
 * @param name what clients call it
 * @param model one model, or a stitched one
 * @param tokenizer the tokenizer it was trained with
 * @param chat how conversations become prompts; without it there are no chat completions
 * @param eosTokenIds the tokens that end an answer
 */
public record ServedModel(String name, CausalLm model, LlamaTokenizer tokenizer, Optional<ChatTemplate> chat, Set<Integer> eosTokenIds) {
    /**
     * Checks the components.
     *
     * @param name what clients call it
     * @param model the model
     * @param tokenizer its tokenizer
     * @param chat how conversations become prompts
     * @param eosTokenIds the tokens that end an answer
     * @throws IllegalArgumentException if the name is blank
     */
    public ServedModel {
        Objects.requireNonNull(model, "model");
        Objects.requireNonNull(tokenizer, "tokenizer");
        Objects.requireNonNull(chat, "chat");
        eosTokenIds = Set.copyOf(eosTokenIds);
        if (name.isBlank()) {
            throw new IllegalArgumentException("name = '" + name + "': clients need a name to call the model by");
        }
    }

    /** The experts of a stitched model; none of another one. */
    List<String> experts() {
        return model instanceof StitchedModel stitched ? stitched.members().stream().skip(1).map(Member::name).toList() : List.of();
    }
}
