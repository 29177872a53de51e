package io.github.bts4j.stitch.export;

import ai.djl.ndarray.NDArray;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.github.bts4j.core.Lifetime;
import io.github.bts4j.core.UnsupportedException;
import io.github.bts4j.core.checkpoint.AtomicFiles;
import io.github.bts4j.core.checkpoint.Checkpoint;
import io.github.bts4j.core.checkpoint.ModelFingerprint;
import io.github.bts4j.core.checkpoint.ModelFormatException;
import io.github.bts4j.core.llama.LlamaConfig;
import io.github.bts4j.core.llama.family.Plainness;
import io.github.bts4j.core.support.JsonReader;
import io.github.bts4j.core.torch.TensorFiles;
import io.github.bts4j.core.torch.Tensors;
import io.github.bts4j.core.torch.llama.AdaptedLlama;
import io.github.bts4j.core.torch.llama.LlamaModel;
import io.github.bts4j.core.torch.llama.LoadOptions;
import io.github.bts4j.stitch.Member;
import io.github.bts4j.stitch.StitchConfig;
import io.github.bts4j.stitch.StitchedModel;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;

/**
 * Writes a stitched model as a checkpoint of its own that Hugging Face transformers (version 5) loads with {@code trust_remote_code=True}: the Python code of the model and of its configuration, all weights, and
 * {@code config.json} with the SHA-256 of the weight files and of the models that the stitches were trained with. Experts are written without their final norm and head, which a stitched model does not use.
 *
 * <p>Python names are {@code hub.X} for the hub's {@code model.X}, {@code experts.I.X} with I from 0, and those of the stitch checkpoint. Holds no state.
 */
public final class TransformersExport {
    /** The Python code. */
    private static final List<String> CODE = List.of("configuration_bts.py", "modeling_bts.py");
    private static final String CONFIG = "config.json";
    private static final String MODEL = "model.";
    private static final Map<String, String> PYTORCH = Map.of("format", "pt");

    private final StitchedModel model;
    private final Path out;
    private final Map<String, String> shardOf = new LinkedHashMap<>();
    private final Map<String, String> hashes = new LinkedHashMap<>();
    private final ArrayNode experts = JsonReader.object().arrayNode();
    private long bytes;

    private TransformersExport(StitchedModel model, Path out) {
        this.model = model;
        this.out = out;
    }

    /**
     * Writes a model.
     *
     * @param model the model, loaded without quantisation; adapters are merged into their base's weights
     * @param out a folder that exists
     * @throws IOException if a file cannot be read or written
     * @throws IllegalStateException if a model's weights are int8
     * @throws UnsupportedException if the exported code does not compute models of its kind
     */
    @SuppressWarnings("try") // the leases are only held
    public static void write(StitchedModel model, Path out) throws IOException {
        TransformersExport export = new TransformersExport(model, out);
        try (Lifetime.Lease use = model.useStitchTensors()) {
            export.writeAll();
        }
    }

    private void writeAll() throws IOException {
        model.models().forEach(TransformersExport::requireExportable);
        ObjectNode hub = configuration(model.models().get(0).config());
        writeShard("model-hub.safetensors", renamed(model.models().get(0), "hub.", true));
        for (int i = 1; i < model.models().size(); i++) {
            writeExpert(i);
        }
        writeShard("model-stitch.safetensors", model.stitchTensors());
        for (String file : CODE) {
            AtomicFiles.write(out.resolve(file), resource(file));
        }
        ObjectNode index = JsonReader.object();
        index.putObject("metadata").put("total_size", bytes);
        index.set("weight_map", JsonReader.tree(shardOf));
        AtomicFiles.write(out.resolve(Checkpoint.INDEX_FILE), JsonReader.pretty(index));
        AtomicFiles.write(out.resolve(CONFIG), JsonReader.pretty(describe(hub)));
    }

    private static void requireExportable(LlamaModel model) {
        if (!model.isAdapted()) {
            model.requireFullWeights("exported");
        }
        if (!Plainness.isPlain(model.config().traits())) {
            throw new UnsupportedException("Model '" + model.getName() + "' is of type " + model.config().traits().family().spec().modelType() + ", with settings that the exported code does not compute: "
                    + Plainness.names() + " are exported");
        }
    }

    private void writeExpert(int i) throws IOException {
        LlamaModel expert = model.models().get(i);
        if (!expert.isAdapted()) {
            writeExpert(i, expert);
            return;
        }
        try (LlamaModel merged = AdaptedLlama.merged(model.members().get(0).folder(), model.members().get(i).folder(), LoadOptions.defaults().withPrecision(expert.precision()))) {
            writeExpert(i, merged);
        }
    }

    private void writeExpert(int i, LlamaModel expert) throws IOException {
        experts.add(configuration(expert.config()));
        writeShard("model-expert-" + i + ".safetensors", renamed(expert, "experts." + (i - 1) + ".", false));
    }

    /** A model's tensors by their names in the export; the norm and the head are the hub's alone. */
    private static Map<String, NDArray> renamed(LlamaModel model, String prefix, boolean hub) {
        Map<String, NDArray> renamed = new LinkedHashMap<>();
        model.tensors().forEach((name, tensor) -> {
            boolean last = !name.startsWith(MODEL) || name.equals("model.norm.weight");
            if (hub || !last) {
                renamed.put(name.startsWith(MODEL) ? prefix + name.substring(MODEL.length()) : name, tensor);
            }
        });
        return renamed;
    }

    private void writeShard(String file, Map<String, NDArray> tensors) throws IOException {
        TensorFiles.write(out.resolve(file), tensors, PYTORCH);
        hashes.put(file, ModelFingerprint.sha256(out.resolve(file)));
        tensors.forEach((name, tensor) -> {
            shardOf.put(name, file);
            bytes += tensor.size() * Tensors.type(tensor).bytes();
        });
    }

    /** A model's configuration as transformers reads it, without the type of its weights, which is that of the whole. */
    private ObjectNode configuration(LlamaConfig config) throws IOException {
        Path file = Files.createTempFile(out, ".config", ".json");
        try {
            config.write(file);
            ObjectNode json = JsonReader.STRICT.object(file, ModelFormatException::new);
            json.remove(List.of("torch_dtype", "dtype"));
            return json;
        } finally {
            Files.deleteIfExists(file);
        }
    }

    private ObjectNode describe(ObjectNode hub) throws IOException {
        StitchConfig stitches = model.config();
        ObjectNode json = JsonReader.object();
        json.putArray("architectures").add("BtsForCausalLM");
        json.putObject("auto_map").put("AutoConfig", "configuration_bts.BtsConfig").put("AutoModelForCausalLM", "modeling_bts.BtsForCausalLM");
        json.put("model_type", "bts");
        json.put("dtype", model.models().get(0).precision().jsonName());
        json.set("hub_config", hub);
        json.set("expert_configs", experts);
        json.set("expert_names", JsonReader.tree(model.members().stream().skip(1).map(Member::name).toList()));
        json.set("after_layers", JsonReader.tree(stitches.afterLayers()));
        json.put("alternating", stitches.alternating());
        json.put("gate_bias", stitches.init().hasGateBias());
        json.put("gate_dropout", stitches.dropout());
        ArrayNode bases = json.putArray("base_models");
        for (int i = 0; i < model.members().size(); i++) {
            bases.addObject().put("name", model.members().get(i).name()).set("files", JsonReader.tree(model.models().get(i).fingerprint().files()));
        }
        json.set("weights_sha256", JsonReader.tree(hashes));
        return json;
    }

    private static byte[] resource(String file) throws IOException {
        try (InputStream in = Objects.requireNonNull(TransformersExport.class.getResourceAsStream(file), file)) {
            return in.readAllBytes();
        }
    }
}
