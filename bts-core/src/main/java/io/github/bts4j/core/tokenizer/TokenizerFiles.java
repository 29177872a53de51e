package io.github.bts4j.core.tokenizer;

import static io.github.bts4j.core.support.Problems.throwIf;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.github.bts4j.core.checkpoint.ModelFormatException;
import io.github.bts4j.core.support.Interrupts;
import io.github.bts4j.core.support.JsonReader;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.OptionalInt;

/** The files of a tokenizer: tokenizer.json, and beside it, where present, the ones that name the roles of special tokens. */
record TokenizerFiles(Path tokenizerJson) implements TokenizerSource {

    private static final long MAX_BYTES = 128 << 20;

    static TokenizerFiles locate(Path tokenizerJsonOrFolder) {
        Path file = Files.isDirectory(tokenizerJsonOrFolder) ? tokenizerJsonOrFolder.resolve("tokenizer.json") : tokenizerJsonOrFolder;
        throwIf(!Files.isRegularFile(file),
                () -> new IllegalArgumentException("tokenizerJsonOrFolder = " + tokenizerJsonOrFolder + ": there is no file " + file
                        + "; give the path of a tokenizer.json or of the folder that holds it (a tokenizer.model alone has to be converted first)"));
        return new TokenizerFiles(file);
    }

    @Override
    public Path path() {
        return tokenizerJson;
    }

    @Override
    public byte[] read() {
        byte[] content = read(tokenizerJson);
        Path config = tokenizerJson.resolveSibling("tokenizer_config.json");
        return Files.isRegularFile(config) ? DeclaredTokens.of(config, parse(config, read(config))).addedTo(tokenizerJson, content) : content;
    }

    @Override
    public OptionalInt role(String role, Vocabulary vocabulary) {
        for (String name : new String[] {"tokenizer_config.json", "special_tokens_map.json"}) {
            Path file = tokenizerJson.resolveSibling(name);
            if (!Files.isRegularFile(file)) {
                continue;
            }
            JsonNode value = parse(file, read(file)).path(role);
            JsonNode token = value.isObject() ? value.path("content") : value;
            if (!token.isTextual()) {
                continue;
            }
            throwIf(!vocabulary.contains(token.asText()),
                    () -> new ModelFormatException(file, role + " = '" + token.asText() + "' is not a token of " + tokenizerJson + ": are both from the same checkpoint?"));
            return OptionalInt.of(vocabulary.id(token.asText()));
        }
        return OptionalInt.empty();
    }

    static ModelFormatException broken(Path file, String message, Exception cause) {
        ModelFormatException broken = new ModelFormatException(file, message + ": " + cause.getMessage());
        broken.initCause(cause);
        return broken;
    }

    private static byte[] read(Path file) {
        try {
            long size = Files.size(file);
            throwIf(size > MAX_BYTES,
                    () -> new ModelFormatException(file, "has " + size + " bytes, at most " + MAX_BYTES + " are read: is it a tokenizer?"));
            return Files.readAllBytes(file);
        } catch (IOException e) {
            Interrupts.rethrow(file, e);
            throw broken(file, "cannot be read", e);
        }
    }

    static ObjectNode parse(Path file, byte[] content) {
        return JsonReader.LENIENT.object(file, content, ModelFormatException::new);
    }
}
