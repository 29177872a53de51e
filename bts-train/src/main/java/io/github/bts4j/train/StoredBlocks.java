package io.github.bts4j.train;

import io.github.bts4j.core.checkpoint.gguf.GgufFile;
import io.github.bts4j.core.checkpoint.gguf.GgufTensor;
import java.io.IOException;
import java.nio.file.Path;

/**
 * What of a model's weights stays in ggml's blocks, as a GGUF file holds them. Numbers of weights, and their bytes in the file.
 *
 * @param layers weights of the layers' matrices
 * @param layerBytes their bytes
 * @param embedding weights of the embedding table
 * @param embeddingBytes their bytes
 * @param head weights of a head of its own
 * @param headBytes their bytes
 */
public record StoredBlocks(long layers, long layerBytes, long embedding, long embeddingBytes, long head, long headBytes) {
    /** Nothing is in blocks. */
    public static final StoredBlocks NONE = new StoredBlocks(0, 0, 0, 0, 0, 0);

    /**
     * The matrices that {@link io.github.bts4j.core.torch.llama.LlamaModel#open} keeps in blocks; reads the file's header.
     *
     * @param gguf a GGUF file
     * @return their sizes
     * @throws IOException if the file cannot be read
     */
    public static StoredBlocks of(Path gguf) throws IOException {
        StoredBlocks sum = NONE;
        for (GgufTensor tensor : GgufFile.open(gguf).tensors().values()) {
            if (tensor.type().isMultiplied() && tensor.shape().size() == 2) {
                sum = sum.with(tensor.name(), tensor.elements(), tensor.length());
            }
        }
        return sum;
    }

    private StoredBlocks with(String name, long values, long bytes) {
        return switch (name) {
            case "token_embd.weight" -> new StoredBlocks(layers, layerBytes, embedding + values, embeddingBytes + bytes, head, headBytes);
            case "output.weight" -> new StoredBlocks(layers, layerBytes, embedding, embeddingBytes, head + values, headBytes + bytes);
            default -> new StoredBlocks(layers + values, layerBytes + bytes, embedding, embeddingBytes, head, headBytes);
        };
    }

    /** The bytes that blocks of the layers save against values of so many bytes. */
    long savedInLayers(int element) {
        return layers * element - layerBytes;
    }

    /** The same of the embedding table. */
    long savedInEmbedding(int element) {
        return embedding * element - embeddingBytes;
    }

    /** The same of all matrices. */
    long saved(int element) {
        return savedInLayers(element) + savedInEmbedding(element) + head * element - headBytes;
    }
}
