package io.github.bts4j.core.chat;

import static io.github.bts4j.core.support.Problems.throwIf;

import com.fasterxml.jackson.databind.JsonNode;
import io.github.bts4j.core.checkpoint.Checkpoint;
import io.github.bts4j.core.checkpoint.ModelFormatException;
import io.github.bts4j.core.checkpoint.gguf.GgufFile;
import io.github.bts4j.core.checkpoint.gguf.GgufMetadata;
import io.github.bts4j.core.support.JsonReader;
import java.io.IOException;
import java.nio.charset.CharacterCodingException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/** A checkpoint's chat templates by name, and the texts of the special tokens that they may write. */
record TemplateFiles(Map<String, String> templates, Map<String, String> specialTokens) {
    private static final String TEMPLATE = "chat_template.jinja";
    private static final String FOLDER = "additional_chat_templates";
    private static final String SUFFIX = ".jinja";
    private static final String CONFIG = "tokenizer_config.json";
    private static final String DEFAULT = "default";
    private static final String GGUF_TEMPLATE = "tokenizer.chat_template";
    private static final List<String> TOKENS = List.of("bos_token", "eos_token", "unk_token", "sep_token", "pad_token", "cls_token", "mask_token");
    private static final Map<String, String> GGUF_TOKENS = Map.of("bos_token", "bos", "eos_token", "eos", "unk_token", "unknown", "sep_token", "seperator",
            "pad_token", "padding", "cls_token", "cls", "mask_token", "mask");

    static TemplateFiles read(Path folder) throws IOException {
        if (Checkpoint.isGguf(folder)) {
            return of(folder, GgufFile.open(folder).metadata());
        }
        Path file = folder.resolve(CONFIG);
        JsonNode config = config(file);
        Map<String, String> templates = files(folder);
        return new TemplateFiles(templates.isEmpty() ? configured(file, config.path("chat_template")) : templates, tokens(file, config));
    }

    /** The texts of the special tokens, of a checkpoint with or without templates. */
    static Map<String, String> specialTokens(Path folder) throws IOException {
        return Checkpoint.isGguf(folder) ? tokens(GgufFile.open(folder).metadata()) : tokens(folder.resolve(CONFIG), config(folder.resolve(CONFIG)));
    }

    private static JsonNode config(Path file) throws IOException {
        return Files.isRegularFile(file) ? JsonReader.LENIENT.object(file, ModelFormatException::new) : JsonReader.object();
    }

    private static Map<String, String> tokens(Path file, JsonNode config) {
        Map<String, String> tokens = new LinkedHashMap<>();
        TOKENS.forEach(key -> tokens.put(key, token(file, config, key)));
        tokens.values().removeIf(String::isEmpty);
        return tokens;
    }

    /** The templates that are files; they come before those in tokenizer_config.json. */
    private static Map<String, String> files(Path folder) throws IOException {
        Map<String, String> templates = new TreeMap<>();
        if (Files.isRegularFile(folder.resolve(TEMPLATE))) {
            templates.put(DEFAULT, text(folder.resolve(TEMPLATE)));
        }
        if (Files.isDirectory(folder.resolve(FOLDER))) {
            try (DirectoryStream<Path> more = Files.newDirectoryStream(folder.resolve(FOLDER), "*" + SUFFIX)) {
                for (Path file : more) {
                    String name = file.getFileName().toString();
                    templates.put(name.substring(0, name.length() - SUFFIX.length()), text(file));
                }
            }
        }
        return templates;
    }

    private static String text(Path file) throws IOException {
        try {
            return Files.readString(file);
        } catch (CharacterCodingException e) {
            throw new ModelFormatException(file, "is not UTF-8 text: convert it", e);
        }
    }

    private static TemplateFiles of(Path file, GgufMetadata metadata) {
        Map<String, String> templates = new LinkedHashMap<>();
        metadata.text(GGUF_TEMPLATE).ifPresent(text -> templates.put(DEFAULT, text));
        for (String name : metadata.list("tokenizer.chat_templates", String.class).orElse(List.of())) {
            metadata.text(GGUF_TEMPLATE + "." + name).ifPresent(text -> templates.put(name, text));
        }
        throwIf(templates.isEmpty(), () -> new IllegalArgumentException("The checkpoint " + file + " has no " + GGUF_TEMPLATE
                + ": use ChatTemplate.llama2() or llama3() if it was trained with one of these formats"));
        return new TemplateFiles(templates, tokens(metadata));
    }

    private static Map<String, String> tokens(GgufMetadata metadata) {
        Map<String, String> tokens = new LinkedHashMap<>();
        GGUF_TOKENS.forEach((name, role) -> tokens.put(name, token(metadata, role)));
        tokens.values().removeIf(String::isEmpty);
        return tokens;
    }

    private static String token(GgufMetadata metadata, String role) {
        int id = metadata.integer("tokenizer.ggml." + role + "_token_id").orElse(-1);
        List<String> tokens = metadata.list("tokenizer.ggml.tokens", String.class).orElse(List.of());
        return id >= 0 && id < tokens.size() ? tokens.get(id) : "";
    }

    private static Map<String, String> configured(Path file, JsonNode node) {
        if (node.isTextual()) {
            return Map.of(DEFAULT, node.asText());
        }
        throwIf(node.isMissingNode() || node.isNull(),
                () -> new IllegalArgumentException("The checkpoint " + file.getParent() + " has no chat template, neither " + TEMPLATE + " nor in " + CONFIG
                        + ": use ChatTemplate.llama2() or llama3() if it was trained with one of these formats"));
        Map<String, String> templates = new LinkedHashMap<>();
        for (JsonNode named : node) {
            if (named.path("name").isTextual() && named.path("template").isTextual()) {
                templates.put(named.path("name").asText(), named.path("template").asText());
            }
        }
        throwIf(!node.isArray() || templates.size() < node.size(),
                () -> new ModelFormatException(file, "chat_template is neither a text nor a list of objects with 'name' and 'template'"));
        return templates;
    }

    private static String token(Path file, JsonNode config, String key) {
        JsonNode node = config.path(key);
        JsonNode text = node.isObject() ? node.path("content") : node;
        if (text.isMissingNode() || text.isNull()) {
            return "";
        }
        throwIf(!text.isTextual(), () -> new ModelFormatException(file, key + " = " + node + " is not a token's text"));
        return text.asText();
    }
}
