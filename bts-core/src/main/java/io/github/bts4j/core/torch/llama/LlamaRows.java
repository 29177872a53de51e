package io.github.bts4j.core.torch.llama;

import static io.github.bts4j.core.support.Problems.throwIf;

import ai.djl.Device;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.github.bts4j.core.llama.LlamaConfig;
import io.github.bts4j.core.llama.LlamaTensors;
import io.github.bts4j.core.llama.Repacking;
import io.github.bts4j.core.llama.family.Activation;
import io.github.bts4j.core.llama.family.NormWeight;
import io.github.bts4j.core.llama.family.TensorNames;
import io.github.bts4j.core.llama.family.Traits;
import io.github.bts4j.core.rows.Arithmetic;
import io.github.bts4j.core.rows.Blocks;
import io.github.bts4j.core.rows.Linear;
import io.github.bts4j.core.rows.Matrix;
import io.github.bts4j.core.rows.RowAdapter;
import io.github.bts4j.core.rows.RowDecoder;
import io.github.bts4j.core.rows.RowDimensions;
import io.github.bts4j.core.rows.RowRotations;
import io.github.bts4j.core.rows.RowWeights;
import io.github.bts4j.core.support.ElementType;
import io.github.bts4j.core.torch.Tensors;
import io.github.bts4j.core.torch.Torch;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** A model's tensors for {@link RowDecoder}, created when first needed. Thread-safe. */
final class LlamaRows {
    private static final String EMBED_TOKENS = "model.embed_tokens.weight";

    private final LlamaConfig config;
    private final Map<String, NDArray> tensors;
    private final Device device;
    private final ElementType type;
    private final RowRotations rope;
    private final Choice choice;
    private final Map<String, Linear> linears = new HashMap<>();
    private Optional<RowDecoder> decoder;

    /**
     * How matrices are held.
     *
     * @param repacking whether they are repacked
     * @param shared products of another model over the same matrices, by their names without {@code .weight}
     * @param base the model with the same layers, except for adapters
     */
    record Choice(Repacking repacking, Map<String, Linear> shared, Optional<Decoder> base) {
        static Choice of(Repacking repacking) {
            return new Choice(repacking, Map.of(), Optional.empty());
        }
    }

    LlamaRows(LlamaConfig config, Map<String, NDArray> tensors, Device device, ElementType type, RowRotations rope, Choice choice) {
        this.config = config;
        this.tensors = tensors;
        this.device = device;
        this.type = type;
        this.rope = rope;
        this.choice = choice;
    }

    synchronized Optional<RowDecoder> decoder() {
        if (decoder == null) {
            Optional<Arithmetic> math = isSupported() ? Arithmetic.available() : Optional.empty();
            throwIf(math.isEmpty() && choice.repacking == Repacking.ALWAYS,
                    () -> new IllegalArgumentException("repacking = ALWAYS: weights are repacked for decoding in float32 or bfloat16 on the CPU with bts-vector and java --add-modules jdk.incubator.vector;"
                            + " here it is " + type + " on " + device + (Arithmetic.available().isEmpty() ? " without them" : "") + ". Load the model without repacking"));
            decoder = math.map(this::of);
        }
        return decoder;
    }

    private boolean isSupported() {
        return !device.isGpu() && (type == ElementType.FLOAT32 || type == ElementType.BFLOAT16)
                && tensors.values().stream().allMatch(tensor -> tensor.size() * Tensors.type(tensor).bytes() <= Integer.MAX_VALUE);
    }

    private RowDecoder of(Arithmetic math) {
        Stream.concat(Stream.of(type), tensors.values().stream().map(Tensors::type).filter(each -> each == ElementType.INT8)).distinct().forEach(math::prepare);
        tensors.keySet().stream().filter(BlockWeights::isType).map(name -> BlockWeights.type(tensors.get(name))).distinct().forEach(math::prepare);
        List<RowWeights.Layer> layers = new ArrayList<>();
        for (int i = 0; i < config.numLayers(); i++) {
            String layer = "model.layers." + i + ".";
            layers.add(new RowWeights.Layer(norms(layer), new RowWeights.Kind(config.traits().window(i), config.traits().rotation(i)),
                    linear(math, layer + "self_attn.q_proj"), linear(math, layer + "self_attn.k_proj"), linear(math, layer + "self_attn.v_proj"),
                    linear(math, layer + "self_attn.o_proj"),
                    linear(math, layer + "mlp.gate_proj"), linear(math, layer + "mlp.up_proj"), linear(math, layer + "mlp.down_proj")));
        }
        RowDimensions dims = new RowDimensions(config.hiddenSize(), config.intermediateSize(), config.numHeads(), config.numKvHeads(), config.headDim(),
                style());
        Matrix embedding = matrix(math, EMBED_TOKENS);
        Matrix head = config.tieWordEmbeddings() ? embedding : matrix(math, "lm_head.weight");
        RowWeights stored = new RowWeights(embedding, layers, finalNorm(), choice.shared.getOrDefault(headName(), new Linear(head, config.vocabSize())), false);
        RowWeights weights = isRepacked(stored) ? stored.repacked() : stored;
        remember(weights);
        return new RowDecoder(math, type, dims, weights, rope);
    }

    private RowDimensions.Style style() {
        Traits traits = config.traits();
        return new RowDimensions.Style((float) config.rmsNormEps(), traits.family().spec().normWeight() != NormWeight.AFTER_ROUNDING, traits.family().spec().activation() == Activation.GELU_TANH,
                (float) config.attentionScale(), (float) KernelWeights.embeddingMultiplier(config, type), (float) traits.multipliers().residual());
    }

    private RowWeights.Norms norms(String layer) {
        TensorNames names = config.traits().family().spec().tensorNames();
        return new RowWeights.Norms(norm(layer, names.beforeAttention()), norm(layer, names.afterAttention()), norm(layer, names.beforeMlp()), norm(layer, names.afterMlp()),
                norm(layer, "self_attn.q_norm"), norm(layer, "self_attn.k_norm"));
    }

    /** A norm's weight as it is multiplied with; empty where there is none. */
    private float[] norm(String layer, String name) {
        String tensor = layer + name + ".weight";
        if (!tensors.containsKey(tensor)) {
            return new float[0];
        }
        float[] weight = floats(tensor);
        for (int i = 0; i < weight.length && config.traits().family().spec().normWeight() == NormWeight.ONE_PLUS; i++) {
            weight[i] += 1;
        }
        return weight;
    }

    /** What logits are divided by is a part of the norm before the head. */
    private float[] finalNorm() {
        float[] weight = norm("model.", "norm");
        float divisor = (float) config.traits().multipliers().logitsDivisor();
        for (int i = 0; i < weight.length && divisor != 1; i++) {
            weight[i] /= divisor;
        }
        return weight;
    }

    private String headName() {
        return config.tieWordEmbeddings() ? "model.embed_tokens" : "lm_head";
    }

    /** The products by their names, for models over the same matrices. */
    synchronized Map<String, Linear> linears() {
        return Map.copyOf(linears);
    }

    private void remember(RowWeights weights) {
        linears.put(headName(), weights.head());
        for (int i = 0; i < config.numLayers(); i++) {
            RowWeights.Layer layer = weights.layers().get(i);
            String attention = "model.layers." + i + ".self_attn.";
            String mlp = "model.layers." + i + ".mlp.";
            linears.putAll(Map.of(attention + "q_proj", layer.query(), attention + "k_proj", layer.key(), attention + "v_proj", layer.value(), attention + "o_proj", layer.output(),
                    mlp + "gate_proj", layer.gate(), mlp + "up_proj", layer.up(), mlp + "down_proj", layer.down()));
        }
    }

    private boolean isRepacked(RowWeights stored) {
        if (tensors.keySet().stream().anyMatch(BlockWeights::isType)) {
            return false; // they are read in place, and what is not in blocks beside them is little
        }
        long bytes = stored.bytesToRepack(choice.shared.values().stream().map(Linear::weight).collect(Collectors.toSet()));
        if (choice.repacking == Repacking.ALWAYS) {
            RowWeights.requireRoom(bytes);
            return true;
        }
        return choice.repacking == Repacking.AUTOMATIC && stored.bytes() <= RowDecoder.SMALL_MODEL && RowWeights.hasRoom(bytes);
    }

    private Linear linear(Arithmetic math, String name) {
        int rows = Math.toIntExact(tensors.get(name + ".weight").getShape().get(0));
        Matrix weight = choice.shared.containsKey(name) ? choice.shared.get(name).weight() : matrix(math, name + ".weight");
        return new Linear(weight, rows, tensors.containsKey(name + ".bias") ? floats(name + ".bias") : new float[0], adapters(math, name));
    }

    private List<Optional<RowAdapter>> adapters(Arithmetic math, String name) {
        if (!tensors.containsKey(name + ".lora_A")) {
            return List.of();
        }
        int rank = Math.toIntExact(tensors.get(name + ".lora_A").getShape().get(0));
        try (NDManager scope = Torch.manager().newSubManager(device)) {
            NDArray b = Tensors.place(scope, tensors.get(name + ".lora_B"), type, device).transpose(); // as it is in memory
            return List.of(Optional.of(new RowAdapter(matrix(math, name + ".lora_A"), rank, math.matrix(Tensors.elements(b)),
                    tensors.containsKey(name + ".lora_factor") ? floats(name + ".lora_factor") : new float[0])));
        }
    }

    private Matrix matrix(Arithmetic math, String name) {
        if (tensors.containsKey(name + BlockWeights.TYPE)) {
            return math.matrix(new Blocks(Tensors.memory(tensors.get(name)), BlockWeights.type(tensors.get(name + BlockWeights.TYPE)), 0, columns(name)));
        }
        NDArray scales = tensors.get(name + Int8Weights.SCALE);
        return math.matrix(Tensors.elements(tensors.get(name), scales == null ? new float[0] : Tensors.toFloats(scales)));
    }

    private int columns(String name) {
        return Math.toIntExact(LlamaTensors.shapes(config).get(name).get(1));
    }

    private float[] floats(String name) {
        return Tensors.toFloats(tensors.get(name));
    }
}
