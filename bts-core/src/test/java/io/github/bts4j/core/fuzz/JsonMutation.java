package io.github.bts4j.core.fuzz;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.math.BigInteger;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;

/** Damage that knows JSON: values of another type or size, keys taken away, doubled or renamed, parts exchanged or nested. Seeded. */
public final class JsonMutation {

    private static final ObjectMapper JSON = new ObjectMapper();
    private static final JsonNodeFactory NODES = JsonNodeFactory.instance;

    private final List<JsonNode> parts;

    /** With parts, as JSON, that may replace any value. */
    public JsonMutation(String... parts) {
        this.parts = List.of(parts).stream().map(JsonMutation::parse).toList();
    }

    /** A damaged copy; sometimes the bytes are damaged too. */
    public byte[] of(byte[] valid, Random random) {
        JsonNode root = parse(new String(valid, StandardCharsets.UTF_8));
        int rounds = 1 + random.nextInt(3);
        for (int i = 0; i < rounds; i++) {
            change(root, random);
        }
        try {
            byte[] bytes = JSON.writeValueAsBytes(root);
            return random.nextInt(8) == 0 ? ByteMutation.of(bytes, random) : bytes;
        } catch (IOException e) {
            return root.toString().replace("\uD800", "\\ud800").getBytes(StandardCharsets.UTF_8);
        }
    }

    private void change(JsonNode root, Random random) {
        JsonNode holder = holder(root, random);
        if (holder instanceof ObjectNode object && !object.isEmpty()) {
            List<String> keys = new ArrayList<>();
            object.fieldNames().forEachRemaining(keys::add);
            String key = keys.get(random.nextInt(keys.size()));
            switch (random.nextInt(6)) {
                case 0 -> object.remove(key);
                case 1 -> object.set(key + "x", object.remove(key));
                case 2 -> object.set(key, object.get(keys.get(random.nextInt(keys.size()))).deepCopy());
                default -> object.set(key, value(object.get(key), random));
            }
        } else if (holder instanceof ArrayNode array && !array.isEmpty()) {
            int at = random.nextInt(array.size());
            switch (random.nextInt(6)) {
                case 0 -> array.remove(at);
                case 1 -> array.insert(at, array.get(random.nextInt(array.size())).deepCopy());
                case 2 -> array.removeAll();
                default -> array.set(at, value(array.get(at), random));
            }
        }
    }

    /** Any object or array; those near the root are met as often as those in long lists. */
    private static JsonNode holder(JsonNode root, Random random) {
        JsonNode at = root;
        while (true) {
            List<JsonNode> inner = new ArrayList<>();
            for (JsonNode child : at) {
                if (child.isContainerNode() && inner.size() < 400) {
                    inner.add(child);
                }
            }
            if (inner.isEmpty() || random.nextInt(3) == 0) {
                return at;
            }
            at = inner.get(random.nextInt(inner.size()));
        }
    }

    private JsonNode value(JsonNode old, Random random) {
        if (!parts.isEmpty() && random.nextInt(3) == 0) {
            return parts.get(random.nextInt(parts.size())).deepCopy();
        }
        if (old.isNumber() && random.nextBoolean()) {
            long[] near = {0, 1, -1, old.asLong() + 1, old.asLong() - 1, old.asLong() * 2, Integer.MAX_VALUE, 1L << 31, 1L << 32, Long.MAX_VALUE, Long.MIN_VALUE};
            return NODES.numberNode(near[random.nextInt(near.length)]);
        }
        return switch (random.nextInt(14)) {
            case 0 -> NODES.nullNode();
            case 1 -> NODES.booleanNode(random.nextBoolean());
            case 2 -> NODES.numberNode(random.nextInt());
            case 3 -> NODES.numberNode(random.nextGaussian() * Math.pow(10, random.nextInt(300)));
            case 4 -> NODES.numberNode(BigInteger.ONE.shiftLeft(random.nextInt(400)));
            case 5 -> NODES.textNode("");
            case 6 -> NODES.textNode("\uD800");
            case 7 -> NODES.textNode("a".repeat(random.nextInt(3000)));
            case 8 -> NODES.textNode("é数🙂\u0000 \u0301".substring(random.nextInt(4)));
            case 9 -> NODES.objectNode();
            case 10 -> NODES.arrayNode();
            case 11 -> nested(old, random);
            case 12 -> NODES.textNode(old.asText() + old.asText());
            default -> NODES.numberNode(-random.nextInt(100));
        };
    }

    private static JsonNode nested(JsonNode old, Random random) {
        JsonNode node = old;
        int depth = 1 + random.nextInt(random.nextInt(20) == 0 ? 900 : 5);
        for (int i = 0; i < depth; i++) {
            node = random.nextBoolean() ? NODES.arrayNode().add(node) : NODES.objectNode().set("type", node);
        }
        return node;
    }

    private static JsonNode parse(String json) {
        try {
            return JSON.readTree(json);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
