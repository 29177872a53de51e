package io.github.bts4j.core.tokenizer;

import static io.github.bts4j.core.support.Problems.throwIf;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.HashSet;
import java.util.Iterator;
import java.util.Map;
import java.util.Set;

/** Checks the post-processors of a tokenizer.json: the added tokens have to exist, and the text has to occur in the result once. */
final class PostProcessors {

    private static final int MAX_ADDED = 1024;

    private final Vocabulary vocabulary;
    private boolean templated;

    PostProcessors(Vocabulary vocabulary) {
        this.vocabulary = vocabulary;
    }

    /** Returns the maximum number of ids that are added. */
    int check(Component component, int depth) {
        switch (component.type()) {
            case "Sequence" -> {
                component.allow("type", "processors");
                throwIf(depth > 4, () -> component.problem("is nested deeper than 4"));
                return component.inner("processors").stream().mapToInt(inner -> check(inner, depth + 1)).sum();
            }
            case "ByteLevel" -> {
                TokenizerCheck.byteLevel(component);
                return 0;
            }
            case "BertProcessing" -> {
                component.allow("type", "sep", "cls");
                return ends(component);
            }
            case "RobertaProcessing" -> {
                component.allow("type", "sep", "cls", "trim_offsets", "add_prefix_space");
                component.flag("trim_offsets");
                component.flag("add_prefix_space");
                return ends(component);
            }
            case "TemplateProcessing" -> {
                component.allow("type", "single", "pair", "special_tokens");
                return template(component);
            }
            default -> throw component.problem("is not known: known post-processors are Sequence, ByteLevel, TemplateProcessing, BertProcessing and"
                    + " RobertaProcessing");
        }
    }

    private int ends(Component component) {
        once(component);
        for (String key : new String[] {"sep", "cls"}) {
            JsonNode end = component.node().path(key);
            component.require(key, end.isArray() && end.size() == 2 && end.path(0).isTextual() && isId(end.path(1)), "[token, id]");
        }
        return 2;
    }

    private int template(Component component) {
        once(component);
        Set<String> named = specialTokens(component);
        int sequences = 0;
        int added = 0;
        for (String key : new String[] {"single", "pair"}) {
            JsonNode pieces = component.require(key, component.node().path(key).isArray() && component.node().path(key).size() <= 64, "an array of up to 64 pieces");
            for (JsonNode piece : pieces) {
                String id = piece(component, key, piece);
                boolean special = piece.has("SpecialToken");
                throwIf(special && !named.contains(id),
                        () -> component.problem("has the piece '" + Component.shown(id) + "' in '" + key + "', which 'special_tokens' does not define"));
                if (key.equals("single") && !special) {
                    component.require(key, id.equals("A"), "the text as sequence A");
                    sequences++;
                } else if (key.equals("single")) {
                    added += component.node().path("special_tokens").path(id).path("ids").size();
                }
            }
        }
        if (sequences != 1) {
            throw component.problem("has the text " + sequences + " times in 'single', expected once");
        }
        if (added > MAX_ADDED) {
            throw component.problem("adds " + added + " tokens to each text, at most " + MAX_ADDED + " are taken");
        }
        return added;
    }

    private static String piece(Component component, String key, JsonNode piece) {
        JsonNode body = piece.has("SpecialToken") ? piece.path("SpecialToken") : piece.path("Sequence");
        boolean known = piece.isObject() && piece.size() == 1 && body.isObject() && body.size() == 2 && body.path("id").isTextual()
                && Component.isInteger(body.path("type_id"), Integer.MAX_VALUE)
                && (piece.has("SpecialToken") || body.path("id").asText().equals("A") || body.path("id").asText().equals("B"));
        throwIf(!known,
                () -> component.problem("has the piece " + Component.shown(piece) + " in '" + key + "', expected {\"SpecialToken\": {\"id\": token, \"type_id\": 0}}"
                        + " or {\"Sequence\": {\"id\": \"A\" or \"B\", \"type_id\": 0}}"));
        return body.path("id").asText();
    }

    private Set<String> specialTokens(Component component) {
        JsonNode specials = component.require("special_tokens", component.node().path("special_tokens").isObject(), "an object");
        Set<String> named = new HashSet<>();
        for (Iterator<Map.Entry<String, JsonNode>> entries = specials.properties().iterator(); entries.hasNext();) {
            Map.Entry<String, JsonNode> entry = entries.next();
            JsonNode ids = entry.getValue().path("ids");
            JsonNode tokens = entry.getValue().path("tokens");
            boolean fits = entry.getValue().path("id").isTextual() && entry.getValue().size() == 3 && ids.isArray() && tokens.isArray()
                    && ids.size() == tokens.size() && ids.size() <= MAX_ADDED;
            for (int i = 0; fits && i < ids.size(); i++) {
                fits = isId(ids.get(i)) && tokens.get(i).isTextual();
            }
            throwIf(!fits, () -> component.problem("defines '" + Component.shown(entry.getKey()) + "' as " + Component.shown(entry.getValue())
                    + ", expected {\"id\": name, \"ids\": [..], \"tokens\": [..]}, as many ids as tokens, ids below " + vocabulary.size()));
            named.add(entry.getKey());
        }
        return named;
    }

    private boolean isId(JsonNode value) {
        return Component.isInteger(value, vocabulary.size() - 1);
    }

    private void once(Component component) {
        throwIf(templated, () -> component.problem("is the second that adds tokens; the library can take one"));
        templated = true;
    }
}
