package io.github.bts4j.server;

import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.StreamReadConstraints;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.MissingNode;
import io.github.bts4j.core.support.JsonProblem;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.CodingErrorAction;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;

/** The fields of a JSON object in a request, read by name and type. A field that was not read is an error. */
final class Fields {
    private static final int MAX_DEPTH = 32;
    private static final ObjectMapper JSON = mapper();

    private final JsonNode object;
    private final String path;
    private final Set<String> known = new HashSet<>();

    Fields(JsonNode object, String path) {
        if (!object.isObject()) {
            String name = path.isEmpty() ? "body" : path.substring(0, path.length() - 1);
            throw ApiException.field(name, (path.isEmpty() ? "the request" : name) + " must be a JSON object, not " + kind(object));
        }
        this.object = object;
        this.path = path;
    }

    private static ObjectMapper mapper() {
        ObjectMapper json = new ObjectMapper().enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS).enable(JsonParser.Feature.STRICT_DUPLICATE_DETECTION);
        json.getFactory().setStreamReadConstraints(
                StreamReadConstraints.builder().maxNestingDepth(MAX_DEPTH).maxNumberLength(40).maxStringLength(Integer.MAX_VALUE).build());
        return json;
    }

    /** Parses a request's body. */
    static Fields parse(byte[] body) {
        String text;
        try {
            text = StandardCharsets.UTF_8.newDecoder().onMalformedInput(CodingErrorAction.REPORT).onUnmappableCharacter(CodingErrorAction.REPORT)
                    .decode(ByteBuffer.wrap(body)).toString();
        } catch (CharacterCodingException e) {
            throw ApiException.of(400, "invalid_json", "The request is not valid UTF-8");
        }
        if (text.isBlank()) {
            throw ApiException.of(400, "invalid_json", "The request has no body: send a JSON object");
        }
        try {
            return new Fields(JSON.readTree(text), "");
        } catch (JsonProcessingException e) {
            throw ApiException.of(400, "invalid_json", "The request is not valid JSON: " + JsonProblem.withoutPlace(e)
                    + (e.getLocation() == null ? "" : " (line " + e.getLocation().getLineNr() + ", column " + e.getLocation().getColumnNr() + ")"));
        }
    }

    /** All fields. */
    JsonNode object() {
        return object;
    }

    /** The field, or a missing node for an absent or null one. */
    JsonNode get(String name) {
        known.add(name);
        JsonNode node = object.path(name);
        return node.isNull() ? MissingNode.getInstance() : node;
    }

    Optional<String> text(String name) {
        JsonNode node = get(name);
        if (node.isMissingNode()) {
            return Optional.empty();
        }
        if (!node.isTextual()) {
            throw wrong(name, node, "a string");
        }
        return Optional.of(valid(name, node.textValue()));
    }

    boolean flag(String name) {
        return flag(name, false);
    }

    boolean flag(String name, boolean without) {
        JsonNode node = get(name);
        if (!node.isMissingNode() && !node.isBoolean()) {
            throw wrong(name, node, "true or false");
        }
        return node.asBoolean(without);
    }

    Optional<Long> whole(String name, long least, long most) {
        JsonNode node = get(name);
        if (node.isMissingNode()) {
            return Optional.empty();
        }
        if (!node.isIntegralNumber() || !node.canConvertToLong() || node.longValue() < least || node.longValue() > most) {
            throw wrong(name, node, "a whole number between " + least + " and " + most);
        }
        return Optional.of(node.longValue());
    }

    double number(String name, double without, double least, double most) {
        JsonNode node = get(name);
        if (node.isMissingNode()) {
            return without;
        }
        if (!node.isNumber() || !(node.doubleValue() >= least && node.doubleValue() <= most)) {
            throw wrong(name, node, "a number between " + plain(least) + " and " + plain(most));
        }
        return node.doubleValue();
    }

    /** A number above 0. */
    double positive(String name, double without, double most) {
        JsonNode node = get(name);
        if (node.isMissingNode()) {
            return without;
        }
        if (!node.isNumber() || !(node.doubleValue() > 0 && node.doubleValue() <= most)) {
            throw wrong(name, node, "a number above 0 and at most " + plain(most));
        }
        return node.doubleValue();
    }

    /** Whole numbers without a fraction. */
    private static String plain(double limit) {
        return limit == Math.rint(limit) ? String.valueOf((long) limit) : String.valueOf(limit);
    }

    /** One string, or a list of them. */
    List<String> texts(String name, int most) {
        JsonNode node = get(name);
        if (node.isMissingNode()) {
            return List.of();
        }
        if (node.isTextual()) {
            return List.of(valid(name, node.textValue()));
        }
        if (!node.isArray() || node.size() > most) {
            throw wrong(name, node, "a string or a list of at most " + most + " strings");
        }
        List<String> texts = new ArrayList<>();
        for (JsonNode each : node) {
            if (!each.isTextual()) {
                throw wrong(name, each, "a string or a list of strings");
            }
            texts.add(valid(name, each.textValue()));
        }
        return texts;
    }

    /** A field that is not supported; only its neutral values are accepted. */
    void onlyNeutral(String name, JsonNode... neutral) {
        JsonNode node = get(name);
        boolean fine = node.isMissingNode();
        for (JsonNode value : neutral) {
            fine |= node.equals(value) || node.isNumber() && value.isNumber() && node.doubleValue() == value.doubleValue();
        }
        if (!fine) {
            String others = Arrays.stream(neutral).map(JsonNode::toString).collect(Collectors.joining(" or "));
            throw ApiException.of(400, "unsupported_value", path + name, path + name + " = " + shortened(node.toString()) + " is not supported by this server; leave it out"
                    + (others.isEmpty() ? "" : " or send " + others));
        }
    }

    /** Accepts fields that have no effect. */
    void ignored(String... names) {
        known.addAll(List.of(names));
    }

    /** Refuses every field that was not read and has a value. */
    void end() {
        object.fieldNames().forEachRemaining(name -> {
            if (!known.contains(name) && !object.path(name).isNull()) {
                throw ApiException.of(400, "unknown_field", path + shortened(name), "The field " + path + shortened(name) + " is not known");
            }
        });
    }

    ApiException wrong(String name, JsonNode value, String needed) {
        return ApiException.field(path + name, path + name + (value.isMissingNode() ? " is missing: it" : " = " + shortened(value.toString())) + " must be " + needed);
    }

    private String valid(String name, String text) {
        for (int i = 0; i < text.length(); i++) {
            boolean high = Character.isHighSurrogate(text.charAt(i));
            if (high && i + 1 < text.length() && Character.isLowSurrogate(text.charAt(i + 1))) {
                i++;
            } else if (Character.isSurrogate(text.charAt(i))) {
                throw ApiException.field(path + name, path + name + " holds half a surrogate pair at character " + i);
            }
        }
        return text;
    }

    static String shortened(String text) {
        return text.length() <= 60 ? text : text.substring(0, 60) + "..";
    }

    static String kind(JsonNode node) {
        return node.getNodeType().toString().toLowerCase(java.util.Locale.ROOT);
    }
}
