package io.github.bts4j.core.tokenizer;

import static io.github.bts4j.core.support.Problems.throwIf;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.github.bts4j.core.checkpoint.ModelFormatException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;

/**
 * The tokens of {@code added_tokens_decoder} in a tokenizer_config.json, by their ids. transformers adds those that are missing from tokenizer.json; others are as in
 * tokenizer.json.
 *
 * @param tokens entries of {@code added_tokens} by their ids, in their order
 */
record DeclaredTokens(Map<Integer, ObjectNode> tokens) {
    private static final String KEY = "added_tokens_decoder";

    static DeclaredTokens of(Path config, JsonNode root) {
        Map<Integer, ObjectNode> tokens = new TreeMap<>();
        JsonNode declared = root.path(KEY);
        declared.properties().forEach(entry -> {
            throwIf(!entry.getKey().matches("\\d{1,9}") || !entry.getValue().path("content").isTextual(),
                    () -> new ModelFormatException(config, "'" + KEY + "' holds " + Component.shown(entry.getKey()) + ": " + Component.shown(entry.getValue())
                            + ", expected an id and a token with its content"));
            ObjectNode token = JsonNodeFactory.instance.objectNode().put("id", Integer.parseInt(entry.getKey())).put("content", entry.getValue().path("content").asText());
            for (String flag : new String[] {"single_word", "lstrip", "rstrip", "normalized", "special"}) {
                token.put(flag, entry.getValue().path(flag).asBoolean(flag.equals("normalized") && !entry.getValue().path("special").asBoolean()));
            }
            tokens.put(token.get("id").asInt(), token);
        });
        return new DeclaredTokens(tokens);
    }

    /** A tokenizer.json with the missing tokens; the same bytes if there are none. */
    byte[] addedTo(Path file, byte[] content) {
        if (tokens.isEmpty()) {
            return content;
        }
        ObjectNode root = TokenizerFiles.parse(file, content);
        JsonNode known = root.path("added_tokens");
        if (!known.isArray() && !known.isMissingNode()) {
            return content; // refused when it is checked
        }
        Set<String> contents = new HashSet<>();
        known.forEach(token -> contents.add(token.path("content").asText()));
        ArrayNode all = known.isArray() ? (ArrayNode) known : root.putArray("added_tokens");
        int before = all.size();
        tokens.values().stream().filter(token -> contents.add(token.path("content").asText())).forEach(all::add);
        return all.size() == before ? content : root.toString().getBytes(StandardCharsets.UTF_8);
    }
}
