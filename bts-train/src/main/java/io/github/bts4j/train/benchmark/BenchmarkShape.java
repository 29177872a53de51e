package io.github.bts4j.train.benchmark;

import ai.djl.Device;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import io.github.bts4j.core.adapter.AdapterConfig;
import io.github.bts4j.core.adapter.AdapterWriter;
import io.github.bts4j.core.adapter.LowRank;
import io.github.bts4j.core.adapter.ModuleNames;
import io.github.bts4j.core.llama.LlamaConfig;
import io.github.bts4j.core.llama.LlamaTensors;
import io.github.bts4j.core.llama.Precision;
import io.github.bts4j.core.torch.Tensors;
import io.github.bts4j.core.torch.Torch;
import io.github.bts4j.core.torch.llama.LlamaModel;
import io.github.bts4j.core.torch.llama.LoadOptions;
import io.github.bts4j.train.ExpertTraining;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;

/** The sizes of models that benchmarks measure, and random checkpoints of them. */
public enum BenchmarkShape {
    /** A tenth of a million parameters: it shows that a benchmark works, and nothing about the machine. */
    XS(1024, 64, 128, 4, 4, 2),
    /** 27.8 million parameters, the smaller shape of the Python peer. */
    S(8192, 512, 1408, 8, 8, 4),
    /** SmolLM2-135M's own shape. */
    M(49152, 576, 1536, 30, 9, 3),
    /** 0.46 billion parameters, with the vocabulary of the bundled tokenizer, for a server under load. */
    L(2048, 1536, 4096, 16, 24, 24);

    private final LlamaConfig config;

    BenchmarkShape(int vocab, int hidden, int intermediate, int layers, int heads, int kvHeads) {
        config = LlamaConfig.builder().vocabSize(vocab).hiddenSize(hidden).intermediateSize(intermediate).numLayers(layers)
                .numHeads(heads).numKvHeads(kvHeads).maxPositionEmbeddings(2048).tieWordEmbeddings(true).build();
    }

    /** {@return the dimensions of a model; its head is the embedding} */
    public LlamaConfig config() {
        return config;
    }

    /** {@return its name in options and tables, such as {@code m}} */
    public String label() {
        return name().toLowerCase(Locale.ROOT);
    }

    /**
     * Writes a random model unless the folder holds one already.
     *
     * @param folder the folder
     * @param precision element type of the weights
     * @param seed seed of the weights
     * @throws IOException if a file cannot be written
     */
    public void write(Path folder, Precision precision, long seed) throws IOException {
        if (Files.exists(folder.resolve("config.json"))) {
            return;
        }
        Path full = precision == Precision.FLOAT32 ? folder : folder.resolve("float32");
        Files.createDirectories(full);
        try (ExpertTraining random = ExpertTraining.fromScratch(config, 0.02, seed, Device.cpu())) {
            random.save(full, folder);
        }
        if (precision != Precision.FLOAT32) {
            try (LlamaModel model = LlamaModel.open(full, LoadOptions.defaults().withPrecision(precision))) {
                model.save(folder);
            }
        }
    }

    /**
     * Writes an adapter of all linear modules with random values unless the folder is there already.
     *
     * @param folder the folder
     * @param rank rank of the adapter
     * @param precision element type of the weights
     * @throws IOException if a file cannot be written
     */
    public void writeAdapter(Path folder, int rank, Precision precision) throws IOException {
        if (Files.exists(folder)) {
            return;
        }
        try (NDManager scope = Torch.manager().newSubManager(Device.cpu())) {
            Map<String, LowRank<NDArray>> modules = new LinkedHashMap<>();
            LlamaTensors.shapes(config).forEach((name, shape) -> {
                if (name.endsWith("_proj.weight")) {
                    modules.put(name.substring(0, name.lastIndexOf('.')), new LowRank<>(random(scope, precision, rank, shape.get(1)), random(scope, precision, shape.get(0), rank),
                            Optional.empty(), Optional.empty(), 2, false));
                }
            });
            AdapterWriter.write(folder, AdapterConfig.lora(rank, 2 * rank, new ModuleNames.AllLinear()), modules, Map.of());
        }
    }

    private static NDArray random(NDManager scope, Precision precision, long... shape) {
        return Tensors.place(scope, scope.randomNormal(0, 0.02f, new Shape(shape), DataType.FLOAT32), precision.elementType(), Device.cpu());
    }
}
