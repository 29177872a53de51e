package io.github.bts4j.core.adapter;

import static io.github.bts4j.core.support.Problems.throwIf;

import io.github.bts4j.core.checkpoint.Checkpoint;
import io.github.bts4j.core.checkpoint.ModelFormatException;
import io.github.bts4j.core.checkpoint.TensorEntry;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;

/**
 * An adapter's files, checked for consistency with each other and with the base. Only headers are read.
 *
 * @param folder the folder
 * @param config the content of adapter_config.json
 * @param modules the low-rank parts by the full names of their modules, such as {@code model.layers.0.self_attn.q_proj}
 * @param whole tensors that take the place of the base's, by the base's names, such as {@code lm_head.weight}
 */
public record Adapter(Path folder, AdapterConfig config, Map<String, LowRank<TensorEntry>> modules, Map<String, TensorEntry> whole) {
    /** The file of the tensors. */
    public static final String WEIGHTS = "adapter_model.safetensors";

    private static final String PICKLED = "adapter_model.bin";

    /**
     * Whether a folder holds an adapter.
     *
     * @param path any path
     * @return true if there is an adapter_config.json in it and no configuration of a full model
     */
    public static boolean isAdapter(Path path) {
        return Files.isRegularFile(path.resolve(AdapterConfig.FILE)) && !Files.exists(path.resolve("config.json"));
    }

    /**
     * Reads an adapter for a base.
     *
     * @param folder a folder with adapter_config.json and adapter_model.safetensors
     * @param base the names and shapes of the base's tensors
     * @return the adapter
     * @throws IOException if a file cannot be read
     * @throws ModelFormatException if a file is malformed or needs unsupported features, the files do not match, or they do not fit the base
     */
    public static Adapter open(Path folder, Map<String, List<Long>> base) throws IOException {
        throwIf(!Files.isDirectory(folder),
                () -> new ModelFormatException(folder, Files.exists(folder) ? "is not a folder: use the one with " + AdapterConfig.FILE : "does not exist"));
        throwIf(!Files.isRegularFile(folder.resolve(AdapterConfig.FILE)),
                () -> new ModelFormatException(folder, "holds no " + AdapterConfig.FILE + ": is it the folder of an adapter that PEFT saved?"));
        AdapterConfig config = AdapterConfig.read(folder);
        Path weights = weights(folder);
        return new AdapterTensors(weights, config, base).read(folder, Checkpoint.open(weights).entries());
    }

    /**
     * The file of an adapter's tensors.
     *
     * @param folder the adapter's folder
     * @return the file
     * @throws ModelFormatException if it is absent, or the tensors are in a pickled file
     */
    public static Path weights(Path folder) {
        Path weights = folder.resolve(WEIGHTS);
        throwIf(!Files.isRegularFile(weights), () -> new ModelFormatException(folder, Files.exists(folder.resolve(PICKLED))
                ? "holds " + PICKLED + ", a pickled file, which could run any code: save the adapter as safetensors (save_pretrained, safe_serialization=True)"
                : "holds no " + WEIGHTS));
        return weights;
    }

    /**
     * Whether the model's layers are the base's with low-rank matrices beside them, so that tokens of both can be rows of one product.
     *
     * @return false if a norm, a bias or a matrix of a layer is replaced
     */
    public boolean sharesLayers() {
        return !config.loraBias() && whole.keySet().stream().noneMatch(name -> name.startsWith("model.layers."));
    }

    /**
     * The files of an adapter that may be in a folder.
     *
     * @param folder the folder
     * @return configuration and tensors
     */
    public static List<Path> files(Path folder) {
        return List.of(folder.resolve(AdapterConfig.FILE), folder.resolve(WEIGHTS));
    }
}
