package io.github.bts4j.train;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.github.bts4j.core.Lifetime;
import io.github.bts4j.core.adapter.Adapter;
import io.github.bts4j.core.adapter.AdapterConfig;
import io.github.bts4j.core.adapter.AdapterTensorLoader;
import io.github.bts4j.core.adapter.AdapterWriter;
import io.github.bts4j.core.llama.LlamaConfig;
import io.github.bts4j.core.llama.LlamaTensors;
import io.github.bts4j.core.support.ElementType;
import io.github.bts4j.core.torch.Autograd;
import io.github.bts4j.core.torch.FiniteTensors;
import io.github.bts4j.core.torch.LlamaWeights;
import io.github.bts4j.core.torch.Tensors;
import io.github.bts4j.core.torch.Torch;
import io.github.bts4j.core.torch.llama.KernelWeights;
import io.github.bts4j.core.torch.llama.LlamaModel;
import io.github.bts4j.stitch.PassOptions;
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
public final class AdapterTraining extends LlamaTraining<AdapterTraining> {
    private static final String TABLE = "model.embed_tokens.weight";
    private static final String HEAD = "lm_head.weight";

    private final ElementType type;
    private final Map<String, NDArray> frozen;
    private final AdapterParameters parameters;
    private final Map<String, String> identity = new LinkedHashMap<>();
    private Optional<TrainingSource.Adapters> start = Optional.empty();

    /** Makes the trained tensors. */
    private interface Start {
        AdapterParameters of(NDManager manager, Map<String, NDArray> base) throws IOException;
    }

    private AdapterTraining(LlamaModel base, NDManager manager, Map<String, NDArray> frozen, AdapterParameters parameters) {
        super(base.config(), manager, frozen, base.type());
        this.type = base.type();
        this.frozen = frozen;
        this.parameters = parameters;
        identity.put("base", StartingWeights.sha256(frozen));
        identity.put("base type", type.name());
        identity.put("adapter", parameters.config().toString());
        identity.put(StartingWeights.NAME, StartingWeights.sha256(parameters.named()));
    }

    @SuppressWarnings("try") // the lease is only held
    private static AdapterTraining of(LlamaModel base, Start start) throws IOException {
        base.requireFullWeights("the base of an adapter in training");
        NDManager manager = Torch.manager().newSubManager(base.device());
        try (Lifetime.Lease use = base.lifetime().use()) {
            FiniteTensors.require(base.getName(), base.tensors());
            Map<String, NDArray> frozen = new LinkedHashMap<>();
            base.tensors().forEach((name, tensor) -> frozen.put(name, Tensors.place(manager, tensor, base.type(), base.device()))); // the base's memory, with separate handles
            return new AdapterTraining(base, manager, frozen, start.of(manager, frozen));
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
            return of(base, (manager, tensors) -> AdapterParameters.start(manager, config, tensors, seed)).startingAt(base, AdapterWriter.text(config), "");
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
        return of(base, (manager, tensors) -> {
            AdapterTensorLoader loader = new AdapterTensorLoader(manager, ElementType.FLOAT32);
            return new AdapterParameters(adapter.config(), loader.modules(adapter), loader.whole(adapter)).checked();
        }).startingAt(base, "", folder.toAbsolutePath().normalize().toString());
    }

    /** With what another process begins with: a configuration, or an adapter's folder. */
    private AdapterTraining startingAt(LlamaModel base, String configuration, String folder) {
        boolean files = base.getModelPath() != null && !base.device().isGpu();
        start = files ? Optional.of(TrainingSource.Adapters.of(base, configuration, folder)) : Optional.empty();
        return this;
    }

    @Override
    public Optional<TrainingSource> source() {
        PassOptions plain = PassOptions.DEFAULT.withCheckpointing(checkpointing());
        PassOptions options = mask().map(plain::withDocumentMask).orElse(plain);
        return start.map(at -> TrainingSource.adapter(at, options));
    }

    @Override
    public Map<String, NDArray> parameters() {
        return parameters.named();
    }

    @Override
    Weights weights(NDManager step, Autograd mode) {
        Map<String, NDArray> all = parameters.beside(step, mode, frozen, type);
        LlamaConfig config = dimensions();
        boolean tied = config.tieWordEmbeddings() && !parameters.whole().containsKey(TABLE) && !parameters.whole().containsKey(HEAD);
        if (config.tieWordEmbeddings() && !tied) {
            all.putIfAbsent(HEAD, frozen.get(TABLE));
        }
        LlamaWeights llama = KernelWeights.of(KERNELS, mode, all, config, type, tied);
        return new Weights(llama, all.get(tied ? TABLE : HEAD), llama::close);
    }

    @Override
    Map<String, String> unmasked() {
        return new LinkedHashMap<>(identity);
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
}
