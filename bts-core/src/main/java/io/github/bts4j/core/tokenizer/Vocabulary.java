package io.github.bts4j.core.tokenizer;

import static io.github.bts4j.core.support.Problems.throwIf;

import com.fasterxml.jackson.databind.JsonNode;
import io.github.bts4j.core.checkpoint.ModelFormatException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** Ids and token strings of a tokenizer.json: the model's vocabulary and the added tokens. Immutable. */
final class Vocabulary {

    /** An added token that is special, as tokenizer.json declares it. */
    record SpecialToken(int id, String content, boolean normalized) {}

    private static final int MAX_ID = 1 << 26;

    private final String[] tokens;
    private final Map<String, Integer> ids;
    private final List<SpecialToken> specialTokens;
    private final BitSet special = new BitSet();

    private Vocabulary(Map<String, Integer> ids, List<SpecialToken> specialTokens, int size) {
        this.ids = ids;
        this.specialTokens = List.copyOf(specialTokens);
        tokens = new String[size];
        ids.forEach((token, id) -> tokens[id] = token);
        specialTokens.forEach(token -> special.set(token.id()));
    }

    static Vocabulary read(Path file, JsonNode root) {
        Map<String, Integer> ids = new HashMap<>();
        JsonNode vocab = root.path("model").path("vocab");
        if (vocab.isObject()) {
            vocab.properties().forEach(entry -> ids.put(entry.getKey(), id(file, entry.getKey(), entry.getValue())));
        } else if (vocab.isArray()) {
            for (int i = 0; i < vocab.size(); i++) {
                ids.put(vocab.get(i).path(0).asText(), i);
            }
        } else {
            throw new ModelFormatException(file, "no vocabulary: 'model.vocab' is " + kind(vocab) + ", expected an object (BPE) or an array (Unigram)");
        }
        List<SpecialToken> specials = addedTokens(file, root.path("added_tokens"), ids);
        int highest = ids.values().stream().mapToInt(Integer::intValue).max().orElse(-1);
        throwIf(highest < 0, () -> new ModelFormatException(file, "the vocabulary is empty"));
        return new Vocabulary(ids, specials, highest + 1);
    }

    private static List<SpecialToken> addedTokens(Path file, JsonNode added, Map<String, Integer> ids) {
        throwIf(!added.isArray() && !added.isMissingNode() && !added.isNull(),
                () -> new ModelFormatException(file, "'added_tokens' is " + kind(added) + ", expected an array"));
        List<SpecialToken> specials = new ArrayList<>();
        for (JsonNode token : added) {
            String content = token.path("content").asText();
            throwIf(content.isEmpty(), () -> new ModelFormatException(file, "an entry of 'added_tokens' has no content: " + Component.shown(token)));
            int id = id(file, content, token.path("id"));
            ids.put(content, id);
            if (token.path("special").asBoolean()) {
                specials.add(new SpecialToken(id, content, token.path("normalized").asBoolean()));
            }
        }
        return specials;
    }

    private static int id(Path file, String token, JsonNode value) {
        throwIf(!value.isIntegralNumber() || !value.canConvertToInt() || value.asInt() < 0 || value.asInt() > MAX_ID,
                () -> new ModelFormatException(file, "token '" + Component.shown(token) + "' has id " + Component.shown(value) + ", expected an integer from 0 to " + MAX_ID));
        return value.asInt();
    }

    private static String kind(JsonNode node) {
        return node.isMissingNode() ? "missing" : "of type " + node.getNodeType();
    }

    /** One more than the highest id. */
    int size() {
        return tokens.length;
    }

    int longestToken() {
        return ids.keySet().stream().mapToInt(String::length).max().orElseThrow();
    }

    boolean isId(long id) {
        return id >= 0 && id < tokens.length;
    }

    /** Whether some token has this id: vocabularies may have gaps. */
    boolean isAssigned(int id) {
        return tokens[id] != null;
    }

    boolean isSpecial(int id) {
        return special.get(id);
    }

    String token(int id) {
        return tokens[id];
    }

    boolean contains(String token) {
        return ids.containsKey(token);
    }

    int id(String token) {
        return ids.get(token);
    }

    List<SpecialToken> specialTokens() {
        return specialTokens;
    }
}
