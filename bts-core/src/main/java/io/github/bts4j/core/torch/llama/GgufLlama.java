package io.github.bts4j.core.torch.llama;

import ai.djl.Device;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.github.bts4j.core.checkpoint.TensorEntry;
import io.github.bts4j.core.checkpoint.gguf.GgufFile;
import io.github.bts4j.core.checkpoint.gguf.GgufTensor;
import io.github.bts4j.core.llama.LlamaConfig;
import io.github.bts4j.core.llama.LlamaTensors;
import io.github.bts4j.core.llama.family.NormWeight;
import io.github.bts4j.core.llama.family.TensorNames;
import io.github.bts4j.core.support.ElementType;
import io.github.bts4j.core.torch.TensorFiller;
import io.github.bts4j.core.torch.TensorLoader;
import io.github.bts4j.core.torch.Tensors;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * A model in a GGUF file: its tensors under Hugging Face's names, in Hugging Face's order of rows. Tensors of one precision are mapped, and quantised
 * matrices too or else dequantised; query and key projections, whose rows llama.cpp permutes in some families, are copied there.
 */
final class GgufLlama {
    private static final Set<String> OF_CONFIGURATION = Set.of("rope_freqs.weight", "rope_factors_long.weight", "rope_factors_short.weight");
    private static final Map<String, String> MODEL_NAMES = Map.of("token_embd", "model.embed_tokens", "output_norm", "model.norm", "output", "lm_head");

    private final GgufFile file;
    private final LlamaConfig config;
    private final TensorNames names;
    private final Map<String, GgufTensor> tensors = new LinkedHashMap<>();

    private GgufLlama(GgufFile file) throws IOException {
        this.file = file;
        this.config = LlamaConfig.read(file);
        this.names = config.traits().family().spec().tensorNames();
        file.tensors().forEach((name, tensor) -> {
            if (!OF_CONFIGURATION.contains(name)) {
                tensors.put(huggingFaceName(name, names), tensor);
            }
        });
        FusedTensors.split(config, tensors, GgufTensor::shape, GgufLlama::rows, file.file());
        Map<String, List<Long>> shapes = new LinkedHashMap<>();
        tensors.forEach((name, tensor) -> shapes.put(name, tensor.shape()));
        LlamaTensors.check(config, shapes, file.file(), "the metadata");
    }

    static GgufLlama open(Path path) throws IOException {
        return new GgufLlama(GgufFile.open(path));
    }

    LlamaConfig config() {
        return config;
    }

    private static GgufTensor rows(GgufTensor tensor, String name, long from, long count) {
        List<Long> shape = new ArrayList<>(tensor.shape());
        long row = tensor.length() / shape.set(0, count);
        return new GgufTensor(name, tensor.type(), shape, tensor.file(), tensor.offset() + from * row, count * row);
    }

    /** Hugging Face's name, or else llama.cpp's. */
    static String huggingFaceName(String name, TensorNames family) {
        int dot = name.lastIndexOf('.');
        if (dot < 0) {
            return name;
        }
        String stem = name.substring(0, dot);
        String model = MODEL_NAMES.get(stem);
        if (model != null) {
            return model + name.substring(dot);
        }
        String[] parts = stem.split("\\.");
        String layer = parts.length == 3 && parts[0].equals("blk") ? family.byGgufName().get(parts[2]) : null;
        return layer == null ? name : "model.layers." + parts[1] + "." + layer + name.substring(dot);
    }

    /** llama.cpp's name of a tensor of a model. */
    static String ggufName(String name, TensorNames family) {
        int dot = name.lastIndexOf('.');
        String stem = name.substring(0, dot);
        for (Map.Entry<String, String> entry : MODEL_NAMES.entrySet()) {
            if (entry.getValue().equals(stem)) {
                return entry.getKey() + name.substring(dot);
            }
        }
        String[] parts = stem.split("\\.", 4); // model, layers, number, the rest
        return family.byGgufName().entrySet().stream().filter(entry -> entry.getValue().equals(parts[parts.length - 1])).map(entry -> "blk." + parts[2] + "." + entry.getKey() + name.substring(dot))
                .findFirst().orElseThrow(() -> new IllegalArgumentException("tensor '" + name + "' has no name in GGUF"));
    }

    /** Loads tensors of the model; those that stay in blocks with their types. */
    Map<String, NDArray> load(NDManager owner, Set<String> wanted, ElementType type, LoadOptions options) throws IOException {
        boolean mapping = options.mapping();
        Map<String, NDArray> loaded = new LinkedHashMap<>();
        BlockWeights blocks = new BlockWeights(owner);
        boolean onePlus = config.traits().family().spec().normWeight() == NormWeight.ONE_PLUS;
        for (String name : wanted) {
            int heads = !names.pairwiseInGguf() ? 0 : name.contains(".q_proj.") ? config.numHeads() : name.contains(".k_proj.") ? config.numKvHeads() : 0;
            GgufTensor tensor = tensors.get(name);
            boolean kept = options.weights() == Weights.AS_STORED && options.quantization().isEmpty() && tensor.type().isMultiplied() && tensor.shape().size() == 2;
            if (kept) {
                loaded.put(name, heads == 0 ? bytes(owner, tensor, mapping) : permutedBytes(owner, tensor, heads));
                loaded.put(name + BlockWeights.TYPE, blocks.number(tensor.type()));
            } else if (onePlus && name.endsWith("norm.weight")) {
                loaded.put(name, lessOne(owner, tensor, type));
            } else if (heads == 0) {
                loaded.put(name, load(owner, tensor, type, mapping));
            } else {
                try (NDManager scope = owner.newSubManager()) {
                    loaded.put(name, Tensors.halvesFromPairs(owner, load(scope, tensor, type, mapping), heads));
                }
            }
        }
        return loaded;
    }

    /** The blocks, {@code [out, bytes of a row]}. */
    private static NDArray bytes(NDManager owner, GgufTensor tensor, boolean mapping) throws IOException {
        long rows = tensor.shape().get(0);
        TensorEntry entry = new TensorEntry(tensor.name(), ElementType.UINT8, List.of(rows, rows == 0 ? 0 : tensor.length() / rows), tensor.file(), tensor.offset(), tensor.length());
        return new TensorLoader(owner, stored -> stored, mapping).load(List.of(entry)).get(tensor.name());
    }

    /** A copy of the blocks, whose rows are whole ones in another order. */
    private static NDArray permutedBytes(NDManager owner, GgufTensor tensor, int heads) throws IOException {
        try (NDManager scope = owner.newSubManager()) {
            return Tensors.halvesFromPairs(owner, bytes(scope, tensor, true), heads);
        }
    }

    /** llama.cpp stores 1 + w for norms that multiply by that. */
    private NDArray lessOne(NDManager owner, GgufTensor tensor, ElementType type) throws IOException {
        float[] values = new float[Math.toIntExact(tensor.elements())];
        file.dequantize(tensor, (at, piece) -> {
            for (int i = 0; i < piece.length; i++) {
                values[(int) at + i] = piece[i] - 1;
            }
        });
        try (NDManager scope = owner.newSubManager()) {
            return Tensors.copy(owner, Tensors.place(scope, Tensors.of(scope, values, values.length), type, owner.getDevice()), type);
        }
    }

    private NDArray load(NDManager owner, GgufTensor tensor, ElementType type, boolean mapping) throws IOException {
        Device device = owner.getDevice();
        if (tensor.type().isQuantized()) {
            NDArray target = Tensors.zeros(owner, type, device, tensor.shape().stream().mapToLong(Long::longValue).toArray());
            try (TensorFiller filler = new TensorFiller(target, GgufFile.PIECE_VALUES)) {
                file.dequantize(tensor, filler::write);
            }
            return target;
        }
        TensorEntry entry = new TensorEntry(tensor.name(), ElementType.named(tensor.type().name()).orElseThrow(), tensor.shape(), tensor.file(), tensor.offset(), tensor.length());
        return new TensorLoader(owner, stored -> type, mapping).load(List.of(entry)).get(tensor.name());
    }
}
