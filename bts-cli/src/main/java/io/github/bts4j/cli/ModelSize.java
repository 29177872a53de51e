package io.github.bts4j.cli;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.github.bts4j.core.llama.LlamaConfig;
import io.github.bts4j.core.support.JsonReader;
import io.github.bts4j.stitch.StitchCheckpoint;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/** Describes a model's shape and size. */
final class ModelSize {
    private ModelSize() {}

    /** Bytes of the KV cache per token, in the checkpoint's type. */
    static long kvCacheBytes(LlamaConfig config) {
        return 2L * config.numLayers() * config.numKvHeads() * config.headDim() * config.dtype().bytes();
    }

    static String memoryText(LlamaConfig config, long bytes, boolean kept) {
        return String.format(Locale.ROOT, "; in memory %,d bytes%s as %s, and %,d bytes of KV cache per token", bytes, kept ? ", matrices as they are stored and the rest" : "", config.dtype().jsonName(),
                kvCacheBytes(config));
    }

    /** The configuration by the keys of {@code config.json}. */
    static ObjectNode describe(LlamaConfig config) {
        return Outcome.object().put("model_type", config.traits().family().spec().modelType()).put("num_hidden_layers", config.numLayers()).put("hidden_size", config.hiddenSize()).put("intermediate_size", config.intermediateSize())
                .put("num_attention_heads", config.numHeads()).put("num_key_value_heads", config.numKvHeads()).put("head_dim", config.headDim()).put("vocab_size", config.vocabSize())
                .put("max_position_embeddings", config.maxPositionEmbeddings()).put("rms_norm_eps", config.rmsNormEps()).put("rope_theta", config.ropeTheta())
                .put("rope_scaling", config.ropeScaling().getClass().getSimpleName().toLowerCase(Locale.ROOT)).put("tie_word_embeddings", config.tieWordEmbeddings()).put("dtype", config.dtype().jsonName());
    }

    /** A stitch checkpoint's description. */
    static JsonNode stitch(Path folder) throws IOException {
        return JsonReader.tree(StitchCheckpoint.describe(folder));
    }

    static String stitchText(JsonNode stitch) {
        List<String> models = new ArrayList<>();
        stitch.path("models").forEach(model -> models.add(model.path("name").asText() + " in " + model.path("path").asText()));
        return "Stitch layers after layers " + stitch.path("afterLayers") + " of " + models.size() + " models: " + String.join(", ", models) + " (hub first); bts inspect shows the size of each";
    }
}
