package io.github.bts4j.examples;

import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.dataformat.yaml.YAMLFactory;
import com.fasterxml.jackson.dataformat.yaml.YAMLParser;
import java.io.IOException;
import java.io.Reader;
import java.io.StringReader;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashMap;
import java.util.Map;

/**
 * YAML files of settings: one document of maps, lists and values. Features of YAML that the parser would misread are refused by name:
 * aliases, merge keys, further documents, duplicate keys.
 */
public final class PlainYaml {
    private static final int MAX_BYTES = 1 << 20;
    private static final String ALIAS = "anchors and aliases (&name, *name) are not read: write the value out where it is needed";

    private PlainYaml() {}

    /**
     * Reads a file's text and checks it.
     *
     * @param file the file, in UTF-8
     * @return its text
     * @throws IOException if it cannot be read
     * @throws com.fasterxml.jackson.core.JsonProcessingException if it is not YAML
     * @throws IllegalArgumentException naming file and line of an unsupported feature
     */
    public static Reader open(Path file) throws IOException {
        if (Files.exists(file) && Files.size(file) > MAX_BYTES) {
            throw new IllegalArgumentException(file + " has " + Files.size(file) + " bytes, the limit of a file of settings is " + MAX_BYTES);
        }
        byte[] bytes = Files.readAllBytes(file);
        String text;
        try {
            text = StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(bytes)).toString();
        } catch (CharacterCodingException e) {
            throw new IllegalArgumentException(file + " is not text in UTF-8", e);
        }
        if (!file.getFileName().toString().endsWith(".json")) {
            check(file, text);
        }
        return new StringReader(text);
    }

    private static void check(Path file, String text) throws IOException {
        try (YAMLParser yaml = new YAMLFactory().createParser(text)) {
            Deque<Map<String, Integer>> keys = new ArrayDeque<>();
            boolean ended = false;
            for (JsonToken token = yaml.nextToken(); token != null; token = yaml.nextToken()) {
                if (ended) {
                    throw refused(file, yaml, "a second document begins here: a file of settings is one document; remove the line '---' or what follows it");
                }
                if (yaml.isCurrentAlias() || yaml.getObjectId() != null) {
                    throw refused(file, yaml, ALIAS);
                }
                if (token == JsonToken.FIELD_NAME && yaml.currentName().equals("<<")) {
                    throw refused(file, yaml, "merge keys (<<) are not read: write the values out");
                }
                if (token == JsonToken.FIELD_NAME) {
                    int line = yaml.currentLocation().getLineNr();
                    Integer before = keys.element().putIfAbsent(yaml.currentName(), line);
                    if (before != null) {
                        throw refused(file, yaml, "the key '" + yaml.currentName() + "' is already in line " + before);
                    }
                } else if (token.isStructStart()) {
                    keys.push(new HashMap<>());
                } else if (token.isStructEnd()) {
                    keys.pop();
                }
                ended = keys.isEmpty();
            }
        }
    }

    private static IllegalArgumentException refused(Path file, JsonParser yaml, String why) {
        return new IllegalArgumentException(file + ":" + yaml.currentLocation().getLineNr() + ": " + why);
    }
}
