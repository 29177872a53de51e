package io.github.bts4j.core.llama;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;

/** The {@code quantization_config} of matrices of int8 with a scale for each row: what compressed-tensors (0.9) calls {@code int-quantized}. */
final class Int8Description {
    private Int8Description() {
    }

    /** The value that says so. */
    static ObjectNode json() {
        ObjectNode json = JsonNodeFactory.instance.objectNode().put("quant_method", "compressed-tensors").put("format", "int-quantized")
                .put("quantization_status", "compressed");
        json.putArray("ignore");
        ObjectNode group = json.putObject("config_groups").putObject("group_0");
        group.putArray("targets").add("Linear").add("Embedding");
        group.putObject("weights").put("num_bits", 8).put("type", "int").put("symmetric", true).put("strategy", "channel").put("dynamic", false);
        group.putNull("input_activations").putNull("output_activations");
        return json;
    }

    /** Whether a value describes exactly this: symmetric weights of 8 bits, a scale for each row, unquantised activations. */
    static boolean isIn(JsonNode json) {
        boolean same = json.path("quant_method").asText().equals("compressed-tensors") && json.path("format").asText().equals("int-quantized")
                && json.path("config_groups").size() > 0 && json.path("sparsity_config").isEmpty() && isNothing(json.path("kv_cache_scheme"));
        for (JsonNode group : json.path("config_groups")) {
            JsonNode weights = group.path("weights");
            same &= isNothing(group.path("input_activations")) && isNothing(group.path("output_activations")) && weights.path("num_bits").asInt() == 8
                    && weights.path("type").asText("int").equals("int") && weights.path("symmetric").asBoolean(true)
                    && weights.path("strategy").asText().equals("channel") && !weights.path("dynamic").asBoolean() && isNothing(weights.path("actorder"));
        }
        return same;
    }

    private static boolean isNothing(JsonNode json) {
        return json.isMissingNode() || json.isNull();
    }
}
