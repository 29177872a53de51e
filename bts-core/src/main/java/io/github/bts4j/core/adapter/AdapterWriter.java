package io.github.bts4j.core.adapter;

import ai.djl.ndarray.NDArray;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.github.bts4j.core.checkpoint.AtomicFiles;
import io.github.bts4j.core.support.JsonReader;
import io.github.bts4j.core.torch.TensorFiles;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Writes adapters in PEFT's format. */
public final class AdapterWriter {
    private AdapterWriter() {}

    /**
     * Writes an adapter; files of its names that are there are replaced, the configuration last.
     *
     * @param folder the folder, made if absent
     * @param config the content of adapter_config.json
     * @param modules low-rank parts by the full names of their modules
     * @param whole tensors that take the place of the base's, by the base's names
     * @throws IOException if writing fails
     */
    public static void write(Path folder, AdapterConfig config, Map<String, LowRank<NDArray>> modules, Map<String, NDArray> whole) throws IOException {
        Files.createDirectories(folder);
        Map<String, NDArray> tensors = new LinkedHashMap<>();
        modules.forEach((module, part) -> put(tensors, AdapterTensors.PREFIX + module + ".", part));
        whole.forEach((name, tensor) -> tensors.put(AdapterTensors.PREFIX + wholeName(name, modules), tensor));
        TensorFiles.write(folder.resolve(Adapter.WEIGHTS), tensors, Map.of("format", "pt"));
        AtomicFiles.write(folder.resolve(AdapterConfig.FILE), JsonReader.pretty(json(config)));
    }

    /**
     * The content of adapter_config.json.
     *
     * @param config the configuration
     * @return JSON
     */
    public static String text(AdapterConfig config) {
        return new String(JsonReader.pretty(json(config)), StandardCharsets.UTF_8);
    }

    private static void put(Map<String, NDArray> tensors, String prefix, LowRank<NDArray> part) {
        tensors.put(prefix + (part.isEmbedding() ? AdapterTensors.EMBEDDING_A : AdapterTensors.LORA_A), part.a());
        tensors.put(prefix + (part.isEmbedding() ? AdapterTensors.EMBEDDING_B : AdapterTensors.LORA_B), part.b());
        part.magnitude().ifPresent(magnitude -> tensors.put(prefix + AdapterTensors.MAGNITUDE, magnitude));
        part.bias().ifPresent(bias -> tensors.put(prefix + AdapterTensors.LORA_B_BIAS, bias));
    }

    /** PEFT wraps the modules that it adapts. */
    private static String wholeName(String name, Map<String, LowRank<NDArray>> modules) {
        int dot = name.lastIndexOf('.');
        return modules.containsKey(name.substring(0, dot)) ? name.substring(0, dot) + ".base_layer" + name.substring(dot) : name;
    }

    private static ObjectNode json(AdapterConfig config) {
        ObjectNode json = JsonReader.object();
        json.put("peft_type", "LORA").put("task_type", "CAUSAL_LM").put("base_model_name_or_path", config.base().orElse(null)).put("inference_mode", true);
        json.put("r", config.rank()).put("lora_dropout", 0.0).put("fan_in_fan_out", false).put("bias", config.biases().json());
        if (config.alpha() == Math.rint(config.alpha()) && Math.abs(config.alpha()) < 1 << 30) {
            json.put("lora_alpha", (int) config.alpha()); // as PEFT writes it
        } else {
            json.put("lora_alpha", config.alpha());
        }
        json.put("use_rslora", config.rankStabilized()).put("use_dora", config.dora()).put("lora_bias", config.loraBias()).put("init_lora_weights", true);
        put(json, "target_modules", config.targets().modules());
        put(json, "exclude_modules", config.targets().excluded());
        config.targets().layers().ifPresent(layers -> layers.forEach(json.putArray("layers_to_transform")::add));
        putNames(json, "layers_pattern", config.targets().layersPattern());
        putNames(json, "modules_to_save", config.modulesToSave());
        ObjectNode ranks = json.putObject("rank_pattern");
        config.rankPattern().forEach(ranks::put);
        ObjectNode alphas = json.putObject("alpha_pattern");
        config.alphaPattern().forEach(alphas::put);
        return json;
    }

    private static void put(ObjectNode json, String key, ModuleNames names) {
        if (names instanceof ModuleNames.Listed listed) {
            putNames(json, key, listed.names());
        } else {
            json.put(key, names.toString());
        }
    }

    private static void putNames(ObjectNode json, String key, List<String> names) {
        if (names.isEmpty()) {
            json.putNull(key);
        } else {
            ArrayNode array = json.putArray(key);
            names.forEach(array::add);
        }
    }
}
