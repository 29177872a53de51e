package io.github.bts4j.core.tokenizer;

import static io.github.bts4j.core.support.Problems.throwIf;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.github.bts4j.core.checkpoint.ModelFormatException;
import io.github.bts4j.core.checkpoint.gguf.GgufFile;
import io.github.bts4j.core.checkpoint.gguf.GgufMetadata;
import io.github.bts4j.core.support.Interrupts;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.Set;

/**
 * The tokenizer inside a GGUF file, written as the tokenizer.json that the tokenizers library reads: byte-level BPE ({@code gpt2}: Llama 3) or
 * SentencePiece BPE ({@code llama}: Llama 2).
 */
final class GgufTokenizer implements TokenizerSource {
    private static final String PREFIX = "tokenizer.ggml.";
    private static final int UNKNOWN = 2;
    private static final int CONTROL = 3;
    private static final int USER_DEFINED = 4;
    private static final int BYTE = 6;
    private static final Map<String, Integer> USUAL_IDS = Map.of("bos", 1, "eos", 2);
    /** Phi-3's tokens behind which spaces and line feeds stay; GGUF cannot say of which tokens they belong to the token. As in llama.cpp and in Phi-3's tokenizer.json. */
    private static final Set<String> KEEP_SPACE = Set.of("<unk>", "<s>", "<|endoftext|>");
    private static final JsonNodeFactory JSON = JsonNodeFactory.instance;

    private final Path file;
    private final GgufMetadata metadata;
    private final List<String> tokens;
    private final List<Long> types;

    private GgufTokenizer(Path file, GgufMetadata metadata) {
        this.file = file;
        this.metadata = metadata;
        this.tokens = metadata.list(PREFIX + "tokens", String.class).orElseThrow(metadata.missing(PREFIX + "tokens"));
        this.types = metadata.list(PREFIX + "token_type", Long.class).orElse(Collections.nCopies(tokens.size(), 1L));
        throwIf(types.size() != tokens.size(),
                () -> new ModelFormatException(file, PREFIX + "token_type has " + types.size() + " entries, tokens has " + tokens.size()));
    }

    static GgufTokenizer open(Path file) {
        try {
            return new GgufTokenizer(file, GgufFile.open(file).metadata());
        } catch (IOException e) {
            Interrupts.rethrow(file, e);
            throw TokenizerFiles.broken(file, "cannot be read", e);
        }
    }

    @Override
    public Path path() {
        return file;
    }

    @Override
    public OptionalInt role(String role, Vocabulary vocabulary) {
        OptionalInt id = idOf(role.replace("_token", ""));
        throwIf(id.isPresent() && !vocabulary.isId(id.getAsInt()),
                () -> new ModelFormatException(file, PREFIX + role + "_id = " + id.getAsInt() + " is not among the " + vocabulary.size() + " tokens"));
        return id;
    }

    @Override
    public byte[] read() {
        String model = metadata.text(PREFIX + "model").orElseThrow(metadata.missing(PREFIX + "model"));
        ObjectNode root = JSON.objectNode();
        root.put("version", "1.0");
        root.set("added_tokens", addedTokens());
        switch (model) {
            case "gpt2" -> byteLevel(root);
            case "llama" -> sentencePiece(root);
            default -> throw new ModelFormatException(file, PREFIX + "model = '" + model + "' is not supported: gpt2 (byte-level BPE) and llama"
                    + " (SentencePiece) are; use the checkpoint's tokenizer.json instead");
        }
        return root.toString().getBytes(StandardCharsets.UTF_8);
    }

    private ArrayNode addedTokens() {
        boolean strip = metadata.text("general.architecture").filter("phi3"::equals).isPresent() && isSentencePiece();
        ArrayNode added = JSON.arrayNode();
        for (int id = 0; id < tokens.size(); id++) {
            int type = types.get(id).intValue();
            if (type == CONTROL || type == USER_DEFINED || type == UNKNOWN) {
                added.addObject().put("id", id).put("content", tokens.get(id)).put("single_word", false).put("lstrip", false)
                        .put("rstrip", strip && !KEEP_SPACE.contains(tokens.get(id)))
                        .put("normalized", false).put("special", type != USER_DEFINED);
            }
        }
        return added;
    }

    private void byteLevel(ObjectNode root) {
        SplitRule rule = SplitRule.of(file, metadata.text(PREFIX + "pre").filter(pre -> !pre.isEmpty()).orElse("default"));
        root.set("normalizer", rule.normalizer());
        root.set("pre_tokenizer", rule.preTokenizer());
        root.set("post_processor", ends(rule.addsBos(), byteLevelPart("ByteLevel")));
        root.set("decoder", byteLevelPart("ByteLevel"));
        ObjectNode model = model(root);
        model.putNull("unk_token").put("fuse_unk", false).put("byte_fallback", false).put("ignore_merges", rule.ignoresMerges());
        ArrayNode merges = model.putArray("merges");
        for (String merge : metadata.list(PREFIX + "merges", String.class).orElseThrow(metadata.missing(PREFIX + "merges"))) {
            int space = merge.indexOf(' ', 1);
            throwIf(space < 0,
                    () -> new ModelFormatException(file, PREFIX + "merges holds '" + merge + "', which is not two tokens with a space between"));
            merges.addArray().add(merge.substring(0, space)).add(merge.substring(space + 1));
        }
    }

    static ObjectNode byteLevelPart(String type) {
        return JSON.objectNode().put("type", type).put("add_prefix_space", false).put("trim_offsets", true).put("use_regex", false);
    }

    private void sentencePiece(ObjectNode root) {
        throwIf(metadata.flag(PREFIX + "remove_extra_whitespaces").orElse(false),
                () -> new ModelFormatException(file, PREFIX + "remove_extra_whitespaces = true is not supported"));
        boolean prefix = metadata.flag(PREFIX + "add_space_prefix").orElse(true);
        ObjectNode normalizer = root.putObject("normalizer").put("type", "Sequence");
        ArrayNode steps = normalizer.putArray("normalizers");
        if (prefix) {
            steps.addObject().put("type", "Prepend").put("prepend", "▁");
        }
        steps.addObject().put("type", "Replace").put("content", "▁").putObject("pattern").put("String", " ");
        root.putNull("pre_tokenizer");
        root.set("post_processor", ends(true, null));
        boolean bytes = types.contains((long) BYTE);
        ArrayNode decoders = root.putObject("decoder").put("type", "Sequence").putArray("decoders");
        decoders.addObject().put("type", "Replace").put("content", " ").putObject("pattern").put("String", "▁");
        if (bytes) {
            decoders.addObject().put("type", "ByteFallback");
        }
        decoders.addObject().put("type", "Fuse");
        if (prefix) {
            decoders.addObject().put("type", "Strip").put("content", " ").put("start", 1).put("stop", 0);
        }
        ObjectNode model = model(root);
        int unknown = metadata.integer(PREFIX + "unknown_token_id").orElse(types.indexOf((long) UNKNOWN));
        if (unknown >= 0 && unknown < tokens.size()) {
            model.put("unk_token", tokens.get(unknown));
        }
        model.put("fuse_unk", true).put("byte_fallback", bytes).put("ignore_merges", false);
        List<Double> scores = metadata.list(PREFIX + "scores", Double.class).orElseThrow(metadata.missing(PREFIX + "scores"));
        throwIf(scores.size() != tokens.size(),
                () -> new ModelFormatException(file, PREFIX + "scores has " + scores.size() + " entries, tokens has " + tokens.size()));
        model.set("merges", new ScoreMerges(tokens, types, scores).merges());
    }

    private ObjectNode model(ObjectNode root) {
        ObjectNode model = root.putObject("model").put("type", "BPE").putNull("dropout").putNull("continuing_subword_prefix").putNull("end_of_word_suffix");
        ObjectNode vocabulary = model.putObject("vocab");
        Map<String, Integer> seen = new HashMap<>();
        for (int id = 0; id < tokens.size(); id++) {
            Integer other = seen.put(tokens.get(id), id);
            if (other != null) {
                throw new ModelFormatException(file, PREFIX + "tokens holds '" + tokens.get(id) + "' twice, as " + other + " and " + id);
            }
            vocabulary.put(tokens.get(id), id);
        }
        return model;
    }

    /** The id of a role; or, in SentencePiece vocabularies, llama.cpp's default, if there is such a token. */
    private OptionalInt idOf(String role) {
        OptionalInt id = metadata.integer(PREFIX + role + "_token_id");
        int usual = USUAL_IDS.getOrDefault(role, tokens.size());
        boolean silent = id.isEmpty() && usual < tokens.size() && isSentencePiece();
        return silent ? OptionalInt.of(usual) : id;
    }

    private boolean isSentencePiece() {
        return metadata.text(PREFIX + "model").filter("llama"::equals).isPresent();
    }

    /** Adds begin and end tokens where the file asks for them. */
    private ObjectNode ends(boolean bosByDefault, ObjectNode otherwise) {
        ArrayNode single = JSON.arrayNode();
        ObjectNode specials = JSON.objectNode();
        if (metadata.flag(PREFIX + "add_bos_token").orElse(bosByDefault)) {
            end("bos", single, specials);
        }
        single.addObject().putObject("Sequence").put("id", "A").put("type_id", 0);
        if (metadata.flag(PREFIX + "add_eos_token").orElse(false)) {
            end("eos", single, specials);
        }
        if (specials.isEmpty()) {
            return otherwise;
        }
        ObjectNode template = JSON.objectNode().put("type", "TemplateProcessing");
        template.set("single", single);
        ArrayNode pair = template.putArray("pair");
        pair.addObject().putObject("Sequence").put("id", "A").put("type_id", 0);
        pair.addObject().putObject("Sequence").put("id", "B").put("type_id", 1);
        template.set("special_tokens", specials);
        return template;
    }

    private void end(String role, ArrayNode single, ObjectNode specials) {
        int id = idOf(role).orElseGet(() -> metadata.requiredInteger(PREFIX + role + "_token_id"));
        throwIf(id < 0 || id >= tokens.size(),
                () -> new ModelFormatException(file, PREFIX + role + "_token_id = " + id + " is not among the " + tokens.size() + " tokens"));
        String token = tokens.get(id);
        single.addObject().putObject("SpecialToken").put("id", token).put("type_id", 0);
        ObjectNode special = specials.putObject(token).put("id", token);
        special.putArray("ids").add(id);
        special.putArray("tokens").add(token);
    }
}
