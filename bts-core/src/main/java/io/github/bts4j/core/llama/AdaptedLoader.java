package io.github.bts4j.core.llama;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.github.bts4j.core.adapter.Adapter;
import io.github.bts4j.core.adapter.AdapterMerge;
import io.github.bts4j.core.checkpoint.OpenedFiles;
import io.github.bts4j.core.torch.Tensors;
import io.github.bts4j.core.torch.Torch;
import io.github.bts4j.core.torch.TorchType;
import java.io.IOException;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;

/** Loads models that are written down as adapters of a base; see {@link LlamaModel#open(Path, Path, LoadOptions)}. */
final class AdaptedLoader {
    private AdaptedLoader() {
    }

    static LlamaModel open(Path base, Path folder, LoadOptions options) throws IOException {
        if (options.quantization().isPresent()) {
            throw new IllegalArgumentException("quantization = " + options.quantization().get() + " of " + folder + ": an adapter is merged into unquantised weights. Merge it, save the model, and"
                    + " quantise that");
        }
        OpenedFiles files = OpenedFiles.of(base, Adapter.files(folder));
        try (LlamaModel loaded = LlamaModel.open(base, options.withRepacking(false))) {
            loaded.requireUnquantized("given an adapter");
            LlamaModel model = merged(loaded, Adapter.open(folder, LlamaTensors.shapes(loaded.config())), options.repack());
            try {
                files.requireUnchanged();
                return model.from(folder, files, options.mapping() && !options.device().isGpu());
            } catch (RuntimeException e) {
                model.close();
                throw e;
            }
        }
    }

    private static LlamaModel merged(LlamaModel base, Adapter adapter, Optional<Boolean> repack) throws IOException {
        NDManager manager = Torch.manager().newSubManager(base.device());
        try {
            Map<String, NDArray> own = new LinkedHashMap<>();
            base.tensors().forEach((name, tensor) -> own.put(name, Tensors.place(manager, tensor, base.type(), base.device()))); // the base's memory under handles of its own
            Map<String, NDArray> merged = new AdapterMerge(manager, base.type()).merge(adapter, own);
            LlamaConfig config = fitting(base.config(), merged);
            return new LlamaModel(adapter.folder().toAbsolutePath().normalize().getFileName().toString(), manager, config, base.type(), complete(manager, config, merged, base.type()), repack);
        } catch (IOException | RuntimeException e) {
            manager.close();
            throw e;
        }
    }

    /** The base's configuration, with a head and biases of its own where the adapter made some. */
    private static LlamaConfig fitting(LlamaConfig base, Map<String, NDArray> tensors) {
        boolean attention = tensors.keySet().stream().anyMatch(name -> name.contains(".self_attn.") && name.endsWith(".bias"));
        boolean mlp = tensors.keySet().stream().anyMatch(name -> name.contains(".mlp.") && name.endsWith(".bias"));
        return base.toBuilder().attentionBias(attention).mlpBias(mlp).tieWordEmbeddings(!tensors.containsKey("lm_head.weight")).build();
    }

    /** The tensors in the order of the name table; a bias that only other modules have is zero. */
    private static Map<String, NDArray> complete(NDManager manager, LlamaConfig config, Map<String, NDArray> tensors, TorchType type) {
        Map<String, NDArray> complete = new LinkedHashMap<>();
        LlamaTensors.shapes(config).forEach((name, shape) -> complete.put(name, tensors.containsKey(name) ? tensors.get(name)
                : Tensors.zeros(manager, type, manager.getDevice(), shape.stream().mapToLong(Long::longValue).toArray())));
        return complete;
    }
}
