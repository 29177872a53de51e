package io.github.bts4j.core.llama;

import ai.djl.Device;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.github.bts4j.core.DecodeEngine;
import io.github.bts4j.core.rows.ParallelismTuner;
import io.github.bts4j.core.rows.RowDecoder;
import io.github.bts4j.core.torch.Autograd;
import io.github.bts4j.core.torch.Kernels;
import io.github.bts4j.core.torch.TensorList;
import io.github.bts4j.core.torch.Tensors;
import io.github.bts4j.core.torch.TorchType;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * One model as the kernels see it: its weights in the kernels' order, its dimensions and its rotary tables.
 *
 * <p>Made for code that runs several models in one kernel call, as bts-stitch does. It holds references to tensors that
 * others own. Thread-safe. Whoever makes it closes it.
 */
public final class Decoder implements AutoCloseable {
    /** The resource that holds the decoder's kernels; {@link Kernels#withLinear} loads it. */
    public static final String KERNELS = "/io/github/bts4j/core/torch/decoder.py";

    static final Kernels CALLS = Kernels.withLinear(KERNELS);

    private static final String EMBED_TOKENS = "model.embed_tokens.weight";
    private static final List<String> LAYER_WEIGHTS = List.of("input_layernorm", "self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj",
            "self_attn.o_proj", "post_attention_layernorm", "mlp.gate_proj", "mlp.up_proj", "mlp.down_proj");
    private static final List<String> LAYER_BIASES = List.of("self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj", "self_attn.o_proj",
            "mlp.gate_proj", "mlp.up_proj", "mlp.down_proj");

    private final LlamaConfig config;
    private final TensorList weights;
    private final TensorList biases;
    private final Rotary rotary;
    private final NDArray head;
    private final Optional<NDArray> headScale;
    private final LlamaRows rows;
    private final TorchType type;
    private final Device device;
    private List<DecodeEngine<KvCaches>> engines;

    /**
     * Arranges a model's tensors for the kernels.
     *
     * @param config the model's dimensions
     * @param tensors every tensor of the model by its Hugging Face name, of one type; {@code lm_head.weight} may be absent when tied; of an int8
     *     matrix also its scales, under its name and {@code _scale}
     * @param manager owner of the rotary tables
     * @param type element type of the tensors
     */
    public Decoder(LlamaConfig config, Map<String, NDArray> tensors, NDManager manager, TorchType type) {
        this(config, tensors, manager, type, Optional.empty());
    }

    /**
     * Arranges a model's tensors for the kernels.
     *
     * @param config the model's dimensions
     * @param tensors as above
     * @param manager owner of the rotary tables
     * @param type element type of the tensors
     * @param repack see {@link LoadOptions#repack}
     */
    Decoder(LlamaConfig config, Map<String, NDArray> tensors, NDManager manager, TorchType type, Optional<Boolean> repack) {
        this.config = config;
        this.type = type;
        this.device = manager.getDevice();
        String headName = config.tieWordEmbeddings() ? EMBED_TOKENS : "lm_head.weight";
        List<String> names = new ArrayList<>(List.of(EMBED_TOKENS, "model.norm.weight", headName));
        List<NDArray> bias = new ArrayList<>();
        try (NDManager scope = manager.newSubManager()) {
            NDArray none = scope.create(new float[0]);
            for (int layer = 0; layer < config.numLayers(); layer++) {
                String prefix = "model.layers." + layer + ".";
                LAYER_WEIGHTS.forEach(name -> names.add(prefix + name + ".weight"));
                if (config.attentionBias() || config.mlpBias()) {
                    LAYER_BIASES.forEach(name -> bias.add(tensors.getOrDefault(prefix + name + ".bias", none)));
                }
            }
            List<NDArray> list = new ArrayList<>(names.stream().map(tensors::get).toList());
            this.head = tensors.get(headName);
            this.headScale = Optional.ofNullable(tensors.get(headName + Int8Weights.SCALE));
            if (names.stream().anyMatch(name -> tensors.containsKey(name + Int8Weights.SCALE))) {
                names.forEach(name -> list.add(tensors.getOrDefault(name + Int8Weights.SCALE, none)));
            }
            this.weights = TensorList.of(list);
            this.biases = TensorList.of(bias);
        }
        this.rotary = new Rotary(config, manager, type);
        this.rows = new LlamaRows(config, tensors, device, type, rotary::cosSin, repack);
    }

    /**
     * The model's dimensions.
     *
     * @return its configuration
     */
    public LlamaConfig config() {
        return config;
    }

    /**
     * Where its tensors are.
     *
     * @return the device
     */
    public Device device() {
        return device;
    }

    /**
     * The weights in the order that the kernels' source documents.
     *
     * @return a {@code List[Tensor]}
     */
    public TensorList weights() {
        return weights;
    }

    /**
     * The biases, seven per layer, or none at all.
     *
     * @return a {@code List[Tensor]}
     */
    public TensorList biases() {
        return biases;
    }

    /**
     * The head's weight in the precision that is computed with.
     *
     * @param scope owner of a dequantised copy, where the weights are quantised
     * @return {@code [vocabulary, hidden]}; with tied embeddings the embedding table
     */
    public NDArray head(NDManager scope) {
        return headScale.isEmpty() ? head : CALLS.tensor(scope, Autograd.OFF, "dequantize", head, headScale.get());
    }

    /**
     * The kernels' {@code dims}.
     *
     * @return {@code [num_heads, num_kv_heads, head_dim, num_layers]}
     */
    public long[] dims() {
        return new long[] {config.numHeads(), config.numKvHeads(), config.headDim(), config.numLayers()};
    }

    /**
     * The rotary tables for a range of positions.
     *
     * @param start position of the first token
     * @param length number of tokens; the sequence ends with them
     * @return the tables, which the caller closes
     */
    public RopeRows rope(int start, int length) {
        return rotary.rows(start, length);
    }

    /**
     * The model as what decodes tokens outside of libtorch sees it; made at the first call.
     *
     * @return the decoder; empty where bts-vector is absent or does not work, on a GPU, and in float16
     * @throws IllegalArgumentException if repacking was wished and cannot be done
     */
    public Optional<RowDecoder> rows() {
        return rows.decoder();
    }

    /** An empty cache. */
    KvCache newCache(int capacity) {
        return new KvCache(config, type, device, capacity, rows().map(RowDecoder::math));
    }

    /** What decodes the model by itself. */
    synchronized List<DecodeEngine<KvCaches>> engines() {
        if (engines == null) {
            engines = TorchEngine.orRows(List.of(this), this::logits, new ParallelismTuner(),
                    rows -> (share, steps) -> rows.get(0).layers(share, steps.get(0), 0, config.numLayers()));
        }
        return engines;
    }

    private NDArray logits(NDManager step, NDArray ids, Ropes ropes, TorchEngine.Caches caches) {
        return CALLS.tensor(step, Autograd.INFERENCE, "decode", ids, weights, biases, dims(), config.rmsNormEps(), ropes.tensors(), ropes.rows(), caches.keys(),
                caches.values(), caches.starts());
    }

    /**
     * The loss of a training step and its backward pass: computes the gradient of the loss with respect to the last hidden
     * state chunk by chunk, so that the logits of all tokens never exist at once, and sends it down the recorded graph.
     *
     * @param kernels kernels that hold the decoder's
     * @param step owner of everything in between
     * @param hidden the state after the final norm, {@code [batch, sequence, hidden]}, with its graph
     * @param head the head's weight {@code [vocabulary, hidden]}; where it requires a gradient, that is accumulated too
     * @param labels int64 {@code [batch, sequence]}, the next tokens
     * @param tokenWeight what each token's loss counts in the sum that is differentiated
     * @return losses in nats, {@code [batch * sequence]}
     * @throws IllegalStateException if no graph leads from the hidden state to a trained tensor
     */
    public static float[] backward(Kernels kernels, NDManager step, NDArray hidden, NDArray head, NDArray labels, float tokenWeight) {
        if (!Tensors.requiresGradient(hidden)) {
            throw new IllegalStateException("No tensor that the loss depends on requires a gradient: call setRequiresGradient(true)"
                    + " on the tensors to train, or let AdamW take them");
        }
        NDArray weights = step.full(labels.getShape(), tokenWeight);
        int chunk = LlamaModel.lossChunk(Math.toIntExact(head.getShape().get(0)));
        List<NDArray> lossAndGradient = kernels.tensors(step, Autograd.OFF, "loss_gradient", hidden, head, labels, weights, chunk);
        kernels.run(Autograd.OFF, "backward", hidden, lossAndGradient.get(1), head, lossAndGradient.get(2));
        return lossAndGradient.get(0).toFloatArray();
    }

    /** Releases the references; the tensors live on with their owner. */
    @Override
    public void close() {
        weights.close();
        biases.close();
        rotary.close();
    }
}
