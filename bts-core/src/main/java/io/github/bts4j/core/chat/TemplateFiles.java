package io.github.bts4j.core.chat;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.github.bts4j.core.checkpoint.ModelFormatException;
import io.github.bts4j.core.checkpoint.gguf.GgufFile;
import io.github.bts4j.core.checkpoint.gguf.GgufMetadata;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/** A checkpoint's chat template and the texts of the tokens that it may write. */
record TemplateFiles(String template, String bosToken, String eosToken) {
    private static final String TEMPLATE = "chat_template.jinja";
    private static final String CONFIG = "tokenizer_config.json";

    static TemplateFiles read(Path folder) throws IOException {
        if (GgufFile.isGguf(folder)) {
            return of(folder, GgufFile.open(folder).metadata());
        }
        Path file = folder.resolve(CONFIG);
        JsonNode config = Files.isRegularFile(file) ? parse(file) : new ObjectMapper().createObjectNode();
        Path own = folder.resolve(TEMPLATE);
        String template = Files.isRegularFile(own) ? Files.readString(own) : configured(file, config.path("chat_template"));
        return new TemplateFiles(template, token(file, config, "bos_token"), token(file, config, "eos_token"));
    }

    private static TemplateFiles of(Path file, GgufMetadata metadata) {
        String template = metadata.text("tokenizer.chat_template").orElseThrow(() -> new IllegalArgumentException("The checkpoint " + file
                + " has no tokenizer.chat_template: take ChatTemplate.llama2() or llama3() if it was trained on one of these formats"));
        return new TemplateFiles(template, token(metadata, "bos"), token(metadata, "eos"));
    }

    private static String token(GgufMetadata metadata, String role) {
        int id = metadata.integer("tokenizer.ggml." + role + "_token_id").orElse(-1);
        List<String> tokens = metadata.list("tokenizer.ggml.tokens", String.class).orElse(List.of());
        return id >= 0 && id < tokens.size() ? tokens.get(id) : "";
    }

    private static JsonNode parse(Path file) throws IOException {
        try {
            return new ObjectMapper().readTree(Files.readString(file));
        } catch (JsonProcessingException e) {
            throw new ModelFormatException(file, "is not JSON: " + e.getOriginalMessage());
        }
    }

    private static String configured(Path file, JsonNode node) {
        if (node.isTextual()) {
            return node.asText();
        }
        for (JsonNode named : node) {
            if (named.path("name").asText().equals("default") && named.path("template").isTextual()) {
                return named.path("template").asText();
            }
        }
        if (node.isMissingNode() || node.isNull()) {
            throw new IllegalArgumentException("The checkpoint " + file.getParent() + " has no chat template, neither " + TEMPLATE + " nor in " + CONFIG
                    + ": take ChatTemplate.llama2() or llama3() if it was trained on one of these formats");
        }
        throw new ModelFormatException(file, "chat_template is neither a text nor a list with one called 'default'");
    }

    private static String token(Path file, JsonNode config, String key) {
        JsonNode node = config.path(key);
        JsonNode text = node.isObject() ? node.path("content") : node;
        if (text.isMissingNode() || text.isNull()) {
            return "";
        }
        if (!text.isTextual()) {
            throw new ModelFormatException(file, key + " = " + node + " is not a token's text");
        }
        return text.asText();
    }
}
