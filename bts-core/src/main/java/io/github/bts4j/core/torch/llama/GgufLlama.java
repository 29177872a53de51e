package io.github.bts4j.core.torch.llama;

import ai.djl.Device;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.github.bts4j.core.checkpoint.TensorEntry;
import io.github.bts4j.core.checkpoint.gguf.GgufFile;
import io.github.bts4j.core.checkpoint.gguf.GgufTensor;
import io.github.bts4j.core.llama.LlamaConfig;
import io.github.bts4j.core.llama.LlamaTensors;
import io.github.bts4j.core.support.ElementType;
import io.github.bts4j.core.torch.TensorFiller;
import io.github.bts4j.core.torch.TensorLoader;
import io.github.bts4j.core.torch.Tensors;
import java.io.IOException;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * A Llama model in a GGUF file: its tensors under Hugging Face's names, in Hugging Face's order of rows. Tensors of one precision are mapped, quantised
 * ones dequantised; query and key projections, whose rows llama.cpp permutes, are copied.
 */
final class GgufLlama {
    private static final String ROPE_DIVISORS = "rope_freqs.weight"; // part of the configuration
    private static final Map<String, String> MODEL_NAMES = Map.of("token_embd", "model.embed_tokens", "output_norm", "model.norm", "output", "lm_head");
    private static final Map<String, String> LAYER_NAMES = Map.of("attn_norm", "input_layernorm", "attn_q", "self_attn.q_proj", "attn_k",
            "self_attn.k_proj", "attn_v", "self_attn.v_proj", "attn_output", "self_attn.o_proj", "ffn_norm", "post_attention_layernorm", "ffn_gate",
            "mlp.gate_proj", "ffn_up", "mlp.up_proj", "ffn_down", "mlp.down_proj");

    private final GgufFile file;
    private final LlamaConfig config;
    private final Map<String, GgufTensor> tensors = new LinkedHashMap<>();

    private GgufLlama(GgufFile file) throws IOException {
        this.file = file;
        this.config = LlamaConfig.read(file);
        file.tensors().forEach((name, tensor) -> {
            if (!name.equals(ROPE_DIVISORS)) {
                tensors.put(huggingFaceName(name), tensor);
            }
        });
        Map<String, List<Long>> shapes = new LinkedHashMap<>();
        tensors.forEach((name, tensor) -> shapes.put(name, tensor.shape()));
        LlamaTensors.check(config, shapes, file.file());
    }

    static GgufLlama open(Path path) throws IOException {
        return new GgufLlama(GgufFile.open(path));
    }

    LlamaConfig config() {
        return config;
    }

    /** Hugging Face's name, or else llama.cpp's. */
    static String huggingFaceName(String name) {
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
        String layer = parts.length == 3 && parts[0].equals("blk") ? LAYER_NAMES.get(parts[2]) : null;
        return layer == null ? name : "model.layers." + parts[1] + "." + layer + name.substring(dot);
    }

    /** Loads tensors of the model. */
    Map<String, NDArray> load(NDManager owner, Set<String> names, ElementType type, boolean mapping) throws IOException {
        Map<String, NDArray> loaded = new LinkedHashMap<>();
        for (String name : names) {
            int heads = name.contains(".q_proj.") ? config.numHeads() : name.contains(".k_proj.") ? config.numKvHeads() : 0;
            GgufTensor tensor = tensors.get(name);
            if (heads == 0) {
                loaded.put(name, load(owner, tensor, type, mapping));
            } else {
                try (NDManager scope = owner.newSubManager()) {
                    loaded.put(name, Tensors.halvesFromPairs(owner, load(scope, tensor, type, mapping), heads));
                }
            }
        }
        return loaded;
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
        TensorEntry entry = new TensorEntry(tensor.name(), ElementType.named(tensor.type().name()).orElseThrow(), tensor.shape(), file.file(), tensor.offset(), tensor.length());
        return new TensorLoader(owner, stored -> type, mapping).load(List.of(entry)).get(tensor.name());
    }
}
