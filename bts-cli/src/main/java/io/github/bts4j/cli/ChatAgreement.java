package io.github.bts4j.cli;

import io.github.bts4j.core.chat.ChatTemplate;
import io.github.bts4j.core.checkpoint.Checkpoint;
import io.github.bts4j.core.llama.LlamaConfig;
import io.github.bts4j.core.tokenizer.LlamaTokenizer;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.SortedSet;
import java.util.TreeSet;
import java.util.stream.Collectors;

/**
 * Whether experts were trained for the conversations that a stitched model holds: its chat template and its end tokens are the hub's, whatever the experts learnt.
 * What differs is no error, for an expert need not know conversations at all.
 */
final class ChatAgreement {
    private ChatAgreement() {}

    /**
     * What differs.
     *
     * @param hub the hub's folder, or a GGUF file
     * @param name the expert's name
     * @param expert the expert's folder, or a GGUF file
     * @return one line for each matter; none where they agree, or the expert names neither template nor end tokens
     */
    static List<String> warnings(Path hub, String name, Path expert) throws IOException {
        List<String> warnings = new ArrayList<>();
        Optional<ChatTemplate> template = template(hub, hub);
        Optional<ChatTemplate> own = template(expert, hub);
        if (own.isPresent() && template.isEmpty()) {
            warnings.add("Expert '" + name + "' has a chat template and the hub has none: the stitched model holds conversations only where one is given; put the expert's beside the hub");
        } else if (own.isPresent() && !own.get().sha256().equals(template.get().sha256())) {
            warnings.add("Expert '" + name + "' has another chat template than the hub, whose the stitched model takes: train the experts for conversations by one template (--chat-template)");
        }
        endTokens(hub, name, expert).ifPresent(warnings::add);
        return warnings;
    }

    /** A folder without a tokenizer, such as an adapter's, has the hub's special tokens. */
    private static Optional<ChatTemplate> template(Path model, Path hub) throws IOException {
        Path alone = model.resolve("chat_template.jinja");
        try {
            return Optional.of(Files.isRegularFile(alone) && !Files.exists(model.resolve("tokenizer_config.json")) ? ChatTemplate.of(hub, Files.readString(alone)) : ChatTemplate.of(model));
        } catch (IllegalArgumentException e) { // it has none
            return Optional.empty();
        }
    }

    private static Optional<String> endTokens(Path hub, String name, Path expert) throws IOException {
        if (!isModel(hub) || !isModel(expert)) {
            return Optional.empty(); // an adapter has those of its base
        }
        TreeSet<Integer> ends = new TreeSet<>(LlamaConfig.read(hub).eosTokenIds());
        TreeSet<Integer> own = new TreeSet<>(LlamaConfig.read(expert).eosTokenIds());
        if (own.isEmpty() || own.equals(ends)) {
            return Optional.empty();
        }
        return Optional.of("Expert '" + name + "' ends texts with " + named(expert, own) + " and the hub with " + named(hub, ends)
                + ": the stitched model stops at the hub's; name all of them as eos_token_id in the hub's generation_config.json if it is to stop at either");
    }

    private static boolean isModel(Path model) {
        return Checkpoint.isGguf(model) || Files.exists(model.resolve("config.json"));
    }

    private static String named(Path model, SortedSet<Integer> ids) {
        if (ids.isEmpty()) {
            return "no token";
        }
        if (!Models.hasTokenizer(model)) {
            return ids.stream().map(String::valueOf).collect(Collectors.joining(", "));
        }
        try (LlamaTokenizer tokenizer = LlamaTokenizer.open(model)) {
            return ids.stream().map(id -> id < tokenizer.vocabSize() ? tokenizer.token(id) + " (" + id + ")" : String.valueOf(id)).collect(Collectors.joining(", "));
        }
    }
}
