package io.github.bts4j.train;

import ai.djl.Device;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.github.bts4j.core.Lifetime;
import io.github.bts4j.core.TokenBatch;
import io.github.bts4j.core.checkpoint.Checkpoint;
import io.github.bts4j.core.llama.LlamaConfig;
import io.github.bts4j.core.llama.LlamaTensors;
import io.github.bts4j.core.llama.Precision;
import io.github.bts4j.core.llama.family.NormWeight;
import io.github.bts4j.core.support.ElementType;
import io.github.bts4j.core.torch.ActivationCheckpointing;
import io.github.bts4j.core.torch.Autograd;
import io.github.bts4j.core.torch.FiniteTensors;
import io.github.bts4j.core.torch.FrozenLm;
import io.github.bts4j.core.torch.Kernels;
import io.github.bts4j.core.torch.NextTokenLoss;
import io.github.bts4j.core.torch.Tensors;
import io.github.bts4j.core.torch.Torch;
import io.github.bts4j.core.torch.TrainingKernels;
import io.github.bts4j.core.torch.llama.Decoder;
import io.github.bts4j.core.torch.llama.DocumentMask;
import io.github.bts4j.core.torch.llama.DocumentRows;
import io.github.bts4j.core.torch.llama.LlamaModel;
import io.github.bts4j.core.torch.llama.RopeRows;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.TreeSet;

/**
 * Trains all weights of one Llama model: a seed from random weights, or an expert branched from a seed (arXiv 2502.00075,
 * section 3, phases 1 and 2). The weights are float32 copies; the original model is not changed.
 *
 * <p>Not thread-safe.
 */
public final class ExpertTraining implements Trainable, AutoCloseable {
    static final TrainingKernels KERNELS = Kernels.of(TrainingKernels.class);

    private final Lifetime lifetime = Lifetime.shared("training");
    private final LlamaConfig config;
    private final NDManager manager;
    private final Map<String, NDArray> weights;
    private final Decoder decoder;
    private final String start;
    private ActivationCheckpointing checkpointing = ActivationCheckpointing.OFF;
    private Optional<DocumentMask> documentMask = Optional.empty();
    private Set<String> frozen = Set.of();

    private ExpertTraining(LlamaConfig config, NDManager manager, Map<String, NDArray> weights) {
        this.config = config.withDtype(Precision.FLOAT32);
        this.manager = manager;
        this.weights = weights;
        this.decoder = new Decoder(config, weights, manager, ElementType.FLOAT32);
        this.start = StartingWeights.sha256(weights);
    }

    /**
     * A new model with random weights: matrices normal with the given deviation, norms one (zero where they multiply by one more than their weight), biases zero. The matrices that write
     * into the residual stream (o_proj, down_proj) start smaller by {@code 1 / sqrt(2 L)}, so that its variance does not grow
     * with depth (Radford et al. 2019, GPT-2, section 2.3).
     *
     * @param config the model's dimensions
     * @param deviation standard deviation of the matrices; transformers' {@code initializer_range} is 0.02
     * @param seed seed of the weights; the same seed gives the same weights on every machine
     * @param device where to train
     * @return the training, which the caller closes
     */
    public static ExpertTraining fromScratch(LlamaConfig config, double deviation, long seed, Device device) {
        NDManager manager = Torch.manager().newSubManager(device);
        SplittableRandom random = new SplittableRandom(seed);
        Map<String, NDArray> weights = new LinkedHashMap<>();
        LlamaTensors.shapes(config).forEach((name, shape) -> weights.put(name, initial(manager, name, shape, deviationOf(name, config, deviation), normWeight(config), random)));
        return new ExpertTraining(config, manager, weights);
    }

    private static double deviationOf(String name, LlamaConfig config, double deviation) {
        boolean writesResidual = name.endsWith("o_proj.weight") || name.endsWith("down_proj.weight");
        return writesResidual ? deviation / Math.sqrt(2.0 * config.numLayers()) : deviation;
    }

    /** The weight with which a norm changes nothing. */
    private static float normWeight(LlamaConfig config) {
        return config.traits().family().spec().normWeight() == NormWeight.ONE_PLUS ? 0 : 1;
    }

    private static NDArray initial(NDManager manager, String name, List<Long> shape, double deviation, float norm, SplittableRandom random) {
        int size = Math.toIntExact(shape.stream().reduce(1L, Math::multiplyExact));
        float[] values = new float[size];
        for (int i = 0; i < size; i++) {
            values[i] = shape.size() > 1 ? (float) (deviation * random.nextGaussian()) : name.endsWith(".bias") ? 0f : norm;
        }
        return Tensors.of(manager, values, shape.stream().mapToLong(Long::longValue).toArray());
    }

    /**
     * Copies a model's weights: the phase "branch".
     *
     * @param seed the model to copy the weights of
     * @return the training, on the model's device, which the caller closes
     * @throws IllegalStateException if its weights are quantised
     * @throws io.github.bts4j.core.FileFormatException if a weight is NaN or infinite
     */
    @SuppressWarnings("try") // the lease is only held
    public static ExpertTraining branch(LlamaModel seed) {
        seed.requireFullWeights("branched from");
        try (Lifetime.Lease use = seed.lifetime().use()) {
            FiniteTensors.require(seed.getName(), seed.tensors());
            NDManager manager = Torch.manager().newSubManager(seed.device());
            Map<String, NDArray> weights = new LinkedHashMap<>();
            seed.tensors().forEach((name, tensor) -> weights.put(name, Tensors.copy(manager, tensor, ElementType.FLOAT32)));
            return new ExpertTraining(seed.config(), manager, weights);
        }
    }

    @Override
    public Map<String, NDArray> parameters() {
        Map<String, NDArray> trained = new LinkedHashMap<>(weights);
        trained.keySet().removeAll(frozen);
        return trained;
    }

    /**
     * Freezes the embeddings, the final norm and the head. A stitched model applies the hub's final norm and head to every stream, so what an expert learns in its own
     * is lost. In the repository's experiment, the hub's head on an expert's layers lost two fifths of what the expert had gained (docs/results.md).
     *
     * @return this training
     */
    public ExpertTraining withFrozenEmbeddings() {
        this.frozen = Set.of("model.embed_tokens.weight", "model.norm.weight", "lm_head.weight");
        return this;
    }

    @Override
    public NDManager manager() {
        return manager;
    }

    /**
     * The model's dimensions.
     *
     * @return the configuration, with float32 as its type
     */
    public LlamaConfig config() {
        return config;
    }

    @Override
    @SuppressWarnings("try") // the lease is only held
    public float[] accumulateGradients(int[][] tokens, float tokenWeight, long seed) {
        int width = TokenBatch.width(tokens);
        try (Lifetime.Lease use = use(); NDManager step = manager.newSubManager(); RopeRows rope = decoder.rope(0, width - 1)) {
            TokenBatch.NextTokens next = TokenBatch.nextTokens(step, tokens, config.vocabSize());
            if (documentMask.isEmpty()) {
                return pass(step, rope, next, tokenWeight);
            }
            try (RopeRows masked = rope.masked(documentMask.get().of(step, next.ids()))) {
                return pass(step, masked, next, tokenWeight);
            }
        }
    }

    @Override
    @SuppressWarnings("try") // the lease is only held
    public float[] accumulateGradients(DocumentRows rows, float tokenWeight, long seed) {
        DocumentRows numbered = documentMask.map(mask -> rows.numbered(mask)).orElseGet(rows::numbered);
        try (Lifetime.Lease use = use(); NDManager step = manager.newSubManager(); RopeRows rope = decoder.rope(0, TokenBatch.width(rows.tokens()) - 1);
                RopeRows masked = rope.masked(numbered.mask(step))) {
            return pass(step, masked, numbered.nextTokens(step, config.vocabSize()), tokenWeight);
        }
    }

    private float[] pass(NDManager step, RopeRows rope, TokenBatch.NextTokens next, float tokenWeight) {
        if (checkpointing != ActivationCheckpointing.OFF) {
            return new CheckpointedPass(step, decoder, rope, checkpointing).run(next, tokenWeight);
        }
        NDArray hidden = KERNELS.forwardHidden(step, Autograd.ON, next.ids(), decoder.weights(), rope.tensors(), rope.row());
        return NextTokenLoss.backward(KERNELS, step, hidden, decoder.head(step), next.labels(), tokenWeight);
    }

    /**
     * Restricts attention in training to tokens of the same document; validation attends to the whole window.
     *
     * @param documentMask how documents are separated
     * @return this training
     */
    public ExpertTraining withDocumentMask(DocumentMask documentMask) {
        this.documentMask = Optional.of(documentMask);
        return this;
    }

    /**
     * Sets which activations of a pass are kept; a block is a layer.
     *
     * @param checkpointing which activations are kept, and which are recomputed
     * @return this training
     */
    public ExpertTraining withCheckpointing(ActivationCheckpointing checkpointing) {
        this.checkpointing = checkpointing;
        return this;
    }

    @Override
    @SuppressWarnings("try") // the lease is only held
    public float[][] tokenLosses(int[][] tokens) {
        int width = TokenBatch.width(tokens);
        try (Lifetime.Lease use = use(); NDManager step = manager.newSubManager(); RopeRows rope = decoder.rope(0, width - 1)) {
            TokenBatch.NextTokens next = TokenBatch.nextTokens(step, tokens, config.vocabSize());
            NDArray hidden = KERNELS.forwardHidden(step, Autograd.OFF, next.ids(), decoder.weights(), rope.tensors(), rope.row());
            return TokenBatch.rows(NextTokenLoss.of(KERNELS, step, hidden, decoder.head(step), next.labels()).toFloatArray(), tokens.length);
        }
    }

    @Override
    public void weightsChanged() {
        // nothing to do: every pass reads the weights directly
    }

    @Override
    public Map<String, String> identity() {
        Map<String, String> identity = new LinkedHashMap<>(Map.of("model", config.toString(), StartingWeights.NAME, start));
        if (!frozen.isEmpty()) {
            identity.put("frozen", String.valueOf(new TreeSet<>(frozen)));
        }
        return documentMask.map(mask -> mask.addTo(identity)).orElse(identity);
    }

    /**
     * A frozen copy of the current weights, for evaluation and generation.
     *
     * @param name the model's name
     * @return the model, which the caller closes
     */
    @SuppressWarnings("try") // the lease is only held
    public FrozenLm freeze(String name) {
        try (Lifetime.Lease use = use(); NDManager scope = manager.newSubManager()) {
            Map<String, NDArray> detached = new LinkedHashMap<>();
            weights.forEach((tensor, array) -> detached.put(tensor, attached(scope, array.stopGradient())));
            return LlamaModel.of(name, config, detached, io.github.bts4j.core.torch.llama.LoadOptions.defaults().withDevice(manager.getDevice()));
        }
    }

    private static NDArray attached(NDManager scope, NDArray array) {
        array.attach(scope);
        return array;
    }

    /**
     * Writes the model as a Hugging Face checkpoint (config.json and model.safetensors), with the tokenizer's files beside it.
     *
     * @param folder the folder, made if absent
     * @param tokenizer folder with tokenizer.json, and tokenizer_config.json if there is one
     * @throws IOException if a file cannot be read or written; files that were there before stay whole
     * @throws io.github.bts4j.core.OutputException if the folder holds shards
     */
    @SuppressWarnings("try") // the lease is only held
    public void save(Path folder, Path tokenizer) throws IOException {
        Checkpoint.requireNoShards(folder);
        Files.createDirectories(folder);
        for (String file : List.of("tokenizer.json", "tokenizer_config.json")) {
            if (Files.exists(tokenizer.resolve(file))) {
                io.github.bts4j.core.checkpoint.AtomicFiles.write(folder.resolve(file), Files.readAllBytes(tokenizer.resolve(file)));
            }
        }
        try (Lifetime.Lease use = use()) {
            LlamaModel.writeWeights(folder.resolve("model.safetensors"), config, weights);
        }
        config.write(folder.resolve("config.json"));
    }

    @Override
    public Lifetime.Lease use() {
        return lifetime.use();
    }

    /** Releases the weights, after any step or call that another thread is running. Closing twice does nothing. */
    @Override
    public void close() {
        lifetime.close(() -> {
            decoder.close();
            manager.close();
        });
    }
}
