package io.github.bts4j.cli;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.dataformat.yaml.YAMLMapper;
import io.github.bts4j.core.support.JsonProblem;
import io.github.bts4j.examples.PlainYaml;
import io.github.bts4j.examples.Suggestion;
import io.github.bts4j.server.ServerPolicy;
import java.io.IOException;
import java.io.Reader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;

/** Reads the keys of a server from a YAML or JSON file; what is wrong is said in one line with the file and the place. */
final class PolicyFile {
    private static final Set<String> KNOWN = new TreeSet<>(Set.of("name", "key", "sha256", "experts", "requests-per-minute", "tokens-per-minute", "concurrent-requests"));
    private static final ObjectMapper YAML = YAMLMapper.builder().build();
    private static final ObjectMapper JSON = JsonMapper.builder().enable(com.fasterxml.jackson.core.StreamReadFeature.STRICT_DUPLICATE_DETECTION)
            .enable(com.fasterxml.jackson.databind.DeserializationFeature.FAIL_ON_TRAILING_TOKENS).build();

    private final Path file;

    private PolicyFile(Path file) {
        this.file = file;
    }

    /**
     * Reads a file.
     *
     * @param file YAML, or JSON if its name ends in {@code .json}
     * @return the policy
     * @throws IllegalArgumentException naming the place and what is wrong
     */
    static ServerPolicy read(Path file) {
        return new PolicyFile(file).policy();
    }

    private ServerPolicy policy() {
        JsonNode root = tree();
        if (!root.isObject() || root.size() != 1 || !root.path("keys").isArray()) {
            throw wrong("", "a policy is a map with the key 'keys', a list");
        }
        List<ServerPolicy.Key> keys = new ArrayList<>();
        for (JsonNode each : root.get("keys")) {
            String place = "keys[" + keys.size() + "]";
            try {
                keys.add(key(each, place));
            } catch (IllegalArgumentException e) {
                throw e.getMessage().startsWith(file.toString()) ? e : wrong(place, e.getMessage());
            }
        }
        try {
            return new ServerPolicy(keys);
        } catch (IllegalArgumentException e) {
            throw wrong("", e.getMessage());
        }
    }

    private JsonNode tree() {
        if (!Files.isRegularFile(file)) {
            throw new IllegalArgumentException("--policy: " + file + " is not a file");
        }
        try (Reader text = PlainYaml.open(file)) {
            return (file.getFileName().toString().endsWith(".json") ? JSON : YAML).readTree(text);
        } catch (JsonProcessingException e) {
            throw new IllegalArgumentException(file + (e.getLocation() == null ? "" : ":" + e.getLocation().getLineNr()) + ": " + JsonProblem.withoutPlace(e), e);
        } catch (IOException e) {
            throw new IllegalArgumentException(file + " cannot be read: " + e.getMessage(), e);
        }
    }

    private ServerPolicy.Key key(JsonNode node, String place) {
        if (!node.isObject()) {
            throw wrong(place, "a map is needed, with name, key or sha256, and what the key may use");
        }
        node.fieldNames().forEachRemaining(name -> {
            if (!KNOWN.contains(name)) {
                throw wrong(place, "the key '" + name + "' is not known" + Suggestion.of(name, KNOWN) + "; known are " + String.join(", ", KNOWN));
            }
        });
        String name = text(node, place, "name");
        if (node.has("key") == node.has("sha256")) {
            throw wrong(place, name + " needs either 'key', the secret itself, or 'sha256', its hash");
        }
        ServerPolicy.Key key = node.has("key") ? ServerPolicy.Key.of(name, text(node, place, "key"))
                : new ServerPolicy.Key(name, text(node, place, "sha256"), Optional.empty(), ServerPolicy.Quota.UNLIMITED);
        key = key.withQuota(new ServerPolicy.Quota(limit(node, place, "requests-per-minute"), limit(node, place, "tokens-per-minute"), limit(node, place, "concurrent-requests")));
        return node.has("experts") ? key.withExperts(experts(node.get("experts"), place)) : key;
    }

    private String text(JsonNode node, String place, String name) {
        JsonNode value = node.path(name);
        if (!value.isTextual()) {
            throw wrong(place, value.isMissingNode() ? "the key '" + name + "' is missing" : name + " = " + value + " must be text, in quotes if it looks like a number");
        }
        return value.textValue();
    }

    private int limit(JsonNode node, String place, String name) {
        JsonNode value = node.path(name);
        if (value.isMissingNode()) {
            return Integer.MAX_VALUE;
        }
        if (!value.isIntegralNumber() || !value.canConvertToInt() || value.intValue() < 1) {
            throw wrong(place, name + " = " + value + " must be a whole number of at least 1; leave it out for no limit");
        }
        return value.intValue();
    }

    private Set<String> experts(JsonNode node, String place) {
        Set<String> names = new LinkedHashSet<>();
        node.forEach(each -> names.add(each.isTextual() ? each.textValue() : ""));
        if (!node.isArray() || names.contains("")) {
            throw wrong(place, "experts = " + node + " must be a list of names, [] for the hub alone; leave it out for all");
        }
        return names;
    }

    private IllegalArgumentException wrong(String place, String what) {
        return new IllegalArgumentException(file + ": " + (place.isEmpty() ? "" : place + ": ") + what);
    }
}
