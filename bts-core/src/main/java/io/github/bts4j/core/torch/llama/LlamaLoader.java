package io.github.bts4j.core.torch.llama;

import static io.github.bts4j.core.support.Problems.throwIf;

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

    static void checkTensors(Path folder) throws IOException {
        if (Checkpoint.isGguf(folder)) {
            GgufLlama.open(folder);
        } else {
            StoredTensors.read(folder);
        }
    }

    static LlamaModel open(Path folder, LoadOptions options) throws IOException {
        OpenedFiles files = OpenedFiles.of(folder);
        if (Checkpoint.isGguf(folder)) {
            GgufLlama gguf = GgufLlama.open(folder);
            ElementType type = options.precision().orElse(gguf.config().dtype()).elementType();
            return open(files, folder, options, gguf.config(), true, type, (owner, names) -> gguf.load(owner, names, type, options));
        }
        StoredTensors stored = StoredTensors.read(folder);
        ElementType type = options.precision().map(Precision::elementType).orElseGet(stored::type);
        boolean all = options.quantization().isPresent();
        LoadOptions fitting = !all && stored.isInt8() ? options.withQuantization(Quantization.INT8) : options;
        throwIf(stored.isInt8() && fitting.quantization().get() == Quantization.INT4,
                () -> new IllegalArgumentException("quantization = INT4, but the weights in " + folder + " are int8, rounded already: quantise the checkpoint that they were rounded from"));
        UnaryOperator<ElementType> conversion = kept -> fitting.quantization().isPresent() ? kept : type; // quantised from the stored type
        return open(files, folder, fitting, stored.config(), all, type, (owner, names) -> new TensorLoader(owner, conversion, options.mapping()).load(stored.entries(names)));
    }

    private static LlamaModel open(OpenedFiles files, Path folder, LoadOptions options, LlamaConfig config, boolean all, ElementType type, Int8Weights.Source source)
            throws IOException {
        NDManager manager = Torch.manager().newSubManager(options.device());
        try {
            Set<String> names = LlamaTensors.shapes(config).keySet();
            Map<String, NDArray> tensors = options.quantization().isEmpty() ? source.load(manager, names) : quantised(manager, names, options.quantization().get(), all, type, source);
            LlamaModel model = new LlamaModel(folder.toAbsolutePath().normalize().getFileName().toString(), manager, config, type, tensors, LlamaRows.Choice.of(options.repacking()));
            files.requireUnchanged();
            options.quantization().ifPresent(model::quantizedBy);
            return model.from(folder, files, options.mapping() && !options.device().isGpu());
        } catch (IOException | RuntimeException e) {
            manager.close();
            throw e;
        }
    }

    private static Map<String, NDArray> quantised(NDManager manager, Set<String> names, Quantization quantization, boolean all, ElementType type, Int8Weights.Source source) throws IOException {
        return quantization == Quantization.INT4 ? Int4Weights.load(manager, names, type, source) : Int8Weights.load(manager, names, all, type, source);
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
                    : quantised(manager, copies.keySet(), options.quantization().get(), true, type, (owner, names) -> copies);
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
