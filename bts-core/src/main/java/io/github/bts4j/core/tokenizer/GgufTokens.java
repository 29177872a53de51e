package io.github.bts4j.core.tokenizer;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.github.bts4j.core.MismatchException;
import io.github.bts4j.core.UnsupportedException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** A tokenizer.json as the metadata of a GGUF file: the opposite of {@link GgufTokenizer}. Byte-level BPE and SentencePiece BPE with byte fallback. */
public final class GgufTokens {
    private static final String PREFIX = "tokenizer.ggml.";
    private static final int NORMAL = 1;
    private static final int UNKNOWN = 2;
    private static final int CONTROL = 3;
    private static final int USER_DEFINED = 4;
    private static final int UNUSED = 5;
    private static final int BYTE = 6;
    private static final String BYTE_TOKEN = "<0x[0-9A-F]{2}>";
    private static final String SPACE = "\u2581";

    private final Path file;
    private final ObjectNode root;
    private final JsonNode model;
    private final String[] tokens;
    private final Integer[] types;

    private GgufTokens(Path file, ObjectNode root, int vocabSize) {
        this.file = file;
        this.root = root;
        this.model = root.path("model");
        this.tokens = new String[vocabSize];
        this.types = new Integer[vocabSize];
    }

    /**
     * The metadata of a checkpoint's tokenizer.
     *
     * @param folder the checkpoint's folder, with tokenizer.json
     * @param vocabSize the rows of the embedding table; rows without a token get the names that llama.cpp gives them
     * @return keys and values
     * @throws UnsupportedException if llama.cpp has no such tokenizer
     * @throws MismatchException if there are more tokens than rows
     */
    public static Map<String, Object> of(Path folder, int vocabSize) {
        TokenizerFiles files = TokenizerFiles.locate(folder);
        try (LlamaTokenizer tokenizer = LlamaTokenizer.open(folder)) {
            return new GgufTokens(files.path(), TokenizerFiles.parse(files.path(), files.read()), vocabSize).metadata(tokenizer);
        }
    }

    /**
     * Refuses a GGUF file whose tokenizer encodes some texts as other tokens than the one that it was written from.
     *
     * @param folder the checkpoint's folder
     * @param gguf the file
     * @throws UnsupportedException naming the text
     */
    public static void requireSame(Path folder, Path gguf) {
        try (LlamaTokenizer ours = LlamaTokenizer.open(folder); LlamaTokenizer written = LlamaTokenizer.open(gguf)) {
            TokenizerDifference.inTexts(ours, written).ifPresent(difference -> {
                throw new UnsupportedException("The tokenizer cannot be written as GGUF: " + difference);
            });
        }
    }

    private Map<String, Object> metadata(LlamaTokenizer tokenizer) {
        if (!model.path("type").asText().equals("BPE")) {
            throw unsupported("its model is " + model.path("type") + ", and BPE is written");
        }
        fill();
        Map<String, Object> keys = new LinkedHashMap<>();
        boolean pieces = model.path("byte_fallback").asBoolean();
        keys.put(PREFIX + "model", pieces ? "llama" : "gpt2");
        keys.put(PREFIX + "pre", pieces ? "default" : splitRule().written());
        keys.put(PREFIX + "tokens", List.of(tokens));
        if (pieces) {
            keys.put(PREFIX + "scores", scores());
        }
        keys.put(PREFIX + "token_type", List.of(types));
        if (pieces) {
            keys.put(PREFIX + "add_space_prefix", root.toString().contains("\"Prepend\"") || root.toString().contains("\"Metaspace\"") && !root.toString().contains("\"never\""));
        } else {
            keys.put(PREFIX + "merges", merges().stream().map(pair -> pair[0] + " " + pair[1]).toList());
        }
        putEnds(keys, tokenizer);
        int unknown = Arrays.asList(types).indexOf(UNKNOWN);
        if (unknown >= 0) {
            keys.put(PREFIX + "unknown_token_id", unknown);
        }
        return keys;
    }

    private static void putEnds(Map<String, Object> keys, LlamaTokenizer tokenizer) {
        int[] encoded = tokenizer.encode("a", true);
        tokenizer.bosTokenId().ifPresent(id -> keys.put(PREFIX + "bos_token_id", id));
        tokenizer.eosTokenId().ifPresent(id -> keys.put(PREFIX + "eos_token_id", id));
        keys.put(PREFIX + "add_bos_token", isAt(encoded, 0, tokenizer.bosTokenId().orElse(-1)));
        keys.put(PREFIX + "add_eos_token", isAt(encoded, encoded.length - 1, tokenizer.eosTokenId().orElse(-1)));
    }

    private static boolean isAt(int[] ids, int at, int id) {
        return ids.length > 1 && ids[at] == id;
    }

    private void fill() {
        String unknown = model.path("unk_token").asText("");
        boolean bytes = model.path("byte_fallback").asBoolean();
        model.path("vocab").properties().forEach(entry -> put(entry.getKey(), entry.getValue().asInt(),
                bytes && entry.getKey().matches(BYTE_TOKEN) ? BYTE : NORMAL));
        root.path("added_tokens").forEach(token -> put(token.path("content").asText(), token.path("id").asInt(), token.path("special").asBoolean() ? CONTROL : USER_DEFINED));
        for (int id = 0; id < tokens.length; id++) {
            if (tokens[id] == null) {
                put("[PAD" + id + "]", id, UNUSED);
            } else if (bytes && tokens[id].equals(unknown)) {
                types[id] = UNKNOWN;
            }
        }
    }

    private void put(String token, int id, int type) {
        if (id >= tokens.length) {
            throw new MismatchException(file + " has a token " + id + ", the model has " + tokens.length + ": are both from the same checkpoint?");
        }
        tokens[id] = token;
        types[id] = type;
    }

    /** The rule that cuts text in the same way. */
    private SplitRule splitRule() {
        List<String> normalizers = normalizers(root.path("normalizer"));
        List<String> steps = steps(root.path("pre_tokenizer"));
        return Arrays.stream(SplitRule.values()).filter(rule -> steps(rule.preTokenizer()).equals(steps) && normalizers(rule.normalizer()).equals(normalizers)
                        && rule.ignoresMerges() == model.path("ignore_merges").asBoolean()).findFirst()
                .orElseThrow(() -> unsupported("its pre_tokenizer " + steps + (normalizers.isEmpty() ? "" : " behind the normalizer " + normalizers) + " is none of those that are written by a name"));
    }

    /** Normalizers have no other settings than their types in the rules that are written. */
    private static List<String> normalizers(JsonNode part) {
        List<String> found = new ArrayList<>();
        if (part.path("type").asText().equals("Sequence")) {
            part.path("normalizers").forEach(each -> found.addAll(normalizers(each)));
        } else if (part.isObject()) {
            found.add(part.size() == 1 ? part.path("type").asText() : part.toString());
        }
        return found;
    }

    private static List<String> steps(JsonNode part) {
        List<String> steps = new ArrayList<>();
        switch (part.path("type").asText()) {
            case "Sequence" -> part.path("pretokenizers").forEach(each -> steps.addAll(steps(each)));
            case "Split" -> steps.add("Split " + part.path("behavior").asText() + part.path("invert").asBoolean() + part.path("pattern"));
            case "Digits" -> steps.add("Digits " + part.path("individual_digits").asBoolean());
            case "ByteLevel" -> steps.add("ByteLevel " + part.path("add_prefix_space").asBoolean(true) + part.path("use_regex").asBoolean(true));
            default -> steps.add(part.toString());
        }
        return steps;
    }

    /** SentencePiece joins the neighbours whose piece has the best score: a piece's score is the rank of the merge that first makes it. */
    private List<Float> scores() {
        if (!root.toString().contains(SPACE)) {
            throw unsupported("it has byte fallback, but no " + SPACE + " for spaces: only SentencePiece's is written");
        }
        Map<String, Integer> ranks = new HashMap<>();
        List<String[]> merges = merges();
        for (int rank = 0; rank < merges.size(); rank++) {
            ranks.putIfAbsent(merges.get(rank)[0] + merges.get(rank)[1], rank);
        }
        List<Float> scores = new ArrayList<>();
        for (int id = 0; id < tokens.length; id++) {
            scores.add(types[id] == NORMAL ? (float) -ranks.getOrDefault(tokens[id], merges.size()) : 0f);
        }
        return scores;
    }

    private List<String[]> merges() {
        List<String[]> merges = new ArrayList<>();
        model.path("merges").forEach(merge -> merges.add(merge.isArray() ? new String[] {merge.get(0).asText(), merge.get(1).asText()} : merge.asText().split(" ", 2)));
        return merges;
    }

    private UnsupportedException unsupported(String reason) {
        return new UnsupportedException(file + " cannot be written as GGUF: " + reason);
    }
}
