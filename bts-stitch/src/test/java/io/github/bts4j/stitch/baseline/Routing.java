package io.github.bts4j.stitch.baseline;

import ai.djl.ndarray.NDManager;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.github.bts4j.core.torch.Tensors;
import io.github.bts4j.core.torch.Torch;
import io.github.bts4j.core.torch.llama.LoadOptions;
import io.github.bts4j.stitch.Member;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;

/** Golden values of expert routing (src-test-data/tools/routing_golden.py) and the models they were computed with. */
final class Routing {
    static final JsonNode GOLDEN = read();

    private Routing() {}

    private static JsonNode read() {
        try {
            return new ObjectMapper().readTree(root().resolve("routing/routing.json").toFile());
        } catch (IOException e) {
            throw new java.io.UncheckedIOException(e);
        }
    }

    static Path root() {
        return Path.of(System.getProperty("bts4j.testData"), "golden");
    }

    static List<Member> members(Path folder) {
        return Stream.of("hub", "code", "math").map(name -> new Member(name, folder.resolve(name))).toList();
    }

    static RoutedExperts open() throws IOException {
        return open(root().resolve("bts-3x4"), LoadOptions.defaults());
    }

    /** With the golden router. */
    static RoutedExperts open(Path folder, LoadOptions options) throws IOException {
        RoutedExperts routed = RoutedExperts.open(members(folder), options);
        set(routed, floats(GOLDEN.get("router")));
        return routed;
    }

    static void set(RoutedExperts routed, float[] router) {
        try (NDManager scope = Torch.manager().newSubManager()) {
            routed.setRouterTensors(Map.of("router.weight", Tensors.of(scope, router, 3, 48)));
        }
    }

    /** All numbers below a node, in order. */
    static float[] floats(JsonNode node) {
        double[] values = numbers(node).mapToDouble(JsonNode::asDouble).toArray();
        float[] floats = new float[values.length];
        for (int i = 0; i < floats.length; i++) {
            floats[i] = (float) values[i];
        }
        return floats;
    }

    static int[] ints(JsonNode node) {
        return numbers(node).mapToInt(JsonNode::asInt).toArray();
    }

    private static Stream<JsonNode> numbers(JsonNode node) {
        return node.isArray() ? StreamSupport.stream(node.spliterator(), false).flatMap(Routing::numbers) : Stream.of(node);
    }

    /** The first rows of the golden texts, 41 tokens each. */
    static int[][] tokens(int rows) {
        int[][] tokens = new int[rows][];
        for (int row = 0; row < rows; row++) {
            tokens[row] = ints(GOLDEN.get("tokens").get(row));
        }
        return tokens;
    }
}
