package io.github.bts4j.train;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.github.bts4j.core.Lifetime;
import io.github.bts4j.core.TokenBatch;
import io.github.bts4j.core.adapter.Adapter;
import io.github.bts4j.core.adapter.AdapterConfig;
import io.github.bts4j.core.adapter.AdapterTensorLoader;
import io.github.bts4j.core.adapter.AdapterWriter;
import io.github.bts4j.core.llama.LlamaConfig;
import io.github.bts4j.core.llama.LlamaTensors;
import io.github.bts4j.core.support.ElementType;
import io.github.bts4j.core.torch.ActivationCheckpointing;
import io.github.bts4j.core.torch.Autograd;
import io.github.bts4j.core.torch.FiniteTensors;
import io.github.bts4j.core.torch.LlamaWeights;
import io.github.bts4j.core.torch.NextTokenLoss;
import io.github.bts4j.core.torch.Tensors;
import io.github.bts4j.core.torch.Torch;
import io.github.bts4j.core.torch.TrainingKernels;
import io.github.bts4j.core.torch.llama.Decoder;
import io.github.bts4j.core.torch.llama.DocumentMask;
import io.github.bts4j.core.torch.llama.DocumentRows;
import io.github.bts4j.core.torch.llama.KernelWeights;
import io.github.bts4j.core.torch.llama.LlamaModel;
import io.github.bts4j.core.torch.llama.RopeRows;
import java.io.IOException;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;

/**
 * Trains an adapter of a frozen base: LoRA (arXiv 2106.09685), rsLoRA or DoRA, as Hugging Face's PEFT does. The adapter's tensors are float32; the base computes in its own type, from the memory
 * that it was loaded into.
 *
 * <p>Not thread-safe. The base may be closed first.
 */
public final class AdapterTraining implements Trainable, AutoCloseable {
    private static final TrainingKernels KERNELS = ExpertTraining.KERNELS;
    private static final String TABLE = "model.embed_tokens.weight";
    private static final String HEAD = "lm_head.weight";

    private final Lifetime lifetime = Lifetime.shared("training");
    private final LlamaConfig config;
    private final ElementType type;
    private final NDManager manager;
    private final Map<String, NDArray> frozen = new LinkedHashMap<>();
    private final AdapterParameters parameters;
    private final Decoder decoder;
    private final Map<String, String> identity = new LinkedHashMap<>();
    private ActivationCheckpointing checkpointing = ActivationCheckpointing.OFF;
    private Optional<DocumentMask> documentMask = Optional.empty();

    /** Makes the trained tensors. */
    private interface Start {
        AdapterParameters of(NDManager manager, Map<String, NDArray> base) throws IOException;
    }

    @SuppressWarnings("try") // the lease is only held
    private AdapterTraining(LlamaModel base, Start start) throws IOException {
        base.requireFullWeights("the base of an adapter in training");
        config = base.config();
        type = base.type();
        manager = Torch.manager().newSubManager(base.device());
        try (Lifetime.Lease use = base.lifetime().use()) {
            FiniteTensors.require(base.getName(), base.tensors());
            base.tensors().forEach((name, tensor) -> frozen.put(name, Tensors.place(manager, tensor, type, base.device()))); // the base's memory, with separate handles
            decoder = new Decoder(config, frozen, manager, type);
            parameters = start.of(manager, frozen);
            identity.put("base", StartingWeights.sha256(frozen));
            identity.put("base type", type.name());
            identity.put("adapter", parameters.config().toString());
            identity.put(StartingWeights.NAME, StartingWeights.sha256(parameters.named()));
        } catch (IOException | RuntimeException e) {
            manager.close();
            throw e;
        }
    }

    /**
     * A new adapter, with which the model is the base: A random, B zero.
     *
     * @param base the base, with unquantised weights
     * @param config rank, scale and modules
     * @param seed seed of the random matrices
     * @return the training, on the base's device, which the caller closes
     * @throws IllegalArgumentException if the configuration asks for what is not trained, or targets nothing
     * @throws io.github.bts4j.core.FileFormatException if a weight is NaN or infinite
     */
    public static AdapterTraining start(LlamaModel base, AdapterConfig config, long seed) {
        try {
            return new AdapterTraining(base, (manager, tensors) -> AdapterParameters.start(manager, config, tensors, seed));
        } catch (IOException e) {
            throw new java.io.UncheckedIOException(e); // nothing is read
        }
    }

    /**
     * Continues to train an adapter that PEFT or this library saved.
     *
     * @param base the base, with unquantised weights
     * @param folder the adapter's folder
     * @return the training, on the base's device, which the caller closes
     * @throws IOException if a file cannot be read
     * @throws IllegalArgumentException if the adapter has what is not trained here
     */
    public static AdapterTraining from(LlamaModel base, Path folder) throws IOException {
        Adapter adapter = Adapter.open(folder, LlamaTensors.shapes(base.config()));
        return new AdapterTraining(base, (manager, tensors) -> {
            AdapterTensorLoader loader = new AdapterTensorLoader(manager, ElementType.FLOAT32);
            return new AdapterParameters(adapter.config(), loader.modules(adapter), loader.whole(adapter)).checked();
        });
    }

    @Override
    public Map<String, NDArray> parameters() {
        return parameters.named();
    }

    @Override
    public NDManager manager() {
        return manager;
    }

    /** What a pass computes with. */
    private record Weights(LlamaWeights llama, NDArray head) implements AutoCloseable {
        @Override
        public void close() {
            llama.close();
        }
    }

    private Weights weights(NDManager step, Autograd mode) {
        Map<String, NDArray> all = parameters.beside(step, mode, frozen, type);
        boolean tied = config.tieWordEmbeddings() && !parameters.whole().containsKey(TABLE) && !parameters.whole().containsKey(HEAD);
        if (config.tieWordEmbeddings() && !tied) {
            all.putIfAbsent(HEAD, frozen.get(TABLE));
        }
        LlamaWeights llama = KernelWeights.of(KERNELS, mode, all, config, type, tied);
        return new Weights(llama, all.get(tied ? TABLE : HEAD));
    }

    @Override
    @SuppressWarnings("try") // the lease is only held
    public float[] accumulateGradients(int[][] tokens, float tokenWeight, long seed) {
        int width = TokenBatch.width(tokens);
        try (Lifetime.Lease use = use(); NDManager step = manager.newSubManager(); RopeRows rope = decoder.rope(0, width - 1); Weights weights = weights(step, Autograd.ON)) {
            TokenBatch.NextTokens next = TokenBatch.nextTokens(step, tokens, config.vocabSize());
            if (documentMask.isEmpty()) {
                return pass(step, weights, rope, next, tokenWeight);
            }
            try (RopeRows masked = rope.masked(documentMask.get().of(step, next.ids()))) {
                return pass(step, weights, masked, next, tokenWeight);
            }
        }
    }

    @Override
    @SuppressWarnings("try") // the lease is only held
    public float[] accumulateGradients(DocumentRows rows, float tokenWeight, long seed) {
        DocumentRows numbered = documentMask.map(mask -> rows.numbered(mask)).orElseGet(rows::numbered);
        try (Lifetime.Lease use = use(); NDManager step = manager.newSubManager(); RopeRows rope = decoder.rope(0, TokenBatch.width(rows.tokens()) - 1);
                RopeRows masked = rope.masked(numbered.mask(step)); Weights weights = weights(step, Autograd.ON)) {
            return pass(step, weights, masked, numbered.nextTokens(step, config.vocabSize()), tokenWeight);
        }
    }

    private float[] pass(NDManager step, Weights weights, RopeRows rope, TokenBatch.NextTokens next, float tokenWeight) {
        if (checkpointing != ActivationCheckpointing.OFF) {
            return new CheckpointedPass(step, weights.llama(), weights.head(), config.numLayers(), rope, checkpointing).run(next, tokenWeight);
        }
        NDArray hidden = KERNELS.forwardHidden(step, Autograd.ON, next.ids(), weights.llama(), rope.tensors(), rope.row());
        return NextTokenLoss.backward(KERNELS, step, hidden, weights.head(), next.labels(), tokenWeight);
    }

    /**
     * Restricts attention in training to tokens of the same document; validation attends to the whole window.
     *
     * @param mask how documents are separated
     * @return this training
     */
    public AdapterTraining withDocumentMask(DocumentMask mask) {
        this.documentMask = Optional.of(mask);
        return this;
    }

    /**
     * Sets which activations of a pass are kept; a block is a layer.
     *
     * @param checkpointing which activations are kept, and which are recomputed
     * @return this training
     */
    public AdapterTraining withCheckpointing(ActivationCheckpointing checkpointing) {
        this.checkpointing = checkpointing;
        return this;
    }

    @Override
    @SuppressWarnings("try") // the lease is only held
    public float[][] tokenLosses(int[][] tokens) {
        int width = TokenBatch.width(tokens);
        try (Lifetime.Lease use = use(); NDManager step = manager.newSubManager(); RopeRows rope = decoder.rope(0, width - 1); Weights weights = weights(step, Autograd.OFF)) {
            TokenBatch.NextTokens next = TokenBatch.nextTokens(step, tokens, config.vocabSize());
            NDArray hidden = KERNELS.forwardHidden(step, Autograd.OFF, next.ids(), weights.llama(), rope.tensors(), rope.row());
            return TokenBatch.rows(NextTokenLoss.of(KERNELS, step, hidden, weights.head(), next.labels()).toFloatArray(), tokens.length);
        }
    }

    @Override
    public void weightsChanged() {
        // every pass reads the tensors themselves
    }

    @Override
    public Map<String, String> identity() {
        Map<String, String> copy = new LinkedHashMap<>(identity);
        return documentMask.map(mask -> mask.addTo(copy)).orElse(copy);
    }

    /**
     * Writes the adapter in PEFT's format: adapter_config.json and adapter_model.safetensors, in float32.
     *
     * @param folder the folder, made if absent
     * @throws IOException if a file cannot be written; files that were there before stay whole
     */
    @SuppressWarnings("try") // the lease is only held
    public void save(Path folder) throws IOException {
        try (Lifetime.Lease use = use()) {
            AdapterWriter.write(folder, parameters.config(), parameters.modules(), parameters.whole());
        }
    }

    @Override
    public Lifetime.Lease use() {
        return lifetime.use();
    }

    /** Releases the tensors, after the step or the call that another thread may be in. Closing again does nothing. */
    @Override
    public void close() {
        lifetime.close(() -> {
            decoder.close();
            manager.close();
        });
    }
}
