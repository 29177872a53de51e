package io.github.bts4j.core.torch.llama;

import ai.djl.Device;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.github.bts4j.core.DecodeEngine;
import io.github.bts4j.core.checkpoint.gguf.GgmlType;
import io.github.bts4j.core.llama.LlamaConfig;
import io.github.bts4j.core.llama.Repacking;
import io.github.bts4j.core.rows.Linear;
import io.github.bts4j.core.rows.ParallelismTuner;
import io.github.bts4j.core.rows.RowDecoder;
import io.github.bts4j.core.support.ElementType;
import io.github.bts4j.core.torch.Autograd;
import io.github.bts4j.core.torch.DecoderKernels;
import io.github.bts4j.core.torch.Kernels;
import io.github.bts4j.core.torch.LlamaWeights;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * A model's kernel arguments: weights, dimensions and rotary tables.
 *
 * <p>For code that runs several models in one kernel call, such as bts-stitch. It holds references to tensors that
 * it does not own. Thread-safe.
 */
public final class Decoder implements AutoCloseable {
    static final DecoderKernels CALLS = Kernels.of(DecoderKernels.class);

    private static final String EMBED_TOKENS = "model.embed_tokens.weight";

    private final LlamaConfig config;
    private final LlamaWeights weights;
    private final Rotary rotary;
    private final NDArray head;
    private final Optional<NDArray> headScale;
    private final Optional<GgmlType> headType;
    private final LlamaRows rows;
    private final ElementType type;
    private final Device device;
    private final Optional<Decoder> base;
    private List<DecodeEngine<KvCaches>> engines;

    /**
     * Creates a model's kernel arguments.
     *
     * @param config the model's dimensions
     * @param tensors every tensor of the model by its Hugging Face name, of one type; {@code lm_head.weight} may be absent when tied; of an int8
     *     matrix also its scales, under its name and {@code _scale}, and of one in ggml's blocks the number of its type, under its name and {@code _type}
     * @param manager owner of the rotary tables
     * @param type element type of the tensors
     */
    public Decoder(LlamaConfig config, Map<String, NDArray> tensors, NDManager manager, ElementType type) {
        this(config, tensors, manager, type, LlamaRows.Choice.of(Repacking.AUTOMATIC));
    }

    /**
     * Creates a model's kernel arguments.
     *
     * @param config the model's dimensions
     * @param tensors as above
     * @param manager owner of the rotary tables
     * @param type element type of the tensors
     * @param choice how matrices are held for decoding outside of libtorch
     */
    Decoder(LlamaConfig config, Map<String, NDArray> tensors, NDManager manager, ElementType type, LlamaRows.Choice choice) {
        this.config = config;
        this.type = type;
        this.device = manager.getDevice();
        this.base = choice.base();
        String headName = config.tieWordEmbeddings() ? EMBED_TOKENS : "lm_head.weight";
        this.head = tensors.get(headName);
        this.headScale = Optional.ofNullable(tensors.get(headName + Int8Weights.SCALE));
        this.headType = Optional.ofNullable(tensors.get(headName + BlockWeights.TYPE)).map(BlockWeights::type);
        this.weights = KernelWeights.of(CALLS, Autograd.OFF, tensors, config, type, config.tieWordEmbeddings());
        this.rotary = new Rotary(config.ropes(), manager, type);
        this.rows = new LlamaRows(config, tensors, device, type, rotary::cosSin, choice);
    }

    /** {@return the model's dimensions} */
    public LlamaConfig config() {
        return config;
    }

    /** {@return the device of the tensors} */
    public Device device() {
        return device;
    }

    /** {@return the weights by their names, and the dimensions, as a kernel argument} */
    public LlamaWeights weights() {
        return weights;
    }

    /**
     * The head's weight in the precision of the computation.
     *
     * @param scope owner of a dequantised copy, if the weights are quantised
     * @return {@code [vocabulary, hidden]}; with tied embeddings the embedding table
     */
    public NDArray head(NDManager scope) {
        if (headType.isPresent()) {
            return CALLS.dequantizeBlocks(scope, Autograd.OFF, head, headType.get().code(), type);
        }
        return headScale.isEmpty() ? head : CALLS.dequantize(scope, Autograd.OFF, head, headScale.get());
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
     * The model's decoder without libtorch, created at the first call.
     *
     * @return the decoder; empty if bts-vector is missing or does not work, on a GPU, and in float16
     * @throws IllegalArgumentException if repacking was requested and is not possible
     */
    public Optional<RowDecoder> rows() {
        return rows.decoder();
    }

    /**
     * Whether the layers are those of another model with an adapter beside them.
     *
     * @param other the other one
     * @return true if it uses the other one's matrices, norms and biases, in the same memory
     */
    public boolean isOver(Decoder other) {
        return base.filter(other::equals).isPresent();
    }

    /** The products outside of libtorch by their names, for models over the same matrices; none where there is no such decoder. */
    Map<String, Linear> linears() {
        return rows().isEmpty() ? Map.of() : rows.linears();
    }

    /** An empty cache. */
    KvCache newCache(int capacity) {
        return KvCache.of(this, type, capacity);
    }

    /** The engines that decode the model. */
    synchronized List<DecodeEngine<KvCaches>> engines() {
        if (engines == null) {
            engines = TorchEngine.orRows(List.of(this), new Decoding(), new ParallelismTuner(),
                    rows -> (share, steps) -> rows.get(0).layers(share, steps.get(0), 0, config.numLayers()));
        }
        return engines;
    }

    /** A step in libtorch. */
    private final class Decoding implements TorchEngine.Kernel {
        @Override
        public NDArray logits(NDManager step, NDArray ids, Ropes ropes, TorchEngine.Caches caches) {
            return CALLS.decode(step, Autograd.INFERENCE, ids, weights, ropes.tensors(), ropes.rows(), caches.keys(), caches.values(), caches.starts());
        }

        @Override
        public long[] joints() {
            return new long[] {config.numLayers()};
        }
    }

    /** Releases the references, but not the tensors. */
    @Override
    public void close() {
        weights.close();
        rotary.close();
    }
}
