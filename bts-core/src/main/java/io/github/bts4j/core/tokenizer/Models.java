package io.github.bts4j.core.tokenizer;

import static io.github.bts4j.core.support.Problems.throwIf;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.HashMap;
import java.util.Map;

/** Checks the model of a tokenizer.json: BPE, Unigram, WordPiece or WordLevel. */
final class Models {

    private static final int MAX_TOKEN = 1 << 16;
    private static final int MAX_UNIGRAM_TOKEN = 1 << 10;

    private Models() {}

    /** Returns how many bytes of a text the model may read for each token: the length of Unigram's longest token, else 1. */
    static int check(Component model) {
        JsonNode vocab = model.node().path("vocab");
        String type = model.node().has("type") ? model.type() : vocab.isArray() ? "Unigram" : "BPE";
        boolean array = type.equals("Unigram");
        throwIf(vocab.isArray() != array,
                () -> model.problem("has a vocabulary that is " + (vocab.isArray() ? "an array" : "an object") + ", expected " + (array ? "an array" : "an object")));
        switch (type) {
            case "BPE" -> bytePairs(model);
            case "Unigram" -> {
                return unigram(model);
            }
            case "WordPiece" -> {
                model.allow("type", "vocab", "unk_token", "continuing_subword_prefix", "max_input_chars_per_word");
                model.shortText("unk_token", MAX_TOKEN);
                model.shortText("continuing_subword_prefix", 64);
                model.integer("max_input_chars_per_word", 256);
                ids(model);
            }
            case "WordLevel" -> {
                model.allow("type", "vocab", "unk_token");
                model.shortText("unk_token", MAX_TOKEN);
                ids(model);
            }
            default -> throw model.problem("is not known: known models are BPE, Unigram, WordPiece and WordLevel");
        }
        return 1;
    }

    private static void bytePairs(Component model) {
        model.allow("type", "vocab", "merges", "dropout", "unk_token", "continuing_subword_prefix", "end_of_word_suffix", "fuse_unk", "byte_fallback",
                "ignore_merges");
        JsonNode dropout = model.node().path("dropout");
        model.require("dropout", dropout.isMissingNode() || dropout.isNull() || dropout.isNumber() && dropout.doubleValue() == 0,
                "null: with dropout the ids of a text are random");
        model.optionalText("unk_token", MAX_TOKEN);
        model.optionalText("continuing_subword_prefix", 64);
        model.optionalText("end_of_word_suffix", 64);
        model.optionalFlags("fuse_unk", "byte_fallback", "ignore_merges");
        Map<String, Integer> ids = ids(model);
        JsonNode merges = model.require("merges", model.node().path("merges").isArray(), "an array");
        String prefix = model.node().path("continuing_subword_prefix").asText("");
        int prefixLength = model.node().path("continuing_subword_prefix").isTextual() ? prefix.length() : 0;
        boolean pairs = merges.path(0).isArray();
        for (int i = 0; i < merges.size(); i++) {
            merge(model, ids, prefix.substring(0, prefixLength), merges.get(i), pairs, i);
        }
    }

    private static void merge(Component model, Map<String, Integer> ids, String prefix, JsonNode merge, boolean pairs, int rank) {
        String text = merge.asText();
        int space = text.indexOf(' ');
        boolean formed = pairs ? merge.isArray() && merge.size() == 2 && merge.path(0).isTextual() && merge.path(1).isTextual()
                : merge.isTextual() && space >= 0 && text.indexOf(' ', space + 1) < 0;
        if (!pairs && merge.isTextual() && text.startsWith("#version")) {
            return;
        }
        throwIf(!formed,
                () -> model.problem("has merge " + rank + " = " + Component.shown(merge) + ", expected " + (pairs ? "[token, token]" : "\"token token\"")
                        + ", as the first one is"));
        String left = pairs ? merge.path(0).asText() : text.substring(0, space);
        String right = pairs ? merge.path(1).asText() : text.substring(space + 1);
        throwIf(!right.startsWith(prefix) || !ids.containsKey(left) || !ids.containsKey(right) || !ids.containsKey(left + right.substring(prefix.length())),
                () -> model.problem("has merge " + rank + " = " + Component.shown(merge) + ", whose parts and result have to be in 'vocab'"));
    }

    private static int unigram(Component model) {
        model.allow("type", "vocab", "unk_id", "byte_fallback");
        JsonNode vocab = model.node().path("vocab");
        JsonNode unknown = model.node().path("unk_id");
        model.require("unk_id", unknown.isMissingNode() || unknown.isNull() || Component.isInteger(unknown, vocab.size() - 1), "null or an id below " + vocab.size());
        model.defaultFlag("byte_fallback");
        int longest = 1;
        for (int i = 0; i < vocab.size(); i++) {
            JsonNode piece = vocab.get(i);
            if (!piece.isArray() || piece.size() != 2 || !piece.path(0).isTextual() || !piece.path(1).isNumber()) {
                throw model.problem("has entry " + i + " of 'vocab' = " + Component.shown(piece) + ", expected [token, score]");
            }
            longest = Math.max(longest, Normalizers.utf8(piece.path(0).asText()));
        }
        if (longest > MAX_UNIGRAM_TOKEN) {
            throw model.problem("has a token of " + longest + " bytes, at most " + MAX_UNIGRAM_TOKEN + " are taken");
        }
        return longest;
    }

    /** Refuses two tokens with one id, which could decode as either. */
    private static Map<String, Integer> ids(Component model) {
        Map<String, Integer> ids = new HashMap<>();
        Map<Integer, String> tokens = new HashMap<>();
        model.node().path("vocab").properties().forEach(entry -> {
            throwIf(entry.getKey().length() > MAX_TOKEN,
                    () -> model.problem("has a token of " + entry.getKey().length() + " characters, at most " + MAX_TOKEN + " are taken"));
            int id = entry.getValue().asInt(); // read by Vocabulary before
            String other = tokens.put(id, entry.getKey());
            throwIf(other != null,
                    () -> model.problem("gives id " + id + " to two tokens, '" + Component.shown(other) + "' and '" + Component.shown(entry.getKey()) + "'"));
            ids.put(entry.getKey(), id);
        });
        return ids;
    }
}
