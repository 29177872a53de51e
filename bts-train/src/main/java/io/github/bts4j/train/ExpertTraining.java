package io.github.bts4j.train;

import ai.djl.Device;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.github.bts4j.core.Lifetime;
import io.github.bts4j.core.checkpoint.Checkpoint;
import io.github.bts4j.core.llama.LlamaConfig;
import io.github.bts4j.core.llama.LlamaTensors;
import io.github.bts4j.core.llama.Precision;
import io.github.bts4j.core.llama.family.NormWeight;
import io.github.bts4j.core.support.ElementType;
import io.github.bts4j.core.torch.Autograd;
import io.github.bts4j.core.torch.FiniteTensors;
import io.github.bts4j.core.torch.FrozenLm;
import io.github.bts4j.core.torch.LlamaWeights;
import io.github.bts4j.core.torch.Tensors;
import io.github.bts4j.core.torch.Torch;
import io.github.bts4j.core.torch.llama.KernelWeights;
import io.github.bts4j.core.torch.llama.LlamaModel;
import io.github.bts4j.stitch.PassOptions;
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
public final class ExpertTraining extends LlamaTraining<ExpertTraining> {
    private static final String TABLE = "model.embed_tokens.weight";
    private static final String HEAD = "lm_head.weight";

    private final Map<String, NDArray> weights;
    private final String start;
    private boolean mixed;
    private Set<String> frozen = Set.of();
    private Optional<Path> seed = Optional.empty();
    private Precision rounding = Precision.FLOAT32;

    private ExpertTraining(LlamaConfig config, NDManager manager, Map<String, NDArray> weights) {
        super(config.withDtype(Precision.FLOAT32), manager, weights, ElementType.FLOAT32);
        this.weights = weights;
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
            ExpertTraining training = new ExpertTraining(seed.config(), manager, weights);
            training.seed = Optional.ofNullable(seed.getModelPath());
            training.rounding = seed.precision();
            return training;
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
        this.frozen = Set.of(TABLE, "model.norm.weight", HEAD);
        return this;
    }

    /**
     * Computes each pass in bfloat16, from the float32 weights rounded again; weights, the sum of a step's gradients and the optimizer's moments stay float32. On processors with bfloat16 products
     * a pass takes half the time or less, and its activations half the memory. Losses are those of the model in bfloat16.
     *
     * @return this training
     */
    public ExpertTraining withMixedPrecision() {
        computeIn(MixedPrecision.TYPE, weights);
        mixed = true;
        return this;
    }

    /** {@return the model's dimensions, with float32 as their type} */
    public LlamaConfig config() {
        return dimensions();
    }

    @Override
    public Optional<TrainingSource> source() {
        PassOptions plain = PassOptions.DEFAULT.withCheckpointing(checkpointing());
        PassOptions options = mask().map(plain::withDocumentMask).orElse(plain);
        return mixed ? Optional.empty() : seed.map(path -> TrainingSource.expert(path, rounding, !frozen.isEmpty(), options));
    }

    @Override
    Weights weights(NDManager step, Autograd mode) {
        if (!mixed) {
            return new Weights(decoder().weights(), decoder().head(step), () -> { });
        }
        Map<String, NDArray> rounded = MixedPrecision.rounded(step, mode, weights, name -> !frozen.contains(name));
        boolean tied = config().tieWordEmbeddings();
        LlamaWeights llama = KernelWeights.of(KERNELS, mode, rounded, config(), MixedPrecision.TYPE, tied);
        return new Weights(llama, rounded.get(tied ? TABLE : HEAD), llama::close);
    }

    @Override
    Map<String, String> unmasked() {
        Map<String, String> identity = new LinkedHashMap<>(Map.of("model", config().toString(), StartingWeights.NAME, start));
        if (!frozen.isEmpty()) {
            identity.put("frozen", String.valueOf(new TreeSet<>(frozen)));
        }
        if (mixed) {
            MixedPrecision.identify(identity);
        }
        return identity;
    }

    /**
     * A frozen copy of the current weights, for evaluation and generation.
     *
     * @param name the model's name
     * @return the model, which the caller closes
     */
    @SuppressWarnings("try") // the lease is only held
    public FrozenLm freeze(String name) {
        try (Lifetime.Lease use = use(); NDManager scope = manager().newSubManager()) {
            Map<String, NDArray> detached = new LinkedHashMap<>();
            weights.forEach((tensor, array) -> detached.put(tensor, attached(scope, array.stopGradient())));
            return LlamaModel.of(name, config(), detached, io.github.bts4j.core.torch.llama.LoadOptions.defaults().withDevice(manager().getDevice()));
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
            LlamaModel.writeWeights(folder.resolve("model.safetensors"), config(), weights);
        }
        config().write(folder.resolve("config.json"));
    }
}
