package io.github.bts4j.train;

import static io.github.bts4j.core.support.Problems.throwIf;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.github.bts4j.core.Lifetime;
import io.github.bts4j.core.TokenBatch;
import io.github.bts4j.core.llama.LlamaConfig;
import io.github.bts4j.core.support.ElementType;
import io.github.bts4j.core.torch.ActivationCheckpointing;
import io.github.bts4j.core.torch.Autograd;
import io.github.bts4j.core.torch.Kernels;
import io.github.bts4j.core.torch.LayerKernels;
import io.github.bts4j.core.torch.LlamaWeights;
import io.github.bts4j.core.torch.NextTokenLoss;
import io.github.bts4j.core.torch.Tensors;
import io.github.bts4j.core.torch.llama.Decoder;
import io.github.bts4j.core.torch.llama.DocumentMask;
import io.github.bts4j.core.torch.llama.DocumentRows;
import io.github.bts4j.core.torch.llama.RopeRows;
import java.util.Map;
import java.util.Optional;

/**
 * The training of one Llama model's own weights, or of an adapter beside them. Not thread-safe.
 *
 * @param <T> the training itself
 */
public abstract sealed class LlamaTraining<T extends LlamaTraining<T>> extends OwningTraining permits AdapterTraining, ExpertTraining {
    static final LayerKernels KERNELS = Kernels.of(LayerKernels.class);

    private final LlamaConfig config;
    private Decoder decoder;
    private ActivationCheckpointing checkpointing = ActivationCheckpointing.OFF;
    private Optional<DocumentMask> documentMask = Optional.empty();

    /**
     * What a pass computes with.
     *
     * @param llama the layers' weights
     * @param head the head's weight, {@code [vocabulary, hidden]}
     * @param release called after the pass
     */
    record Weights(LlamaWeights llama, NDArray head, Runnable release) implements AutoCloseable {
        @Override
        public void close() {
            release.run();
        }
    }

    private interface Pass<R> {
        R run(NDManager step, RopeRows rope, Weights weights);
    }

    /** A training of the model with these tensors. */
    LlamaTraining(LlamaConfig config, NDManager manager, Map<String, NDArray> tensors, ElementType type) {
        super(manager);
        this.config = config;
        this.decoder = new Decoder(config, tensors, manager, type);
    }

    /** The weights for a pass, whose temporary tensors {@code step} owns. */
    abstract Weights weights(NDManager step, Autograd mode);

    /** The identity without the document mask. */
    abstract Map<String, String> unmasked();

    /** Computes in another type from now on, with tensors that {@link #weights} converts for each pass. */
    final void computeIn(ElementType type, Map<String, NDArray> tensors) {
        Decoder old = decoder;
        decoder = new Decoder(config, tensors, manager(), type); // first: if it fails, the old one stays
        old.close();
    }

    final LlamaConfig dimensions() {
        return config;
    }

    final Decoder decoder() {
        return decoder;
    }

    @Override
    public float[] accumulateGradients(int[][] tokens, float tokenWeight, long seed) {
        return pass(tokens, Autograd.ON, (step, rope, weights) -> {
            TokenBatch.NextTokens next = TokenBatch.nextTokens(step, tokens, config.vocabSize());
            if (documentMask.isEmpty()) {
                return backward(step, rope, weights, next, tokenWeight);
            }
            try (RopeRows masked = rope.masked(documentMask.get().of(step, next.ids()))) {
                return backward(step, masked, weights, next, tokenWeight);
            }
        });
    }

    @Override
    public float[] accumulateGradients(DocumentRows rows, float tokenWeight, long seed) {
        DocumentRows numbered = documentMask.map(rows::numbered).orElseGet(rows::numbered);
        return pass(rows.tokens(), Autograd.ON, (step, rope, weights) -> {
            try (RopeRows masked = rope.masked(numbered.mask(step))) {
                return backward(step, masked, weights, numbered.nextTokens(step, config.vocabSize()), tokenWeight);
            }
        });
    }

    @Override
    public float[][] tokenLosses(int[][] tokens) {
        return pass(tokens, Autograd.OFF, (step, rope, weights) -> {
            TokenBatch.NextTokens next = TokenBatch.nextTokens(step, tokens, config.vocabSize());
            NDArray hidden = KERNELS.forwardHidden(step, Autograd.OFF, next.ids(), weights.llama(), rope.tensors(), rope.row());
            return TokenBatch.rows(NextTokenLoss.of(KERNELS, step, hidden, weights.head(), next.labels()).toFloatArray(), tokens.length);
        });
    }

    @SuppressWarnings("try") // the lease is only held
    private <R> R pass(int[][] tokens, Autograd mode, Pass<R> pass) {
        int width = TokenBatch.width(tokens);
        try (Lifetime.Lease use = use(); NDManager step = manager().newSubManager(); RopeRows rope = decoder.rope(0, width - 1); Weights weights = weights(step, mode)) {
            return pass.run(step, rope, weights);
        }
    }

    private float[] backward(NDManager step, RopeRows rope, Weights weights, TokenBatch.NextTokens next, float tokenWeight) {
        throwIf(parameters().values().stream().noneMatch(Tensors::requiresGradient), NextTokenLoss::nothingToTrain);
        LayeredPass layered = new LayeredPass(step, weights, config.numLayers(), rope, checkpointing);
        if (layered.isNeeded()) {
            return layered.run(next, tokenWeight);
        }
        NDArray hidden = KERNELS.forwardHidden(step, Autograd.ON, next.ids(), weights.llama(), rope.tensors(), rope.row());
        return NextTokenLoss.backward(KERNELS, step, hidden, weights.head(), next.labels(), tokenWeight);
    }

    @Override
    public long passBytes(int rows, int length) {
        return PassMemory.of(config, parameters().values().stream().mapToLong(tensor -> tensor.size()).sum(), checkpointing, rows, length);
    }

    /**
     * Restricts attention in training to tokens of the same document; validation attends to the whole window.
     *
     * @param mask how documents are separated
     * @return this training
     */
    public T withDocumentMask(DocumentMask mask) {
        this.documentMask = Optional.of(mask);
        return self();
    }

    /**
     * Sets which activations of a pass are kept; a block is a layer.
     *
     * @param kept which activations are kept, and which are recomputed
     * @return this training
     */
    public T withCheckpointing(ActivationCheckpointing kept) {
        this.checkpointing = kept;
        return self();
    }

    @SuppressWarnings("unchecked") // T is the class of this
    private T self() {
        return (T) this;
    }

    final ActivationCheckpointing checkpointing() {
        return checkpointing;
    }

    final Optional<DocumentMask> mask() {
        return documentMask;
    }

    @Override
    public Map<String, String> identity() {
        return documentMask.map(mask -> mask.addTo(unmasked())).orElseGet(this::unmasked);
    }

    @Override
    void releaseArguments() {
        decoder.close();
    }
}
