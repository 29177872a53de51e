package io.github.bts4j.core.torch.llama;

import ai.djl.Device;
import ai.djl.ndarray.NDArray;
import io.github.bts4j.core.llama.LlamaConfig;
import io.github.bts4j.core.rows.Arithmetic;
import io.github.bts4j.core.rows.Linear;
import io.github.bts4j.core.rows.Matrix;
import io.github.bts4j.core.rows.RowDecoder;
import io.github.bts4j.core.rows.RowWeights;
import io.github.bts4j.core.torch.Tensors;
import io.github.bts4j.core.torch.TorchType;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;

/** A model's tensors as {@link RowDecoder} takes them, made when they are first asked for. Thread-safe. */
final class LlamaRows {
    private static final String EMBED_TOKENS = "model.embed_tokens.weight";

    private final LlamaConfig config;
    private final Map<String, NDArray> tensors;
    private final Device device;
    private final TorchType type;
    private final RowDecoder.Rotations rope;
    private final Optional<Boolean> repack;
    private Optional<RowDecoder> decoder;

    LlamaRows(LlamaConfig config, Map<String, NDArray> tensors, Device device, TorchType type, RowDecoder.Rotations rope, Optional<Boolean> repack) {
        this.config = config;
        this.tensors = tensors;
        this.device = device;
        this.type = type;
        this.rope = rope;
        this.repack = repack;
    }

    synchronized Optional<RowDecoder> decoder() {
        if (decoder == null) {
            Optional<Arithmetic> math = isSupported() ? Arithmetic.available() : Optional.empty();
            if (math.isEmpty() && repack.orElse(false)) {
                throw new IllegalArgumentException("repack = true: weights are repacked for decoding in float32 or bfloat16 on the CPU with bts-vector and java --add-modules jdk.incubator.vector;"
                        + " here it is " + type + " on " + device + (Arithmetic.available().isEmpty() ? " without them" : "") + ". Load the model without repacking");
            }
            decoder = math.map(this::of);
        }
        return decoder;
    }

    private boolean isSupported() {
        return !device.isGpu() && tensors.keySet().stream().noneMatch(name -> name.endsWith(".lora_A")) && (type == TorchType.FLOAT32 || type == TorchType.BFLOAT16)
                && tensors.values().stream().allMatch(tensor -> tensor.size() * Tensors.type(tensor).bytes() <= Integer.MAX_VALUE);
    }

    private RowDecoder of(Arithmetic math) {
        Stream.concat(Stream.of(type), tensors.values().stream().map(Tensors::type).filter(each -> each == TorchType.INT8)).distinct().forEach(math::prepare);
        List<RowWeights.Layer> layers = new ArrayList<>();
        for (int i = 0; i < config.numLayers(); i++) {
            String layer = "model.layers." + i + ".";
            layers.add(new RowWeights.Layer(floats(layer + "input_layernorm.weight"),
                    linear(math, layer + "self_attn.q_proj"), linear(math, layer + "self_attn.k_proj"), linear(math, layer + "self_attn.v_proj"),
                    linear(math, layer + "self_attn.o_proj"), floats(layer + "post_attention_layernorm.weight"),
                    linear(math, layer + "mlp.gate_proj"), linear(math, layer + "mlp.up_proj"), linear(math, layer + "mlp.down_proj")));
        }
        RowDecoder.Dimensions dims = new RowDecoder.Dimensions(config.hiddenSize(), config.intermediateSize(), config.numHeads(), config.numKvHeads(), config.headDim(),
                (float) config.rmsNormEps());
        Matrix embedding = matrix(math, EMBED_TOKENS);
        Matrix head = config.tieWordEmbeddings() ? embedding : matrix(math, "lm_head.weight");
        RowWeights weights = new RowWeights(embedding, layers, floats("model.norm.weight"), new Linear(head, config.vocabSize()), false);
        return new RowDecoder(math, type, dims, isRepacked(weights.bytes()) ? weights.repacked() : weights, rope);
    }

    /** As wished; without a wish, a small model for which there is room. */
    private boolean isRepacked(long bytes) {
        if (repack.orElse(false)) {
            RowWeights.requireRoom(bytes);
        }
        return repack.orElseGet(() -> bytes <= RowDecoder.SMALL_MODEL && RowWeights.hasRoom(bytes));
    }

    private Linear linear(Arithmetic math, String name) {
        int rows = Math.toIntExact(tensors.get(name + ".weight").getShape().get(0));
        return new Linear(matrix(math, name + ".weight"), rows, tensors.containsKey(name + ".bias") ? floats(name + ".bias") : new float[0]);
    }

    private Matrix matrix(Arithmetic math, String name) {
        NDArray scales = tensors.get(name + Int8Weights.SCALE);
        return math.matrix(Tensors.elements(tensors.get(name), scales == null ? new float[0] : Tensors.toFloats(scales)));
    }

    private float[] floats(String name) {
        return Tensors.toFloats(tensors.get(name));
    }
}
