package io.github.bts4j.core.torch.llama;

import ai.djl.ndarray.NDArray;
import io.github.bts4j.core.UnsupportedException;
import io.github.bts4j.core.chat.ChatTemplate;
import io.github.bts4j.core.checkpoint.SafetensorsWriter;
import io.github.bts4j.core.checkpoint.gguf.GgmlType;
import io.github.bts4j.core.checkpoint.gguf.GgufWriter;
import io.github.bts4j.core.llama.GgufKeys;
import io.github.bts4j.core.llama.LlamaConfig;
import io.github.bts4j.core.llama.family.TensorNames;
import io.github.bts4j.core.support.ElementType;
import io.github.bts4j.core.tokenizer.GgufTokens;
import io.github.bts4j.core.torch.Tensors;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Writes a checkpoint as the GGUF file that llama.cpp's convert_hf_to_gguf.py would make of it: matrices as float16 or Q8_0, vectors as float32, the rows of query and key projections in the
 * original Llama code's order, tokenizer and chat template. Holds no state.
 */
public final class GgufExport {
    private static final Map<GgmlType, Integer> FILE_TYPES = Map.of(GgmlType.F32, 0, GgmlType.F16, 1, GgmlType.Q8_0, 7, GgmlType.Q4_0, 2);

    private GgufExport() {}

    /**
     * Writes a checkpoint.
     *
     * @param folder a folder with config.json, safetensors and, if the file is to have a tokenizer, tokenizer.json
     * @param file the file; one that is there is replaced at the end
     * @param type the type of the matrices: F32, F16, Q8_0 or Q4_0, with which embeddings and head are Q8_0; a matrix whose rows are no whole blocks is F16
     * @throws IOException if a file cannot be read or written; an older file is then unchanged
     * @throws UnsupportedException if GGUF has no keys for the configuration, or llama.cpp no such tokenizer
     * @throws IllegalArgumentException if a value is beyond float16
     * @throws IllegalStateException if the weights are int8
     */
    public static void write(Path folder, Path file, GgmlType type) throws IOException {
        boolean tokenizer = Files.exists(folder.resolve("tokenizer.json"));
        Path temporary = Files.createTempFile(file.toAbsolutePath().getParent(), ".gguf", ".tmp");
        try (LlamaModel model = LlamaModel.open(folder, LoadOptions.defaults().withWeights(Weights.DEQUANTIZED))) {
            model.requireFullWeights("written as GGUF");
            GgufWriter.write(temporary, metadata(model.config(), folder, tokenizer, type), tensors(model, type));
            if (tokenizer) {
                GgufTokens.requireSame(folder, temporary);
            }
            Files.move(temporary, file, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
        } finally {
            Files.deleteIfExists(temporary);
        }
    }

    private static Map<String, Object> metadata(LlamaConfig config, Path folder, boolean tokenizer, GgmlType type) throws IOException {
        Map<String, Object> keys = new LinkedHashMap<>();
        try {
            keys.putAll(GgufKeys.of(config));
        } catch (IllegalArgumentException e) {
            throw new UnsupportedException(folder + " cannot be written as GGUF: " + e.getMessage(), e);
        }
        keys.put("general.name", folder.toAbsolutePath().normalize().getFileName().toString());
        keys.put("general.file_type", FILE_TYPES.get(type));
        keys.put("general.quantization_version", 2);
        if (tokenizer) {
            keys.putAll(GgufTokens.of(folder, config.vocabSize()));
            ChatTemplate.source(folder).ifPresent(template -> keys.put("tokenizer.chat_template", template));
        } else {
            keys.put("tokenizer.ggml.model", "none");
        }
        putEndTokens(keys, config);
        return keys;
    }

    /** GGUF has room for three end tokens. */
    private static void putEndTokens(Map<String, Object> keys, LlamaConfig config) {
        String prefix = "tokenizer.ggml.";
        config.bosTokenId().ifPresent(id -> keys.putIfAbsent(prefix + "bos_token_id", id));
        List<Integer> ends = new ArrayList<>(config.eosTokenIds());
        for (String role : List.of("eos_token_id", "eot_token_id", "eom_token_id")) {
            if (keys.get(prefix + role) instanceof Integer known) {
                ends.remove(known);
            } else if (!ends.isEmpty()) {
                keys.put(prefix + role, ends.remove(0));
            }
        }
        if (!ends.isEmpty()) {
            throw new UnsupportedException("The model has " + config.eosTokenIds().size() + " end tokens, " + config.eosTokenIds() + ": a GGUF file has room for three");
        }
    }

    private static List<GgufWriter.Tensor> tensors(LlamaModel model, GgmlType type) {
        LlamaConfig config = model.config();
        TensorNames names = config.traits().family().spec().tensorNames();
        List<GgufWriter.Tensor> tensors = new ArrayList<>();
        GgufKeys.ropeDivisors(config).ifPresent(divisors -> {
            ByteBuffer bytes = ByteBuffer.allocate(Float.BYTES * divisors.length).order(ByteOrder.LITTLE_ENDIAN);
            bytes.asFloatBuffer().put(divisors);
            tensors.add(new GgufWriter.Tensor(GgufKeys.ROPE_FREQS, GgmlType.F32, List.of((long) divisors.length), SafetensorsWriter.Source.of(bytes), ElementType.FLOAT32));
        });
        model.tensors().forEach((name, tensor) -> {
            int heads = !names.pairwiseInGguf() ? 0 : name.contains(".q_proj.") ? config.numHeads() : name.contains(".k_proj.") ? config.numKvHeads() : 0;
            List<Long> shape = Arrays.stream(tensor.getShape().getShape()).boxed().toList();
            tensors.add(new GgufWriter.Tensor(GgufLlama.ggufName(name, names), fitting(name, type, shape), shape, heads == 0 ? whole(tensor) : sink -> sink.accept(pairsFromHalves(tensor, heads)),
                    Tensors.type(tensor)));
        });
        return tensors;
    }

    private static GgmlType fitting(String name, GgmlType matrices, List<Long> shape) {
        if (shape.size() < 2) {
            return GgmlType.F32;
        }
        GgmlType type = matrices == GgmlType.Q4_0 ? Int4Weights.type(name) : matrices; // embeddings and head with 8 bits
        return shape.get(1) % type.blockSize() == 0 ? type : GgmlType.F16;
    }

    private static SafetensorsWriter.Source whole(NDArray tensor) {
        return sink -> {
            for (ByteBuffer bytes : Tensors.bytes(tensor)) {
                sink.accept(bytes);
            }
        };
    }

    /** The rows in the order of GGUF, see {@link Tensors#halvesFromPairs}. */
    private static ByteBuffer pairsFromHalves(NDArray tensor, int heads) {
        int rows = Math.toIntExact(tensor.getShape().get(0));
        int rowBytes = Math.toIntExact(tensor.size() / rows * Tensors.type(tensor).bytes());
        ByteBuffer all = ByteBuffer.allocate(Math.multiplyExact(rows, rowBytes));
        Tensors.bytes(tensor).forEach(all::put);
        byte[] ordered = new byte[all.capacity()];
        int half = rows / heads / 2;
        for (int row = 0; row < rows; row++) {
            int within = row % (2 * half);
            int from = row - within + within % 2 * half + within / 2;
            System.arraycopy(all.array(), from * rowBytes, ordered, row * rowBytes, rowBytes);
        }
        return ByteBuffer.wrap(ordered);
    }
}
