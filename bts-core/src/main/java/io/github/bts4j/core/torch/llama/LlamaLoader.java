package io.github.bts4j.core.torch.llama;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.github.bts4j.core.checkpoint.Checkpoint;
import io.github.bts4j.core.checkpoint.OpenedFiles;
import io.github.bts4j.core.llama.LlamaConfig;
import io.github.bts4j.core.llama.LlamaTensors;
import io.github.bts4j.core.llama.Precision;
import io.github.bts4j.core.support.ElementType;
import io.github.bts4j.core.torch.TensorLoader;
import io.github.bts4j.core.torch.Tensors;
import io.github.bts4j.core.torch.Torch;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.UnaryOperator;

/** Loads models from checkpoint folders and GGUF files, or creates them from tensors; see {@link LlamaModel#open} and {@link LlamaModel#of}. */
final class LlamaLoader {
    private LlamaLoader() {
    }

    static LlamaModel open(Path folder, LoadOptions options) throws IOException {
        OpenedFiles files = OpenedFiles.of(folder);
        if (Checkpoint.isGguf(folder)) {
            GgufLlama gguf = GgufLlama.open(folder);
            ElementType type = options.precision().orElse(gguf.config().dtype()).elementType();
            return open(files, folder, options, gguf.config(), options.quantization().isPresent(), type, (owner, names) -> gguf.load(owner, names, type, options.mapping()));
        }
        StoredTensors stored = StoredTensors.read(folder);
        ElementType type = options.precision().map(Precision::elementType).orElseGet(stored::type);
        boolean int8 = options.quantization().isPresent() || stored.isInt8();
        UnaryOperator<ElementType> conversion = kept -> int8 ? kept : type; // quantised from the stored type
        return open(files, folder, options, stored.config(), int8, type, (owner, names) -> new TensorLoader(owner, conversion, options.mapping()).load(stored.entries(names)));
    }

    private static LlamaModel open(OpenedFiles files, Path folder, LoadOptions options, LlamaConfig config, boolean int8, ElementType type, Int8Weights.Source source)
            throws IOException {
        NDManager manager = Torch.manager().newSubManager(options.device());
        try {
            Set<String> names = LlamaTensors.shapes(config).keySet();
            Map<String, NDArray> tensors = int8 ? Int8Weights.load(manager, names, options.quantization().isPresent(), type, source) : source.load(manager, names);
            LlamaModel model = new LlamaModel(folder.toAbsolutePath().normalize().getFileName().toString(), manager, config, type, tensors, LlamaRows.Choice.of(options.repacking()));
            files.requireUnchanged();
            return model.from(folder, files, options.mapping() && !options.device().isGpu());
        } catch (IOException | RuntimeException e) {
            manager.close();
            throw e;
        }
    }

    static LlamaModel of(String name, LlamaConfig config, Map<String, NDArray> tensors, LoadOptions options) {
        Map<String, List<Long>> shapes = new LinkedHashMap<>();
        tensors.forEach((tensor, array) -> shapes.put(tensor, longs(array.getShape().getShape())));
        LlamaTensors.check(config, shapes, Path.of(name));
        ElementType type = options.precision().orElse(config.dtype()).elementType();
        NDManager manager = Torch.manager().newSubManager(options.device());
        try (NDManager scope = manager.newSubManager()) {
            Map<String, NDArray> copies = new LinkedHashMap<>();
            for (String tensor : LlamaTensors.shapes(config).keySet()) {
                NDArray placed = Tensors.place(scope, tensors.get(tensor), type, options.device());
                copies.put(tensor, Tensors.copy(options.quantization().isPresent() ? scope : manager, placed, type));
            }
            Map<String, NDArray> own = options.quantization().isEmpty() ? copies
                    : Int8Weights.load(manager, copies.keySet(), true, type, (owner, names) -> copies);
            return new LlamaModel(name, manager, config, type, own, LlamaRows.Choice.of(options.repacking()));
        } catch (RuntimeException e) {
            manager.close();
            throw e;
        } catch (IOException e) {
            manager.close();
            throw new UncheckedIOException(e);
        }
    }

    private static List<Long> longs(long[] shape) {
        return Arrays.stream(shape).boxed().toList();
    }
}
