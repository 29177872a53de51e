package io.github.bts4j.core.llama;

import static io.github.bts4j.core.support.Problems.throwIf;

import io.github.bts4j.core.checkpoint.ModelFormatException;
import io.github.bts4j.core.llama.family.TensorNames;
import io.github.bts4j.core.support.Problems;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The names and shapes of the tensors of a Hugging Face Llama checkpoint, as a configuration implies them. Thread-safe. */
public final class LlamaTensors {
    private static final Logger LOG = LoggerFactory.getLogger(LlamaTensors.class);
    private static final String EMBED_TOKENS = "model.embed_tokens.weight";
    private static final String NORM = "model.norm.weight";
    private static final String LM_HEAD = "lm_head.weight";
    private static final String LAYERS = "model.layers.";
    private static final String INV_FREQ = ".rotary_emb.inv_freq";
    private static final String CONFIG = "config.json";

    private LlamaTensors() {
    }

    /**
     * The names and shapes, from the embedding table through the layers to the language model head.
     *
     * @param config the configuration
     * @return Hugging Face names to shapes, in the order of the model, unmodifiable; a projection's shape is {@code [out, in]}
     */
    public static Map<String, List<Long>> shapes(LlamaConfig config) {
        Map<String, List<Long>> table = new LinkedHashMap<>();
        table.put(EMBED_TOKENS, List.of((long) config.vocabSize(), (long) config.hiddenSize()));
        Map<String, List<Long>> layer = layerShapes(config);
        for (int index = 0; index < config.numLayers(); index++) {
            String prefix = LAYERS + index + ".";
            layer.forEach((name, shape) -> table.put(prefix + name, shape));
        }
        table.put(NORM, List.of((long) config.hiddenSize()));
        if (!config.tieWordEmbeddings()) {
            table.put(LM_HEAD, table.get(EMBED_TOKENS));
        }
        return Collections.unmodifiableMap(table);
    }

    /** The tensors of one layer, by their names after {@code model.layers.N.}. */
    private static Map<String, List<Long>> layerShapes(LlamaConfig config) {
        long hidden = config.hiddenSize();
        long inner = config.intermediateSize();
        Map<String, List<Long>> layer = new LinkedHashMap<>();
        TensorNames names = config.traits().family().spec().tensorNames();
        putNorm(layer, names.beforeAttention(), hidden);
        putProjection(layer, "self_attn.q_proj", config.queryWidth(), hidden, config.attentionBias());
        putProjection(layer, "self_attn.k_proj", config.keyValueWidth(), hidden, config.attentionBias());
        putProjection(layer, "self_attn.v_proj", config.keyValueWidth(), hidden, config.attentionBias());
        putProjection(layer, "self_attn.o_proj", hidden, config.queryWidth(), config.outputBias());
        switch (config.traits().family().spec().headNorms()) {
            case NONE -> { }
            case EACH_HEAD -> List.of("self_attn.q_norm", "self_attn.k_norm").forEach(norm -> putNorm(layer, norm, config.headDim()));
            case ALL_HEADS -> {
                putNorm(layer, "self_attn.q_norm", config.queryWidth());
                putNorm(layer, "self_attn.k_norm", config.keyValueWidth());
            }
        }
        putNorm(layer, names.afterAttention(), hidden);
        putNorm(layer, names.beforeMlp(), hidden);
        putProjection(layer, "mlp.gate_proj", inner, hidden, config.mlpBias());
        putProjection(layer, "mlp.up_proj", inner, hidden, config.mlpBias());
        putProjection(layer, "mlp.down_proj", hidden, inner, config.mlpBias());
        putNorm(layer, names.afterMlp(), hidden);
        return layer;
    }

    private static void putNorm(Map<String, List<Long>> layer, String name, long width) {
        if (!name.isEmpty()) {
            layer.put(name + ".weight", List.of(width));
        }
    }

    private static void putProjection(Map<String, List<Long>> layer, String name, long out, long in, boolean bias) {
        layer.put(name + ".weight", List.of(out, in));
        if (bias) {
            layer.put(name + ".bias", List.of(out));
        }
    }

    /**
     * Counts the parameters without allocating any. A tied language model head counts once, with the embedding table.
     *
     * @param config the configuration
     * @return the number of parameters
     */
    public static long parameterCount(LlamaConfig config) {
        long table = (long) config.vocabSize() * config.hiddenSize();
        long layer = layerShapes(config).values().stream().mapToLong(LlamaTensors::elements).sum();
        return (config.tieWordEmbeddings() ? table : 2 * table) + config.numLayers() * layer + config.hiddenSize();
    }

    private static long elements(List<Long> shape) {
        return shape.stream().reduce(1L, Math::multiplyExact);
    }

    /**
     * Checks the tensors of a checkpoint. Tensors {@code *.rotary_emb.inv_freq} are ignored, since they follow from the configuration; so is
     * a {@code lm_head.weight} of the right shape where the configuration ties it to the embedding table, which is logged.
     *
     * @param config the configuration of the checkpoint
     * @param actualShapes the names and shapes that the checkpoint's files hold
     * @param path the checkpoint's file or folder, for the message
     * @return the names of the tensors that are present but not used
     * @throws ModelFormatException if a tensor is missing, unexpected or of a wrong shape; the message lists all of them
     */
    public static List<String> check(LlamaConfig config, Map<String, List<Long>> actualShapes, Path path) {
        return check(config, actualShapes, path, CONFIG);
    }

    /**
     * Checks the tensors of a file that describes itself.
     *
     * @param config the configuration
     * @param actualShapes the names and shapes that the files hold
     * @param path the file or folder, for the message
     * @param source what the configuration comes from, for the message, such as {@code config.json}
     * @return the names of the tensors that are present but not used
     * @throws ModelFormatException if a tensor is missing, unexpected or of a wrong shape; the message lists all of them
     */
    public static List<String> check(LlamaConfig config, Map<String, List<Long>> actualShapes, Path path, String source) {
        Map<String, List<Long>> expected = shapes(config);
        Problems problems = new Problems();
        expected.forEach((name, shape) -> checkPresent(config, source, name, shape, actualShapes, problems));
        List<String> unused = new ArrayList<>();
        actualShapes.forEach((name, shape) -> {
            if (expected.containsKey(name)) {
                return;
            }
            if (isRedundant(config, name)) {
                unused.add(name);
                checkShape(config, source, name, shape, expected.getOrDefault(EMBED_TOKENS, List.of()), problems);
            } else {
                problems.add("Tensor '" + name + "' " + shape + " is not part of the model" + extraHint(config, source, name));
            }
        });
        throwIf(!problems.isEmpty(), () -> new ModelFormatException(path, problems.message("tensors do not fit " + source)));
        if (unused.contains(LM_HEAD)) {
            LOG.info("{}: {} is not used, tie_word_embeddings is true", path, LM_HEAD);
        }
        return List.copyOf(unused);
    }

    private static boolean isRedundant(LlamaConfig config, String name) {
        return name.endsWith(INV_FREQ) || config.tieWordEmbeddings() && name.equals(LM_HEAD);
    }

    private static void checkPresent(LlamaConfig config, String source, String name, List<Long> shape, Map<String, List<Long>> actual, Problems problems) {
        List<Long> found = actual.get(name);
        if (found == null) {
            String hint = name.equals(LM_HEAD) ? " (tie_word_embeddings is false in " + source + ": should it be true?)" : "";
            problems.add("Tensor '" + name + "' " + shape + " is missing" + hint);
        } else {
            checkShape(config, source, name, found, shape, problems);
        }
    }

    private static void checkShape(LlamaConfig config, String source, String name, List<Long> found, List<Long> shape, Problems problems) {
        problems.addIf(!name.endsWith(INV_FREQ) && !found.equals(shape),
                "Tensor '" + name + "' has shape " + found
                + ", " + source + " implies " + shape + " (" + reason(config, name) + "): are both from the same checkpoint?");
    }

    /** The keys of the configuration that determine a tensor's shape. */
    private static String reason(LlamaConfig config, String name) {
        String hidden = "hidden_size " + config.hiddenSize();
        String inner = "intermediate_size " + config.intermediateSize();
        if (name.contains(".q_proj.") || name.contains(".o_proj.")) {
            String heads = "num_attention_heads " + config.numHeads() + " x head_dim " + config.headDim();
            return name.endsWith(".o_proj.bias") ? hidden : heads + ", " + hidden;
        }
        if (name.contains(".k_proj.") || name.contains(".v_proj.")) {
            return "num_key_value_heads " + config.numKvHeads() + " x head_dim " + config.headDim() + ", " + hidden;
        }
        if (name.contains(".mlp.")) {
            return inner + ", " + hidden;
        }
        return name.equals(EMBED_TOKENS) || name.equals(LM_HEAD) ? "vocab_size " + config.vocabSize() + ", " + hidden : hidden;
    }

    private static String extraHint(LlamaConfig config, String source, String name) {
        if (name.endsWith(".bias") && name.contains(".self_attn.") && !config.attentionBias()) {
            return " (attention_bias is false in " + source + ")";
        }
        if (name.endsWith(".bias") && name.contains(".mlp.") && !config.mlpBias()) {
            return " (mlp_bias is false in " + source + ")";
        }
        return name.startsWith(LAYERS) ? " (num_hidden_layers " + config.numLayers() + ")" : "";
    }
}
