package io.github.bts4j.examples.benchmark;

import ai.djl.Device;
import io.github.bts4j.core.llama.LlamaConfig;
import io.github.bts4j.core.llama.Precision;
import io.github.bts4j.core.torch.llama.LlamaModel;
import io.github.bts4j.core.torch.llama.LoadOptions;
import io.github.bts4j.train.ExpertTraining;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** The two shapes of the peer script and a larger one, and random checkpoints of them. */
enum BenchmarkShape {
    /** Fits tests: 27.8 million parameters per model. */
    S(8192, 512, 1408, 8, 8, 4),
    /** SmolLM2-135M's own shape. */
    M(49152, 576, 1536, 30, 9, 3),
    /** 0.46 billion parameters, with the vocabulary of the bundled tokenizer: for a server under load. */
    L(2048, 1536, 4096, 16, 24, 24);

    private final LlamaConfig config;

    BenchmarkShape(int vocab, int hidden, int intermediate, int layers, int heads, int kvHeads) {
        config = LlamaConfig.builder().vocabSize(vocab).hiddenSize(hidden).intermediateSize(intermediate).numLayers(layers)
                .numHeads(heads).numKvHeads(kvHeads).maxPositionEmbeddings(2048).tieWordEmbeddings(true).build();
    }

    LlamaConfig config() {
        return config;
    }

    /** Writes a random model unless the folder holds one already. */
    void write(Path folder, Precision precision, long seed) throws IOException {
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
}
