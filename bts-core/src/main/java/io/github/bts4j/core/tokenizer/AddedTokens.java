package io.github.bts4j.core.tokenizer;

import static io.github.bts4j.core.support.Problems.throwIf;

import com.fasterxml.jackson.databind.JsonNode;
import io.github.bts4j.core.checkpoint.ModelFormatException;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;

/** Checks the added tokens of a tokenizer.json. The library ignores their ids and numbers tokens itself, so the ids have to match its numbering. */
final class AddedTokens {

    private static final int MAX_TOKENS = 1 << 14;
    private static final int MAX_CHARS = 512;

    private AddedTokens() {}

    static void check(Path file, JsonNode added, JsonNode model, Normalizers normalizers) {
        if (!added.isArray()) {
            if (added.isMissingNode()) {
                return;
            }
            throw new ModelFormatException(file, "'added_tokens' is " + Component.shown(added) + ", expected an array");
        }
        throwIf(added.size() > MAX_TOKENS,
                () -> new ModelFormatException(file, "'added_tokens' has " + added.size() + " entries, at most " + MAX_TOKENS
                        + " are supported: put ordinary tokens into 'model.vocab'"));
        Map<String, Integer> vocabulary = vocabulary(model);
        int size = vocabulary.size();
        int highest = -1;
        Map<String, Integer> seen = new HashMap<>();
        for (int i = 0; i < added.size(); i++) {
            Component token = new Component(file, "added_tokens[" + i + "]", added.get(i));
            token.allow("id", "content", "single_word", "lstrip", "rstrip", "normalized", "special");
            for (String flag : new String[] {"single_word", "lstrip", "rstrip", "special"}) {
                token.flag(flag);
            }
            String content = token.shortText("content", MAX_CHARS);
            throwIf(token.flag("normalized") && !normalizers.leaves(content),
                    () -> token.problem("has the content '" + Component.shown(content) + "', of which the normalizer may leave nothing: set 'normalized' to false"));
            int id = token.integer("id", Integer.MAX_VALUE);
            Integer before = seen.containsKey(content) ? seen.get(content) : vocabulary.get(content);
            int next = highest >= size || size == 0 && highest >= 0 ? highest + 1 : size;
            int given = before != null ? before : next;
            throwIf(given != id,
                    () -> token.problem("has id " + id + " for '" + Component.shown(content) + "', but the tokenizers library assigns " + given
                            + ": the ids of 'added_tokens' and 'model.vocab' do not match"));
            seen.put(content, given);
            highest = Math.max(highest, given);
        }
    }

    private static Map<String, Integer> vocabulary(JsonNode model) {
        Map<String, Integer> vocabulary = new HashMap<>();
        JsonNode vocab = model.path("vocab");
        if (vocab.isObject()) {
            vocab.properties().forEach(entry -> vocabulary.put(entry.getKey(), entry.getValue().asInt()));
        } else {
            for (int i = 0; i < vocab.size(); i++) {
                vocabulary.put(vocab.get(i).path(0).asText(), i);
            }
        }
        return vocabulary;
    }
}
