package io.github.bts4j.examples;

import ai.djl.Device;
import io.github.bts4j.core.llama.LlamaConfig;
import io.github.bts4j.train.ExpertTraining;
import java.io.IOException;
import java.nio.file.Path;

/** Tiny checkpoints with the bundled tokenizer. */
public final class TinyCheckpoints {
    static final Path TOKENIZER = Path.of(System.getProperty("bts4j.testData")).resolve("tokenizer");

    private TinyCheckpoints() {}

    /**
     * Writes a Llama of four layers with random weights.
     *
     * @param folder the new checkpoint's folder
     * @param seed of the weights
     * @return the folder
     * @throws IOException if it cannot be written
     */
    public static Path write(Path folder, long seed) throws IOException {
        LlamaConfig config = LlamaConfig.builder().vocabSize(2048).hiddenSize(32).intermediateSize(64).numLayers(4).numHeads(2)
                .maxPositionEmbeddings(256).tieWordEmbeddings(true).build();
        try (ExpertTraining model = ExpertTraining.fromScratch(config, 0.06, seed, Device.cpu())) {
            model.save(folder, TOKENIZER);
        }
        return folder;
    }
}
