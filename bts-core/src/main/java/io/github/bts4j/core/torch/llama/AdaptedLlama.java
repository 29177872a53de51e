package io.github.bts4j.core.torch.llama;


import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.github.bts4j.core.Lifetime;
import io.github.bts4j.core.adapter.Adapter;
import io.github.bts4j.core.adapter.AdapterMerge;
import io.github.bts4j.core.checkpoint.OpenedFiles;
import io.github.bts4j.core.llama.LlamaConfig;
import io.github.bts4j.core.llama.LlamaTensors;
import io.github.bts4j.core.llama.Repacking;
import io.github.bts4j.core.rows.Linear;
import io.github.bts4j.core.rows.RowDecoder;
import io.github.bts4j.core.support.ElementType;
import io.github.bts4j.core.torch.Tensors;
import io.github.bts4j.core.torch.Torch;
import java.io.IOException;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;

/** Loads models that are stored as adapters of a base model, in PEFT's or this library's format. */
public final class AdaptedLlama {
    private AdaptedLlama() {
    }

    /**
     * Loads a merged model: the adapter's part is added to the base's weights. Weights that the adapter does not change stay mapped, as with {@link LlamaModel#open}.
     *
     * @param base the folder or GGUF file of the base, with unquantised weights
     * @param folder a folder with adapter_config.json and adapter_model.safetensors
     * @param options device and precision
     * @return the model, which the caller closes; {@link LlamaModel#save} writes it as a full checkpoint
     * @throws IOException if a file cannot be read
     * @throws io.github.bts4j.core.checkpoint.ModelFormatException if a file is malformed, or the adapter belongs to another base or needs unsupported features
     * @throws IllegalArgumentException if quantisation is requested, or repacking is requested and not possible
     */
    public static LlamaModel merged(Path base, Path folder, LoadOptions options) throws IOException {
        if (options.quantization().isPresent()) {
            throw new IllegalArgumentException("quantization = " + options.quantization().get() + " with the adapter " + folder + ": adapters are added to weights of float32, bfloat16 or float16 only."
                    + " Load the base without quantization (--int8), or merge the two (bts convert BASE OUT --adapter " + folder + ") and quantise OUT");
        }
        OpenedFiles files = OpenedFiles.of(base, Adapter.files(folder));
        try (LlamaModel loaded = LlamaModel.open(base, options.withRepacking(Repacking.NEVER).withWeights(Weights.DEQUANTIZED))) {
            loaded.requireFullWeights("given an adapter");
            return checked(made(loaded, folder, any -> LlamaRows.Choice.of(options.repacking()), AdapterMerge::merge), folder, files, options);
        }
    }

    /**
     * Keeps the adapter beside its base: the model computes with the weights of a model that is loaded, in the same memory. Either may be closed first.
     *
     * @param base the base, with unquantised weights
     * @param baseFolder the folder or GGUF file that it was loaded from
     * @param folder a folder with adapter_config.json and adapter_model.safetensors
     * @param options the options that the base was loaded with
     * @return the model, which the caller closes
     * @throws IOException if a file cannot be read
     * @throws io.github.bts4j.core.checkpoint.ModelFormatException if a file is malformed, or the adapter belongs to another base or needs unsupported features
     * @throws IllegalStateException if the base is closed or its weights are quantised
     */
    public static LlamaModel beside(LlamaModel base, Path baseFolder, Path folder, LoadOptions options) throws IOException {
        OpenedFiles files = OpenedFiles.of(baseFolder, Adapter.files(folder));
        base.requireFullWeights("given an adapter");
        return checked(made(base, folder, adapter -> shared(base, adapter), AdapterMerge::beside), folder, files, options);
    }

    private static LlamaModel checked(LlamaModel model, Path folder, OpenedFiles files, LoadOptions options) {
        try {
            files.requireUnchanged();
            return model.from(folder, files, options.mapping() && !options.device().isGpu());
        } catch (RuntimeException e) {
            model.close();
            throw e;
        }
    }

    /** How an adapter is added to its base's tensors. */
    private interface Way {
        Map<String, NDArray> add(AdapterMerge merge, Adapter adapter, Map<String, NDArray> base) throws IOException;
    }

    @SuppressWarnings("try") // the lease is only held
    private static LlamaModel made(LlamaModel base, Path folder, Function<Adapter, LlamaRows.Choice> rows, Way way) throws IOException {
        Adapter adapter = Adapter.open(folder, LlamaTensors.shapes(base.config()));
        NDManager manager = Torch.manager().newSubManager(base.device());
        try (Lifetime.Lease use = base.lifetime().use()) {
            Map<String, NDArray> own = new LinkedHashMap<>();
            base.tensors().forEach((name, tensor) -> own.put(name, Tensors.place(manager, tensor, base.type(), base.device()))); // the base's memory, with separate handles
            Map<String, NDArray> added = way.add(new AdapterMerge(manager, base.type()), adapter, own);
            LlamaConfig config = fitting(base.config(), added);
            String name = folder.toAbsolutePath().normalize().getFileName().toString();
            return new LlamaModel(name, manager, config, base.type(), complete(manager, config, added, base.type()), rows.apply(adapter));
        } catch (IOException | RuntimeException e) {
            manager.close();
            throw e;
        }
    }

    /** The base's products, except those whose matrices the adapter replaces. */
    private static LlamaRows.Choice shared(LlamaModel base, Adapter adapter) {
        Map<String, Linear> shared = new HashMap<>(base.decoder().linears());
        boolean repacked = base.decoder().rows().map(RowDecoder::isRepacked).orElse(false);
        adapter.whole().keySet().forEach(name -> shared.remove(name.substring(0, name.lastIndexOf('.'))));
        shared.keySet().removeIf(name -> !name.startsWith("model.layers.") && adapter.modules().containsKey(name));
        return new LlamaRows.Choice(shared.isEmpty() ? Repacking.AUTOMATIC : repacked ? Repacking.ALWAYS : Repacking.NEVER, shared, adapter.sharesLayers() ? Optional.of(base.decoder()) : Optional.empty());
    }

    /** The base's configuration, with a separate head and biases if the adapter has them. */
    private static LlamaConfig fitting(LlamaConfig base, Map<String, NDArray> tensors) {
        boolean attention = tensors.keySet().stream().anyMatch(name -> name.contains(".self_attn.") && name.endsWith(".bias"));
        boolean mlp = tensors.keySet().stream().anyMatch(name -> name.contains(".mlp.") && name.endsWith(".bias"));
        return base.toBuilder().attentionBias(attention).mlpBias(mlp).tieWordEmbeddings(!tensors.containsKey("lm_head.weight")).build();
    }

    /** The tensors in the order of the name table, then all others; a bias that only other modules have is zero. */
    private static Map<String, NDArray> complete(NDManager manager, LlamaConfig config, Map<String, NDArray> tensors, ElementType type) {
        Map<String, NDArray> complete = new LinkedHashMap<>();
        LlamaTensors.shapes(config).forEach((name, shape) -> complete.put(name, tensors.containsKey(name) ? tensors.get(name)
                : Tensors.zeros(manager, type, manager.getDevice(), shape.stream().mapToLong(Long::longValue).toArray())));
        tensors.forEach(complete::putIfAbsent);
        return complete;
    }
}
